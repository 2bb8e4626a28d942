package breaker_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
)

// tripped returns a breaker whose first cooldown is just over.
func tripped(t *testing.T, o breaker.Options) *breaker.Breaker {
	t.Helper()
	b := breaker.New(o)
	fail(t, b, 4)
	time.Sleep(17 * time.Second)
	return b
}

// crowd sends n callers at once and returns how many were let through to a dependency that takes 10 ms to fail.
func crowd(t *testing.T, b *breaker.Breaker, n int) int64 {
	var through atomic.Int64
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			err := b.Run(t.Context(), time.Second, func(context.Context) error {
				through.Add(1)
				time.Sleep(10 * time.Millisecond)
				return errDown
			})
			if err == nil {
				t.Error("a call succeeded")
			}
		})
	}
	wg.Wait()
	return through.Load()
}

func TestOneProbeForACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{Jitter: -1})
		fail(t, b, 4)
		for i, cooldown := range []time.Duration{15, 30, 60, 60, 60} {
			time.Sleep(cooldown*time.Second - 10*time.Millisecond)
			if n := crowd(t, b, 1000); n != 0 {
				t.Fatalf("window %d: %d calls sent during the cooldown", i, n)
			}
			time.Sleep(10 * time.Millisecond)
			if n := crowd(t, b, 1000); n != 1 {
				t.Fatalf("window %d: %d probes, want 1", i, n)
			}
		}
		if s := b.Status(); s.Refused < 5*1999 || s.InARow != 9 {
			t.Errorf("got %+v, want every other call refused and 9 failures in a row", s)
		}
	})
}

// With more slots and no gate the crowd gets through.
func TestOneProbeForACrowdSabotaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := tripped(t, breaker.Options{}.NoGate().Slots(1000))
		if n := crowd(t, b, 1000); n < 2 {
			t.Errorf("%d probes with the guard switched off, want many", n)
		}
	})
}

// However a probe ends, its slot is free by the end of its budget and the next cooldown is the longer one.
func TestBadProbeFreesItsSlot(t *testing.T) {
	tests := map[string]func(release chan struct{}) func(context.Context) error{
		"fails": func(chan struct{}) func(context.Context) error { return answer(errDown) },
		"hangs": func(r chan struct{}) func(context.Context) error {
			return func(context.Context) error { <-r; return nil }
		},
		"heeds its budget": func(chan struct{}) func(context.Context) error {
			return func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		},
		"panics": func(chan struct{}) func(context.Context) error {
			return func(context.Context) error { panic("bad frame") }
		},
		"exits": func(chan struct{}) func(context.Context) error {
			return func(context.Context) error { runtime.Goexit(); return nil }
		},
	}
	for name, probe := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				trips := make(chan breaker.Trip, 8)
				b := tripped(t, breaker.Options{Jitter: -1, OnTrip: func(trip breaker.Trip) { trips <- trip }})
				<-trips
				release := make(chan struct{})
				ended := launch(func() { _ = b.Run(t.Context(), time.Second, probe(release)) })

				start := time.Now()
				trip := <-trips
				if took := time.Since(start); took > time.Second {
					t.Errorf("slot taken for %v, want at most the budget", took)
				}
				if !trip.Probe || trip.Cooldown != 30*time.Second || trip.Failures != 5 || trip.Err == nil {
					t.Errorf("got %+v, want a failed probe, 5 failures, 30 s", trip)
				}
				time.Sleep(30 * time.Second)
				if !sent(t.Context(), b, nil) {
					t.Error("next probe refused")
				}
				close(release)
				<-ended
				wantState(t, b, breaker.Closed)
			})
		})
	}
}

// launch runs fn on a goroutine and survives its panic. The channel is closed when it has ended.
func launch(fn func()) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { _ = recover() }()
		fn()
	}()
	return ended
}

// A hung probe wedges a breaker whose slot is held until its function returns.
func TestHungProbeSabotaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := tripped(t, breaker.Options{}.KeepSlot())
		release := make(chan struct{})
		ended := launch(func() {
			_ = b.Run(t.Context(), time.Second, func(context.Context) error { <-release; return nil })
		})
		time.Sleep(24 * time.Hour)
		if sent(t.Context(), b, nil) {
			t.Error("a probe got through although the slot was held")
		}
		close(release)
		<-ended
	})
}

func TestPanicReachesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{})
		for i := range 5 {
			if i == 4 {
				time.Sleep(17 * time.Second) // the last one is the probe
			}
			var got any
			func() {
				defer func() { got = recover() }()
				_ = b.Run(t.Context(), 0, func(context.Context) error { panic("bad frame") })
			}()
			if got != "bad frame" {
				t.Fatalf("call %d: recovered %v", i+1, got)
			}
		}
		if s := b.Status(); s.Trips != 2 {
			t.Errorf("%d trips, want 2", s.Trips)
		}
	})
}

