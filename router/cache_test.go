package router_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// TestFlushedCacheIsRefilled: a cache that has lost everything has it again within one
// period of renewal, though nothing has changed.
func TestFlushedCacheIsRefilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		head := create(t, mem, "shop")
		cache := memorycache.New(nil)
		layer := cachestrategy.NewLayer(cache, &cachestrategy.LayerOptions{Origin: true})
		r := serve(t, router.Options{Store: mem, Caches: []router.Cache{{Name: "memory:", Sink: layer}}})
		time.Sleep(30 * time.Second)
		if err := cache.Invalidate(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		if _, err := layer.Head(t.Context(), "shop"); !errors.Is(err, cachestrategy.ErrMiss) {
			t.Fatalf("after the flush: %v", err)
		}
		time.Sleep(21 * time.Second)
		if got, err := layer.Head(t.Context(), "shop"); err != nil || got != head {
			t.Errorf("the cache has %s, %v; want %s", got.Token(), err, head.Token())
		}
		r.stop()
		_ = cache.Close()
	})
}

// TestCachePoisoned: what somebody else put at the version that the router has is
// replaced by what the router has. Without the right of the origin it stays.
func TestCachePoisoned(t *testing.T) {
	for _, origin := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			mem := memstore.New(nil)
			head := create(t, mem, "shop")
			cache := memorycache.New(nil)
			lie := head
			lie.Digest, lie.Count = flags.EntryHash(flags.FlagKey("x"), nil), head.Count+1
			if _, err := cache.Put(t.Context(), cachestrategy.Offer{Update: flags.Update{Head: lie, Checkpoint: &flags.Checkpoint{Head: lie}}}); err != nil {
				t.Fatal(err)
			}
			layer := cachestrategy.NewLayer(cache, &cachestrategy.LayerOptions{
				Authoritative: func(flags.Lineage) bool { return true }, Origin: origin,
			})
			r := serve(t, router.Options{Store: mem, Caches: []router.Cache{{Name: "memory:", Sink: layer}}})
			time.Sleep(30 * time.Second)
			got, err := layer.Head(t.Context(), "shop")
			if err != nil || (got == head) != origin {
				t.Errorf("origin %t: the cache has digest %s, %v", origin, got.Digest, err)
			}
			r.stop()
			_ = cache.Close()
		})
	}
}
