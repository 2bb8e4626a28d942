package breaker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
)

// impatient makes n calls to a dependency that hangs, whose callers give up at random instants before the budget. The
// error is what a client library returns then: a bare timeout that does not mention the caller.
func impatient(t *testing.T, b *breaker.Breaker, n int) {
	rng := rand.New(rand.NewPCG(1, 2))
	var wg sync.WaitGroup
	for i := range n {
		ctx, cancel := context.WithCancel(t.Context())
		patience := time.Duration(rng.Int64N(int64(time.Second)))
		time.AfterFunc(patience, cancel)
		if i%2 == 0 {
			ctx, cancel = context.WithTimeout(ctx, patience)
			defer cancel()
		}
		wg.Go(func() {
			_ = b.Run(ctx, time.Second, func(ctx context.Context) error {
				<-ctx.Done()
				return os.ErrDeadlineExceeded
			})
		})
	}
	wg.Wait()
}

func TestImpatientCallersNeverCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{Classify: classify})
		impatient(t, b, 10_000)
		if s := b.Status(); s.State != breaker.Closed || s.Failures != 0 || s.Ignored != 10_000 {
			t.Errorf("got %+v, want closed, no failures, 10000 ignored", s)
		}
	})
}

// The same callers open the breaker once their own contexts are no longer asked.
func TestImpatientCallersSabotaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{Classify: classify}.CountCallers())
		impatient(t, b, 100)
		if s := b.Status(); s.Trips == 0 {
			t.Errorf("got %+v, want a trip with the guard switched off", s)
		}
	})
}

// A socket deadline taken from the caller's context may end the call before the context itself says so.
func TestCallersDeadlineByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{})
		for range 4 {
			ctx := frozen{t.Context(), time.Now().Add(10 * time.Millisecond)}
			_ = b.Run(ctx, 0, func(context.Context) error {
				time.Sleep(10 * time.Millisecond)
				return os.ErrDeadlineExceeded
			})
		}
		wantState(t, b, breaker.Closed)
	})
}

// frozen is a context whose timer never gets to run.
type frozen struct {
	context.Context
	deadline time.Time
}

func (f frozen) Deadline() (time.Time, bool) { return f.deadline, true }

func TestDeadContextIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, cancel := context.WithCancel(t.Context())
		cancel()
		b := breaker.New(breaker.Options{})
		for _, phase := range []string{"closed", "open", "half-open"} {
			err := b.Run(dead, 0, func(context.Context) error { t.Errorf("%s: sent", phase); return nil })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, want the caller's own error", phase, err)
			}
			if phase == "closed" {
				fail(t, b, 4)
			} else {
				time.Sleep(b.RetryAfter())
			}
		}
		if !sent(t.Context(), b, nil) {
			t.Error("the dead caller took the probe's slot")
		}
	})
}

// Slow is a failure exactly from the budget on, whether the function heeds its context or not.
func TestBudget(t *testing.T) {
	sleep := func(d time.Duration) func(context.Context) error {
		return func(context.Context) error { time.Sleep(d); return nil }
	}
	heed := func(d time.Duration) func(context.Context) error {
		return func(ctx context.Context) error {
			select {
			case <-time.After(d):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	tests := []struct {
		name  string
		fn    func(context.Context) error
		calls int
		took  time.Duration // each call
		trips uint64
	}{
		{"below", sleep(900 * time.Millisecond), 1000, 900 * time.Millisecond, 0},
		{"above, heeded", heed(1100 * time.Millisecond), 4, time.Second, 1},
		{"above, not heeded", sleep(1100 * time.Millisecond), 4, 1100 * time.Millisecond, 1},
		{"hangs", heed(time.Hour), 4, time.Second, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := breaker.New(breaker.Options{Classify: classify})
				for i := range tt.calls {
					wantState(t, b, breaker.Closed)
					start := time.Now()
					_ = b.Run(t.Context(), time.Second, tt.fn)
					if took := time.Since(start); took != tt.took {
						t.Fatalf("call %d took %v, want %v", i+1, took, tt.took)
					}
				}
				if s := b.Status(); s.Trips != tt.trips {
					t.Errorf("%d trips, want %d", s.Trips, tt.trips)
				}
			})
		})
	}
}

// A caller that leaves after the budget does not excuse a dependency that was too slow before.
func TestBudgetBeforeCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{})
		for range 4 {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			_ = b.Run(ctx, time.Second, func(context.Context) error {
				time.Sleep(3 * time.Second)
				return os.ErrDeadlineExceeded
			})
			cancel()
		}
		wantState(t, b, breaker.Open)
	})
}

// The inner breaker of two knows that the budget which ended is not its own.
func TestNestedBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outer, inner := breaker.New(breaker.Options{}), breaker.New(breaker.Options{})
		for range 4 {
			_ = outer.Run(t.Context(), time.Second, func(ctx context.Context) error {
				return inner.Run(ctx, 2*time.Second, func(ctx context.Context) error {
					<-ctx.Done()
					return ctx.Err()
				})
			})
		}
		wantState(t, outer, breaker.Open)
		wantState(t, inner, breaker.Closed)
	})
}

func TestErrBudgetIsATimeout(t *testing.T) {
	var timeout interface{ Timeout() bool }
	if !errors.Is(breaker.ErrBudget, context.DeadlineExceeded) || !errors.As(breaker.ErrBudget, &timeout) || !timeout.Timeout() {
		t.Error("ErrBudget must look like any other timeout")
	}
	if errors.Is(context.DeadlineExceeded, breaker.ErrBudget) {
		t.Error("a caller's deadline must not look like a budget")
	}
}
