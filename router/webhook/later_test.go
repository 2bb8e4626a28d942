package webhook_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/router/webhook"
)

// TestRetryAfter: a receiver is left alone for as long as it asks, by every router, and
// then goes on where it was. What it asks in another way, or too much, has its bounds.
func TestRetryAfter(t *testing.T) {
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for name, c := range map[string]struct {
		header func() string
		wait   time.Duration // 0: as after any other failure
	}{
		"seconds":       {func() string { return "120" }, 2 * time.Minute},
		"date":          {func() string { return date(3 * time.Minute) }, 3 * time.Minute},
		"none":          {func() string { return "" }, 0},
		"zero":          {func() string { return "0" }, 0},
		"past":          {func() string { return date(-time.Hour) }, 0},
		"days":          {func() string { return "999999" }, time.Hour},
		"no number":     {func() string { return "99999999999999999999999" }, time.Hour},
		"date far away": {func() string { return date(999 * time.Hour) }, time.Hour},
		"negative":      {func() string { return "-5" }, 0},
		"nonsense":      {func() string { return "soon" }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, j := receive(t), newJournal(t)
				h, other := r.hook(webhook.Options{Records: j, Journal: j}), r.hook(webhook.Options{Records: j, Journal: j, Alone: true})
				if err := bring(t, h, j.create("shop")); err != nil {
					t.Fatal(err)
				}
				head := j.write("shop", 1)
				r.answer = func(n int, w http.ResponseWriter, _ *http.Request) {
					if n == 0 {
						w.Header().Set("Retry-After", c.header())
						w.WriteHeader(http.StatusServiceUnavailable)
					}
				}
				began := time.Now()
				err := bring(t, h, head)
				later := new(webhook.LaterError)
				if err == nil || errors.As(err, &later) != (c.wait > 0) {
					t.Fatal(err)
				}
				if c.wait > 0 {
					if got := later.Until.Sub(began); got < c.wait-time.Second || got > c.wait {
						t.Errorf("left alone for %v, want %v", got, c.wait)
					}
					time.Sleep(c.wait - 2*time.Second)
					for _, h := range []*webhook.Hook{h, other} {
						if err := bring(t, h, head); !errors.As(err, new(*webhook.LaterError)) {
							t.Errorf("too early: %v", err)
						}
					}
					if n := len(r.received()); n != 1 {
						t.Errorf("called %d times", n)
					}
					time.Sleep(2 * time.Second)
				}
				if err := bring(t, h, head); err != nil {
					t.Error(err)
				}
				wants(t, r.received(), "commit shop@0.2", "commit shop@0.2")
			})
		})
	}
}
