package flags_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/flags"
)

// cacheFault is a real cache that can be switched off.
type cacheFault struct {
	layer atomic.Pointer[cachestrategy.Layer]
	down  atomic.Bool
}

func (c *cacheFault) Head(ctx context.Context, set string) (flags.Head, error) {
	if c.down.Load() {
		return flags.Head{}, refuse(ctx, "head")
	}
	return c.layer.Load().Head(ctx, set)
}

func (c *cacheFault) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	if c.down.Load() {
		return flags.Update{}, refuse(ctx, "fetch")
	}
	return c.layer.Load().Fetch(ctx, set, have)
}

func (c *cacheFault) Put(ctx context.Context, u flags.Update, full func() *flags.Checkpoint) error {
	if c.down.Load() {
		return refuse(ctx, "put")
	}
	return c.layer.Load().Put(ctx, u, full)
}

func withCache(c *cacheFault) rung {
	return func(_ *testing.T, _ *ladder, o *flags.Options) {
		o.Cache = flags.Layer{Source: c, Sink: c, Gate: newGate("cache", nil)}
	}
}

func newCache(t *testing.T) *cacheFault {
	m := memorycache.New(nil)
	t.Cleanup(func() { closed(t, m) })
	c := &cacheFault{}
	c.layer.Store(layerOf(m))
	return c
}

func layerOf(m *memorycache.Cache) *cachestrategy.Layer {
	return cachestrategy.NewLayer(m, &cachestrategy.LayerOptions{Authoritative: func(flags.Lineage) bool { return true }})
}

func (l *ladder) cached(t *testing.T, c *cacheFault) bool {
	h, err := c.layer.Load().Head(t.Context(), "default")
	return err == nil && h.Token() == l.Token(t.Context())
}

// The layers die one after the other, and come back one after the other; at every
// step somebody serves, nothing fails and nothing goes back.
func TestLayersDieAndRecover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(t)
		l := climb(t, withCache(cache), withDisk(t.TempDir()))
		write := func(text string) {
			apply(t, l.primary.store, flags.OpChange, putFlag("beta", text))
			mirror(t, l.primary.store, l.secondary.store)
		}
		write(onFlag)
		waitFor(t, time.Second, "toggle", l.on)
		waitFor(t, time.Second, "cache", func() bool { return l.cached(t, cache) })

		cache.down.Store(true)
		write(switchFlag)
		waitFor(t, time.Second, "toggle without cache", func() bool { return !l.on() })

		l.primary.set(refuse)
		write(onFlag)
		waitFor(t, 12*time.Second, "toggle through the secondary", l.on)
		wantLayer(t, l.Client, "secondary", 4, flags.FreshnessFresh)

		l.secondary.set(refuse)
		time.Sleep(2 * time.Minute)
		wantLayer(t, l.Client, "secondary", 4, flags.FreshnessStale)

		l.secondary.set(nil)
		waitFor(t, 70*time.Second, "secondary again", func() bool {
			return l.BoolDetails(t.Context(), "beta", anyone, false).Freshness == flags.FreshnessFresh
		})
		wantLayer(t, l.Client, "secondary", 4, flags.FreshnessFresh)

		write(switchFlag)
		l.primary.set(nil)
		waitFor(t, 70*time.Second, "primary again", l.streaming)
		waitFor(t, time.Second, "toggle through the primary", func() bool { return !l.on() })

		cache.down.Store(false)
		waitFor(t, 70*time.Second, "cache filled again", func() bool { return l.cached(t, cache) })
		for _, s := range l.Status().Layers {
			if s.Breaker != flags.GateClosed {
				t.Errorf("%s: breaker is %v", s.Name, s.Breaker)
			}
		}
		l.check(t)
	})
}

// A cache that knows the set saves the primary from sending it, and a cache alone
// is enough to start with.
func TestCacheAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(t)
		first := climb(t, withCache(cache))
		waitFor(t, time.Second, "cache", func() bool { return first.cached(t, cache) })

		sent := 0
		again := climb(t, withCache(cache), func(t *testing.T, l *ladder, _ *flags.Options) {
			closed(t, l.primary.store)
			l.primary.store = first.primary.store
			l.primary.bendBy(func(u flags.Update) flags.Update {
				if u.Checkpoint != nil {
					sent++
				}
				return u
			})
		})
		waitFor(t, time.Second, "stream", func() bool { return again.layer() == "primary" })
		if sent != 0 {
			t.Errorf("the primary sent the whole set %d times", sent)
		}

		alone := open(t, flags.Options{Cache: flags.Layer{Source: cache}})
		wantLayer(t, alone, "cache", 1, flags.FreshnessFresh)
		time.Sleep(10 * time.Minute)
		wantLayer(t, alone, "cache", 1, flags.FreshnessFresh) // the others keep it alive, and it is looked at
		first.check(t)
		again.check(t)
	})
}

// An entry that everybody has lost is written again while nothing changes.
func TestCacheIsRefilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(t)
		l := climb(t, withCache(cache))
		waitFor(t, time.Second, "cache", func() bool { return l.cached(t, cache) })
		m := memorycache.New(nil)
		t.Cleanup(func() { closed(t, m) })
		cache.layer.Store(layerOf(m)) // flushed
		waitFor(t, time.Minute, "refill", func() bool { return l.cached(t, cache) })
	})
}

// A stream that is open and does not begin keeps nobody waiting, not even a process that
// has something old to answer from; what it brings late is taken all the same.
func TestStreamBeginsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first := climb(t, withDisk(dir))
		closed(t, first.Client)
		again := climb(t, withDisk(dir), func(t *testing.T, l *ladder, _ *flags.Options) {
			closed(t, l.primary.store)
			closed(t, l.secondary.store)
			l.primary.store, l.secondary.store = first.primary.store, first.secondary.store
			apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
			mirror(t, l.primary.store, l.secondary.store)
			l.primary.bendBy(func(u flags.Update) flags.Update { time.Sleep(20 * time.Second); return u })
		})
		wantLayer(t, again.Client, "disk", 1, flags.FreshnessStale)
		waitFor(t, 7*time.Second, "secondary", func() bool { return again.layer() == "secondary" && again.on() })
		time.Sleep(20 * time.Second)
		began := time.Now()
		time.Sleep(30 * time.Second)
		if n := again.secondary.count("head", began); n > 1 { // one to try it out
			t.Errorf("the secondary was asked %d times though the stream serves", n)
		}
		again.check(t)
	})
}
