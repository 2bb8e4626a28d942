package rediscache_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
)

// An expired entry stays readable until the hard bound, and the floor beyond it.
func TestHardBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, o := virtual(t)
		c := open(t, "redis://virtual", &o)
		at := func(r uint64) cachestrategy.Offer {
			x := offer()
			x.Head.Revision, x.Checkpoint = r, &flags.Checkpoint{Head: x.Head}
			x.Checkpoint.Revision = r
			return x
		}
		want := func(r uint64, want cachestrategy.Outcome) {
			t.Helper()
			if got, err := c.Put(t.Context(), at(r)); err != nil || got != want {
				t.Fatalf("put of revision %d: %v, %v; want %v", r, got, err, want)
			}
		}
		want(7, cachestrategy.Stored)
		time.Sleep(24*time.Hour - time.Minute)
		e, err := c.Get(t.Context(), cachestrategy.Query{Set: "shop"})
		if err != nil || e.Usable(time.Now()) || time.Since(e.AsOf) < 24*time.Hour-2*time.Minute {
			t.Fatalf("after a day: %+v, %v", e, err)
		}
		time.Sleep(2 * time.Minute)
		if err := get(t, c); !errors.Is(err, cachestrategy.ErrMiss) {
			t.Fatalf("beyond the hard bound: %v, want a miss", err)
		}
		want(6, cachestrategy.Older) // a writer that slept for a day
		want(7, cachestrategy.Stored)
	})
}

// An entry from a machine whose clock is ahead is no younger than now; where it is far
// ahead, nobody can tell how old the entry is.
func TestClockAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, o := virtual(t)
		c := open(t, "redis://virtual", &o)
		for ahead, want := range map[time.Duration]time.Duration{
			time.Second: 0, time.Second + time.Millisecond: cachestrategy.UnknownAge, time.Hour: cachestrategy.UnknownAge,
		} {
			x := offer()
			x.Head.Set = ahead.String()
			x.Checkpoint = &flags.Checkpoint{Head: x.Head}
			x.AsOf = time.Now().Add(ahead)
			if _, err := c.Put(t.Context(), x); err != nil {
				t.Fatal(err)
			}
			e, err := c.Get(t.Context(), cachestrategy.Query{Set: x.Head.Set})
			if age := time.Since(e.AsOf); err != nil || age != want || e.Usable(time.Now()) != (want == 0) || e.Usable(time.Now().Add(time.Minute)) {
				t.Errorf("%v ahead: %v old, want %v; %+v, %v", ahead, age, want, e, err)
			}
		}
	})
}

var _ cachestrategy.Strategy = (*rediscache.Cache)(nil)
