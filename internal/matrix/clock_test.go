package matrix_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
	"github.com/holdfast-flags/holdfast/internal/sabotage"
)

// TestClocks: the wall clocks of machines that share a cache are an hour apart, or one
// of them has been set, while the origins are down. What a process holds is as old as
// its own monotonic clock says, and its breaker keeps its times.
func TestClocks(t *testing.T) {
	for _, wrong := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(wrong.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := rig.New(t, rig.Options{})
				c := warm(h, rig.ClientOptions{})
				h.Primary.Set(rig.Refused)
				h.Secondary.Set(rig.Refused)
				began := time.Now()
				aging(t, h, c, wrong)
				cooldowns(t, c)
				cold := h.Client(rig.ClientOptions{})
				age := time.Since(began)
				if st := cold.Status(); !cold.Current() || st.Freshness != flags.FreshnessStale || st.Age < age {
					t.Errorf("a process that starts has %v, %v, %v old, which is %v old", st.Token, st.Freshness, st.Age, age)
				}
				h.Primary.Set(rig.Healthy)
				for _, c := range []*rig.Client{c, cold} {
					c.Await(gate, "the primary again", func() bool { return c.Streaming() && c.From("primary") })
				}
				matrix.Tally(t, "F28", 1, 0)
			})
		})
	}
}

// aging lets ten minutes pass, in which the cache says again and again that it has
// what another clock calls new or old. Ages follow our own, and freshness ends when it should.
func aging(t *testing.T, h *rig.House, c *rig.Client, wrong time.Duration) {
	t.Helper()
	const lasts = 54 * time.Second // TTL less margin
	began, age := time.Now(), c.Status().Age
	confirmed := began.Add(-age)
	for time.Since(began) < 10*time.Minute {
		h.Cache.Stamp(time.Now().Add(wrong))
		rig.Wait(500 * time.Millisecond)
		st := c.Status()
		if st.Age != time.Since(confirmed) {
			t.Fatalf("said to be %v old, is %v", st.Age, time.Since(confirmed))
		}
		if fresh := st.Freshness == flags.FreshnessFresh; fresh && st.Age > lasts+time.Second || !fresh && st.Age < lasts-time.Second {
			t.Fatalf("%v after %v", st.Freshness, st.Age)
		}
	}
}

// cooldowns: the breaker of the primary opened after four failures, for 15, 30, 60, 60 ... s.
func cooldowns(t *testing.T, c *rig.Client) {
	t.Helper()
	wantOpened(t, c, "primary", 4)
	trips, want := c.Trips("primary"), 15*time.Second
	for i, trip := range trips {
		if trip.Cooldown < want || trip.Cooldown > want+want/10 {
			t.Errorf("trip %d for %v, want %v", i+1, trip.Cooldown, want)
		}
		if i > 0 {
			if gap := trip.At.Sub(trips[i-1].At) - trips[i-1].Cooldown; gap < 0 || gap > 2*time.Second {
				t.Errorf("trip %d came %v after the cooldown before it", i+1, gap)
			}
		}
		want = min(2*want, time.Minute)
	}
	if len(trips) < 10 {
		t.Errorf("%d trips in ten minutes", len(trips))
	}
}

// ageless: where ages begin when something arrives, an hour that a clock is behind is
// forgotten, and what nobody has confirmed for ten minutes is fresh. It returns for how many of them.
func ageless(_ *testing.T, h *rig.House) (minutes int) {
	c := warm(h, rig.ClientOptions{Lenient: true, Without: sabotage.Guards{Age: true}})
	h.Primary.Set(rig.Refused)
	h.Secondary.Set(rig.Refused)
	rig.Wait(time.Minute)
	for range 10 {
		h.Cache.Stamp(time.Now().Add(-time.Hour))
		rig.Wait(time.Minute)
		if c.Status().Freshness == flags.FreshnessFresh {
			minutes++
		}
	}
	return minutes
}
