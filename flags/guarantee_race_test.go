package flags_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// latch holds whoever passes until it is opened.
type latch chan struct{}

func (l latch) pass(ctx context.Context) {
	select {
	case <-l:
	case <-ctx.Done():
	}
}

// slowCache is a shared cache that answers late: what is read there at one instant
// arrives at another.
type slowCache struct {
	store  *memstore.Store // what it has
	answer latch
}

func (c slowCache) Head(ctx context.Context, set string) (flags.Head, error) {
	return c.store.Head(ctx, set)
}

func (c slowCache) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	u, err := c.store.Fetch(ctx, set, have)
	c.answer.pass(ctx)
	return u, err
}

// The steps of a process that fills its memory from a shared cache, and of a writer.
const (
	readCache  = "the cache is read"
	fillMemory = "what was read arrives"
	commits    = "the writer commits"
	stream     = "the stream tells"
	fillCache  = "the cache has the commit"
)

// interleavings returns every order of the steps in which each comes after what it follows.
func interleavings(done []string, left []string) (all [][]string) {
	after := map[string]string{fillMemory: readCache, stream: commits, fillCache: commits}
	if len(left) == 0 {
		return [][]string{append([]string(nil), done...)}
	}
	for i, step := range left {
		rest := append(append([]string(nil), left[:i]...), left[i+1:]...)
		if before := after[step]; before == "" || !strings.Contains(strings.Join(rest, "|"), before) {
			all = append(all, interleavings(append(done, step), rest)...)
		}
	}
	return all
}

// race is a process and a writer, one step at a time.
type race struct {
	t              *testing.T
	origin, shared *memstore.Store
	told, answered latch
	sabotage       func(flags.Options) flags.Options

	client *flags.Client
	seen   flags.Version
	acked  flags.Token
	older  int
}

func (r *race) do(step string) {
	switch step {
	case readCache:
		primary := newFault(r.origin)
		primary.bendBy(func(u flags.Update) flags.Update { r.told.pass(r.t.Context()); return u })
		o := flags.Options{
			StartTimeout: -1,
			Primary:      flags.Layer{Source: primary, Watcher: primary},
			Cache:        flags.Layer{Source: slowCache{r.shared, r.answered}},
		}
		if r.sabotage != nil {
			o = r.sabotage(o)
		}
		r.client = open(r.t, o)
	case fillMemory:
		close(r.answered)
	case commits:
		c := apply(r.t, r.origin, flags.OpChange, putFlag("beta", onFlag))
		r.acked = c.Head().Token()
	case stream:
		close(r.told)
	case fillCache:
		mirror(r.t, r.origin, r.shared)
	}
	time.Sleep(time.Second) // everything that can happen, does
	if r.client == nil {
		return
	}
	v := r.client.Token(r.t.Context()).Version
	if v.Before(r.seen) {
		r.older++
	}
	r.seen = v
	if d := r.client.BoolDetails(flags.AtLeast(r.t.Context(), r.acked), "beta", anyone, false); d.Freshness != flags.FreshnessNotFresh && d.Token().Before(r.acked.Version) {
		r.older++
	}
}

// TestTwoLevelCache: a process fills its memory from a shared cache while a writer
// commits, in every order that there is. An older version never replaces a newer one, and the
// read that carries the token of the commit never gets the older one for good.
func TestTwoLevelCache(t *testing.T) {
	orders := interleavings(nil, []string{readCache, fillMemory, commits, stream, fillCache})
	run := func(t *testing.T, sabotage func(flags.Options) flags.Options) (older int) {
		for _, order := range orders {
			synctest.Test(t, func(t *testing.T) {
				r := &race{t: t, sabotage: sabotage, origin: memstore.New(nil), shared: memstore.New(nil), told: make(latch), answered: make(latch)}
				t.Cleanup(func() { closed(t, r.origin); closed(t, r.shared) })
				create(t, r.origin)
				mirror(t, r.origin, r.shared)
				for _, step := range order {
					r.do(step)
				}
				if v := r.client.Token(t.Context()); sabotage == nil && v != r.acked {
					t.Errorf("in the end at %v, not at %v, after: %v", v, r.acked, order)
				}
				if r.older > 0 && sabotage == nil {
					t.Errorf("%d older answers, after: %v", r.older, order)
				}
				older += r.older
			})
		}
		return older
	}
	t.Run("guarded", func(t *testing.T) {
		run(t, nil)
		matrix.Tally(t, "G5", len(orders), 0)
		if len(orders) != 20 {
			t.Errorf("%d orders, want 20", len(orders))
		}
	})
	t.Run("sabotaged", func(t *testing.T) {
		if run(t, flags.WithoutVersionGuard) == 0 {
			t.Error("without the guard nothing older was seen: this test could not notice")
		}
	})
}