// An Ignored probe gives its slot back at once and does not lengthen the cooldown.
func TestIgnoredProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := tripped(t, breaker.Options{Jitter: -1, Classify: classify})
		for range 10 {
			if !sent(t.Context(), b, errDenied) {
				t.Fatal("slot not given back")
			}
			wantState(t, b, breaker.HalfOpen)
		}
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		ended := launch(func() {
			_ = b.Run(ctx, time.Second, func(context.Context) error { <-release; return nil })
		})
		synctest.Wait()
		if sent(t.Context(), b, nil) {
			t.Error("second probe while one is out")
		}
		if got := b.RetryAfter(); got != time.Second {
			t.Errorf("RetryAfter %v while a probe is out, want its budget", got)
		}
		cancel() // its caller leaves, though its function hangs
		synctest.Wait()
		if !sent(t.Context(), b, errDown) {
			t.Fatal("slot not given back by a cancelled probe")
		}
		if got := b.RetryAfter(); got != 30*time.Second {
			t.Errorf("cooldown %v after one failed probe, want 30 s", got)
		}
		close(release)
		<-ended
		wantState(t, b, breaker.Open) // the late success closes nothing
	})
}

func TestGoodProbeCloses(t *testing.T) {
	for _, err := range []error{nil, errNotFound} {
		synctest.Test(t, func(t *testing.T) {
			var closings []breaker.Closing
			b := tripped(t, breaker.Options{Classify: classify, OnClose: func(c breaker.Closing) { closings = append(closings, c) }})
			if !sent(t.Context(), b, errDown) {
				t.Fatal("probe refused")
			}
			time.Sleep(b.RetryAfter())
			if !sent(t.Context(), b, err) {
				t.Fatal("probe refused")
			}
			wantState(t, b, breaker.Closed)
			if len(closings) != 1 || closings[0].Probes != 2 || closings[0].OpenFor < 47*time.Second {
				t.Errorf("got %+v, want one closing after 2 probes and at least 47 s", closings)
			}
			if s := b.Status(); s.InARow != 0 || !s.OpenSince.IsZero() || s.RetryAfter != 0 {
				t.Errorf("got %+v, want no trace of the outage", s)
			}
		})
	}
}

// Results of calls that began in an earlier life of the breaker say nothing about this one.
func TestLateResultIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{})
		slow := func(d time.Duration, err error) <-chan struct{} {
			return launch(func() {
				_ = b.Run(t.Context(), 0, func(context.Context) error { time.Sleep(d); return err })
			})
		}
		success := slow(5*time.Second, nil)
		failures := []<-chan struct{}{slow(time.Minute, errDown), slow(time.Minute, errDown), slow(time.Minute, errDown), slow(time.Minute, errDown)}
		synctest.Wait()
		fail(t, b, 4)
		<-success
		wantState(t, b, breaker.Open)
		time.Sleep(17 * time.Second)
		if !sent(t.Context(), b, nil) {
			t.Fatal("probe refused")
		}
		for _, f := range failures {
			<-f
		}
		wantState(t, b, breaker.Closed)
	})
}

// A stream is never the probe, and its loss counts only while the breaker is closed.
func TestStreamSharesTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Options{Jitter: -1})
		open := func(err error) error { return b.RunIfClosed(t.Context(), answer(err)) }

		if err := open(nil); err != nil {
			t.Fatal(err)
		}
		b.Report(t.Context(), errDown) // lost
		if s := b.Status(); s.InARow != 1 {
			t.Fatalf("%d failures after one lost stream, want 1", s.InARow)
		}
		b.Report(t.Context(), nil) // another one delivers
		dead, cancel := context.WithCancel(t.Context())
		cancel()
		b.Report(dead, errDown) // closed by us
		if s := b.Status(); s.InARow != 0 || s.Ignored != 1 {
			t.Fatalf("got %+v, want the run ended and one ignored", s)
		}
		b.Report(t.Context(), errDown)
		for range 3 {
			if err := open(errDown); !errors.Is(err, errDown) {
				t.Fatalf("got %v, want the opening to be tried", err)
			}
		}
		wantState(t, b, breaker.Open)

		time.Sleep(15 * time.Second)
		wantState(t, b, breaker.HalfOpen)
		if err := open(nil); !errors.Is(err, breaker.ErrOpen) {
			t.Errorf("got %v, want the stream refused as a probe", err)
		}
		b.Report(t.Context(), errDown)
		b.Report(t.Context(), nil)
		wantState(t, b, breaker.HalfOpen)
		if !sent(t.Context(), b, nil) {
			t.Fatal("head read refused")
		}
		if err := open(nil); err != nil {
			t.Errorf("stream refused after a good probe: %v", err)
		}
	})
}

func hangUntil(release chan struct{}) func(context.Context) (int, error) {
	return func(context.Context) (int, error) { <-release; return 0, nil }
}
