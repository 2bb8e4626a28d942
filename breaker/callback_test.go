package breaker_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
)

// journal notes the callbacks of a breaker.
type journal struct {
	mu     sync.Mutex
	events []string
	trips  []time.Time
}

func (j *journal) options() breaker.Options {
	note := func(what string) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.events = append(j.events, what)
		if what != "close" {
			j.trips = append(j.trips, time.Now())
		}
	}
	return breaker.Options{
		OnTrip: func(trip breaker.Trip) {
			if trip.Probe {
				note("again")
			} else {
				note("trip")
			}
		},
		OnClose: func(breaker.Closing) { note("close") },
	}
}

// A dependency that is up and down every 200 ms, with 50 callers, for 5 minutes.
func TestFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		b := breaker.New(j.options())
		start := time.Now()
		flap := func(context.Context) error {
			if time.Since(start)/(200*time.Millisecond)%2 == 1 {
				return errDown
			}
			return nil
		}
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				for time.Since(start) < 5*time.Minute {
					_ = b.Run(t.Context(), time.Second, flap)
					time.Sleep(50 * time.Millisecond)
				}
			})
		}
		wg.Wait()
		for i := 1; i < len(j.trips); i++ {
			if gap := j.trips[i].Sub(j.trips[i-1]); gap < 15*time.Second {
				t.Errorf("trips %d and %d are %v apart, want at least 15 s", i, i+1, gap)
			}
		}
		if s := b.Status(); s.Trips < 5 || int(s.Trips) != len(j.trips) {
			t.Errorf("%d trips told of %d", len(j.trips), s.Trips)
		}
		for i, e := range j.events { // after an opening comes a closing or a failed probe, after a closing a trip
			if wasOpen := i > 0 && j.events[i-1] != "close"; wasOpen == (e == "trip") {
				t.Fatalf("event %d is %q in %q", i, e, j.events)
			}
		}
	})
}

// Callbacks may use the breaker: they run outside its locks, and what they cause is told after them.
func TestCallbackUsesTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		var b *breaker.Breaker
		b = breaker.New(breaker.Options{
			Jitter: -1,
			OnTrip: func(breaker.Trip) {
				got = append(got, fmt.Sprintf("trip %v %v", b.State(), b.RetryAfter()))
				if len(got) == 1 {
					time.Sleep(15 * time.Second)
					_ = b.Run(t.Context(), time.Second, answer(nil))
				}
				got = append(got, "trip told")
			},
			OnClose: func(c breaker.Closing) { got = append(got, fmt.Sprintf("close %v", c.OpenFor)) },
		})
		fail(t, b, 4)
		if want := []string{"trip open 15s", "trip told", "close 15s"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A callback that panics takes its own call down, and neither the breaker nor the next callback.
func TestCallbackPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := false
		b := breaker.New(breaker.Options{
			OnTrip:  func(breaker.Trip) { panic("bad logger") },
			OnClose: func(breaker.Closing) { closed = true },
		})
		fail(t, b, 3)
		var got any
		func() {
			defer func() { got = recover() }()
			_ = b.Run(t.Context(), 0, answer(errDown))
		}()
		time.Sleep(17 * time.Second)
		if !sent(t.Context(), b, nil) || got != "bad logger" || !closed {
			t.Errorf("recovered %v, closed %v, want the panic and then a normal life", got, closed)
		}
	})
}
