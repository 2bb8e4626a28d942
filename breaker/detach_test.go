package breaker_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
)

// The caller of a function that ignores its context is released at the budget, in each state of the breaker.
func TestDetachReleasesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{})
		release := make(chan struct{})
		hang := breaker.Detach(func(context.Context) (int, error) { <-release; return 1, nil })
		for i := range 5 {
			start := time.Now()
			_, err := breaker.Do(t.Context(), b, 50*time.Millisecond, hang)
			if took := time.Since(start); took != 50*time.Millisecond || !errors.Is(err, breaker.ErrBudget) {
				t.Errorf("call %d: %v after %v, want ErrBudget after 50ms", i+1, err, took)
			}
			time.Sleep(b.RetryAfter())
		}
		if s := b.Status(); s.Trips != 2 {
			t.Errorf("%d trips, want 2", s.Trips)
		}
		close(release)
	})
}

func TestDetachPassesTheEnd(t *testing.T) {
	v, err := breaker.Detach(func(context.Context) (int, error) { return 7, errDown })(t.Context())
	if v != 7 || !errors.Is(err, errDown) {
		t.Errorf("got %d, %v", v, err)
	}
	var got any
	func() {
		defer func() { got = recover() }()
		_, _ = breaker.Detach(func(context.Context) (int, error) { panic("bad frame") })(t.Context())
	}()
	if got != "bad frame" {
		t.Errorf("recovered %v", got)
	}
	after := false
	<-launch(func() {
		_, _ = breaker.Detach(func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })(t.Context())
		after = true
	})
	if after {
		t.Error("the caller's goroutine went on after Goexit")
	}
}
