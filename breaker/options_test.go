package breaker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
)

func TestOptions(t *testing.T) {
	tests := []struct {
		name      string
		o         breaker.Options
		failures  int
		cooldowns []time.Duration // first, second, third; without jitter
		jitter    float64
	}{
		{"zero value", breaker.Options{}, 4, []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, time.Minute}, 0.1},
		{"negative", breaker.Options{Failures: -1, Cooldown: -1, MaxCooldown: -1, ProbeBudget: -1, Jitter: -1}, 4,
			[]time.Duration{15 * time.Second, 30 * time.Second, time.Minute, time.Minute}, 0},
		{"own", breaker.Options{Failures: 1, Cooldown: time.Second, MaxCooldown: 3 * time.Second, Jitter: 7}, 1,
			[]time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second}, 1},
		{"maximum below the first", breaker.Options{Cooldown: 2 * time.Minute, Jitter: -1}, 4,
			[]time.Duration{2 * time.Minute, 2 * time.Minute}, 0},
		{"very long", breaker.Options{Cooldown: 1 << 61, MaxCooldown: 1 << 62, Jitter: -1}, 4,
			[]time.Duration{1 << 61}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := breaker.New(tt.o)
				fail(t, b, tt.failures)
				for i, want := range tt.cooldowns {
					got := b.RetryAfter()
					if top := want + time.Duration(tt.jitter*float64(want)); got < want || got > top {
						t.Errorf("cooldown %d is %v, want %v to %v", i+1, got, want, top)
					}
					if want >= 1<<60 {
						break
					}
					time.Sleep(got)
					fail(t, b, 1)
				}
			})
		})
	}
}

// A probe without a budget of its own is cut after ProbeBudget.
func TestProbeBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := tripped(t, breaker.Options{ProbeBudget: 3 * time.Second, Jitter: -1})
		release := make(chan struct{})
		ended := launch(func() {
			_, _ = breaker.Do(t.Context(), b, 0, hangUntil(release))
		})
		time.Sleep(3*time.Second - 1)
		wantState(t, b, breaker.HalfOpen)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		wantState(t, b, breaker.Open)
		close(release)
		<-ended
	})
}

func TestNames(t *testing.T) {
	got := fmt.Sprint(breaker.Closed, breaker.Open, breaker.HalfOpen, breaker.Success, breaker.Failure, breaker.Ignored)
	if want := "closed open half-open success failure ignored"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if b := breaker.New(breaker.Options{}); b.Name() != "dependency" || b.Status().Name != "dependency" {
		t.Errorf("default name %q", b.Name())
	}
	err := &breaker.OpenError{Name: "router", RetryAfter: 1500 * time.Millisecond, Last: errDown}
	if want := "breaker: router is open, next try in 1.5s (last failure: connection refused)"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
