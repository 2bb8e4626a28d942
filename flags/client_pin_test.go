package flags_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// pairOf is a commit's worth of changes that belong together: two flags and an override.
func pairOf(n int) []flags.Mutation {
	number := fmt.Sprintf(`{"defaultVariant":"n","state":"ENABLED","variants":{"n":%d,"own":-%d}}`, n, n)
	return []flags.Mutation{putFlag("left", number), putFlag("right", number), putOverride("right", "tenant-7", []string{"n", "own"}[n%2])}
}

// apart reads what was written together, with time to spare in between.
func apart(ctx context.Context, c *flags.Client) bool {
	pause := func() { time.Sleep(time.Millisecond) }
	left := c.Int(ctx, "left", anyone, 0)
	pause()
	right := c.Int(ctx, "right", anyone, 0)
	pause()
	own := c.Int(ctx, "right", flags.Entity("tenant-7"), 0)
	pause()
	both := c.GetFlags(ctx, anyone, "left", "right")
	first, _ := both[0].Value.Int()
	second, _ := both[1].Value.Int()
	if left%2 == 1 {
		own = -own
	}
	return left != right || left != own || left != first || left != second
}

// What one commit wrote, overrides included, a request sees together or not at all,
// while four writers write; without the pin it does not.
func TestCommitsAreNotTorn(t *testing.T) {
	twins(t, flags.WithoutPinGuard, func(t *testing.T, guard rung) (violated bool) {
		l := climb(t, guard)
		apply(t, l.primary.store, flags.OpChange, pairOf(1)...)
		waitFor(t, time.Second, "the pair", func() bool { return l.Int(t.Context(), "left", anyone, 0) == 1 })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var writing sync.WaitGroup
		for w := range 4 {
			writing.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					apply(t, l.primary.store, flags.OpChange, pairOf(10+4*i+w)...)
					time.Sleep(time.Duration(w+1) * 700 * time.Microsecond)
				}
			})
		}
		for range 100 {
			violated = apart(l.Pin(ctx), l.Client) || violated
		}
		cancel()
		writing.Wait()
		return violated
	})
}

// The same without virtual time, so that the race detector sees readers and writers at once.
func TestViewsAreNotTorn(t *testing.T) {
	s := memstore.New(nil)
	defer closed(t, s)
	create(t, s)
	apply(t, s, flags.OpChange, pairOf(1)...)
	c := open(t, flags.Options{Primary: flags.Layer{Source: s, Watcher: s}})
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	torn := make([]int, 4)
	for r := range torn {
		readers.Go(func() {
			for ctx.Err() == nil {
				view := c.View(ctx)
				left, right := view.Int("left", anyone, 0), view.Int("right", anyone, 0)
				if own := view.Int("right", flags.Entity("tenant-7"), 0); left != right || own != left && own != -left {
					torn[r]++
				}
			}
		})
	}
	for n := range 500 {
		apply(t, s, flags.OpChange, pairOf(n+2)...)
	}
	cancel()
	readers.Wait()
	for r, n := range torn {
		if n > 0 {
			t.Errorf("reader %d saw %d torn commits", r, n)
		}
	}
}

// A pin stays whatever is demanded later; only Fresh, which a pin cannot meet, drops it.
func TestPinAndDemands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		held := l.Token(t.Context())
		ctx := l.Pin(t.Context())
		written := write(t, l.primary.store, putFlag("beta", onFlag))
		waitFor(t, time.Second, "toggle", l.on)
		began := time.Now()
		for name, tt := range map[string]struct {
			ctx  context.Context
			on   bool
			want flags.Freshness
		}{
			"pinned":                      {ctx, false, flags.FreshnessFresh},
			"a version that the pin has":  {flags.AtLeast(ctx, held), false, flags.FreshnessFresh},
			"a newer one":                 {flags.AtLeast(ctx, written), false, flags.FreshnessNotFresh},
			"a pin past an unmet demand":  {l.Pin(flags.AtLeast(ctx, written)), false, flags.FreshnessNotFresh},
			"a pin made for the demand":   {l.Pin(flags.AtLeast(t.Context(), written)), true, flags.FreshnessFresh},
			"the primary's word":          {flags.Fresh(ctx), true, flags.FreshnessFresh},
			"a pin on the primary's word": {l.Pin(flags.Fresh(ctx)), true, flags.FreshnessFresh},
		} {
			d := l.BoolDetails(tt.ctx, "beta", anyone, false)
			if d.Value != tt.on || d.Freshness != tt.want {
				t.Errorf("%s: %v, %v", name, d.Value, d.Freshness)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("reads of pins waited %v", took)
		}
		if n := l.primary.count("head", began); n != 2 {
			t.Errorf("%d questions, want those of the two Fresh", n)
		}
		if got := l.Token(flags.AtLeast(ctx, written)); got != written {
			t.Errorf("a pinned context that demands %v hands on %v", written, got)
		}
	})
}
