package breaker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
)

var (
	errDown     = errors.New("connection refused")
	errNotFound = errors.New("not found")
	errDenied   = errors.New("permission denied")
)

func classify(err error) breaker.Outcome {
	switch {
	case errors.Is(err, errNotFound):
		return breaker.Success
	case errors.Is(err, errDenied):
		return breaker.Ignored
	default:
		return breaker.Failure
	}
}

// answer is a dependency that answers at once with err.
func answer(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// fail makes n failing calls.
func fail(t *testing.T, b *breaker.Breaker, n int) {
	t.Helper()
	for i := range n {
		if err := b.Run(t.Context(), 0, answer(errDown)); !errors.Is(err, errDown) {
			t.Fatalf("call %d: %v, want it to be sent and fail", i+1, err)
		}
	}
}

func wantState(t *testing.T, b *breaker.Breaker, want breaker.State) {
	t.Helper()
	if got := b.State(); got != want {
		t.Fatalf("state %v, want %v", got, want)
	}
}

// sent reports whether b lets a call through.
func sent(ctx context.Context, b *breaker.Breaker, err error) bool {
	through := false
	_ = b.Run(ctx, 0, func(context.Context) error { through = true; return err })
	return through
}

func TestOpensAfterFourFailuresInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{Name: "router", Classify: classify})
		fail(t, b, 3)
		wantState(t, b, breaker.Closed)
		fail(t, b, 1)
		wantState(t, b, breaker.Open)

		err := b.Run(t.Context(), 0, func(context.Context) error {
			t.Error("sent while open")
			return nil
		})
		var open *breaker.OpenError
		if !errors.Is(err, breaker.ErrOpen) || !errors.As(err, &open) {
			t.Fatalf("got %v, want an OpenError", err)
		}
		if open.Name != "router" || open.RetryAfter < 15*time.Second || open.RetryAfter > 16500*time.Millisecond {
			t.Errorf("got %+v, want router and 15 s plus at most 10 %%", open)
		}
		if !errors.Is(open.Last, errDown) || errors.Is(err, errDown) {
			t.Errorf("last failure %v must be told and must not be matched", open.Last)
		}
		if got := b.RetryAfter(); got != open.RetryAfter {
			t.Errorf("RetryAfter %v, error says %v", got, open.RetryAfter)
		}
	})
}

func TestDoReturnsValue(t *testing.T) {
	b := breaker.New(breaker.Options{})
	for _, budget := range []time.Duration{0, time.Minute} {
		v, err := breaker.Do(t.Context(), b, budget, func(ctx context.Context) (int, error) {
			if _, ok := ctx.Deadline(); ok != (budget > 0) {
				t.Errorf("budget %v: deadline set: %v", budget, ok)
			}
			return 42, nil
		})
		if v != 42 || err != nil {
			t.Errorf("budget %v: got %d, %v", budget, v, err)
		}
	}
}

// A run is ended by any success, and by nothing else.
func TestRunOfFailures(t *testing.T) {
	tests := []struct {
		name   string
		errs   []error
		repeat int
		want   breaker.State
	}{
		{"three, then success", []error{errDown, errDown, errDown, nil}, 1000, breaker.Closed},
		{"three, then authoritative absence", []error{errDown, errDown, errDown, errNotFound}, 1000, breaker.Closed},
		{"not transient", []error{errDenied}, 1000, breaker.Closed},
		{"inner breaker open", []error{&breaker.OpenError{}}, 1000, breaker.Closed},
		{"four", []error{errDown}, 4, breaker.Open},
		{"unknown", []error{errors.New("never seen before")}, 4, breaker.Open},
		{"own budget", []error{breaker.ErrBudget}, 4, breaker.Open},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := breaker.New(breaker.Options{Classify: classify})
				for range tt.repeat {
					for _, err := range tt.errs {
						if !sent(t.Context(), b, err) {
							t.Fatal("opened too early")
						}
					}
				}
				wantState(t, b, tt.want)
			})
		})
	}
}

// Where errors are not told apart, any of them opens it.
func TestRunOfFailuresSabotaged(t *testing.T) {
	for _, err := range []error{errNotFound, errDenied} {
		synctest.Test(t, func(t *testing.T) {
			b := breaker.New(breaker.Options{})
			fail(t, b, 3)
			sent(t.Context(), b, err)
			wantState(t, b, breaker.Open)
		})
	}
}

func TestIgnoredKeepsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{Classify: classify})
		fail(t, b, 3)
		for range 100 {
			if !sent(t.Context(), b, errDenied) {
				t.Fatal("refused")
			}
		}
		if s := b.Status(); s.InARow != 3 || s.Ignored != 100 {
			t.Fatalf("got %+v, want 3 in a row and 100 ignored", s)
		}
		fail(t, b, 1)
		wantState(t, b, breaker.Open)
	})
}

// Down for ten minutes, asked every 10 ms: a probe when each cooldown ends, and nothing else is sent.
func TestCooldownLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{})
		fail(t, b, 4)
		gaps := probeGaps(t, b, 10*time.Minute)
		if n := len(gaps); n < 10 || n > 11 {
			t.Errorf("%d probes in 10 minutes, want 10 or 11", n)
		}
		for i, gap := range gaps {
			floor := min(15*time.Second<<i, time.Minute)
			if gap < floor || gap > floor+floor/10+20*time.Millisecond {
				t.Errorf("probe %d after %v, want %v to %v", i+1, gap, floor, floor+floor/10)
			}
		}
		for b.State() != breaker.Closed { // comes back
			time.Sleep(b.RetryAfter())
			_ = b.Run(t.Context(), 0, answer(nil))
		}
		fail(t, b, 4)
		if got := b.RetryAfter(); got < 15*time.Second || got > 16500*time.Millisecond {
			t.Errorf("first cooldown after a recovery is %v, want 15 s again", got)
		}
	})
}

// Without the gate the cooldown never grows, and the test above would see it.
func TestCooldownLadderSabotaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{}.NoGate())
		fail(t, b, 4)
		if n := len(probeGaps(t, b, 10*time.Minute)); n <= 11 {
			t.Errorf("%d probes with the gate switched off, want too many", n)
		}
	})
}

func probeGaps(t *testing.T, b *breaker.Breaker, d time.Duration) (gaps []time.Duration) {
	last, end := time.Now(), time.Now().Add(d)
	for time.Now().Before(end) {
		if sent(t.Context(), b, errDown) {
			gaps = append(gaps, time.Since(last))
			last = time.Now()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return gaps
}
