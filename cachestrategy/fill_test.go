package cachestrategy_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// distant is a store whose answers take 20 ms, counted.
type distant struct {
	store.Store
	fetches atomic.Int32
}

func (d *distant) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	d.fetches.Add(1)
	time.Sleep(20 * time.Millisecond)
	return d.Store.Fetch(ctx, set, have)
}

func origin(t *testing.T) *distant {
	t.Helper()
	d := &distant{Store: memstore.New(nil)}
	apply(t, d, flags.OpCreate)
	return d
}

func apply(t *testing.T, d *distant, op flags.Op) flags.Head {
	t.Helper()
	c, err := d.Apply(t.Context(), flags.Commit{
		Set: "shop", Op: op, ID: flags.NewCommitID(), Actor: flags.Actor{Kind: "user", ID: "ana", Via: "test"},
		Changes: []flags.Mutation{{
			Key:   flags.FlagKey(op.String()),
			Bytes: []byte(`{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Head()
}

// readers has clients of a process read at once, each with its own source over one filler.
func readers(t *testing.T, n int, f *cachestrategy.Filler, d *distant, want flags.Head) {
	t.Helper()
	var group sync.WaitGroup
	for range n {
		source := f.Source(d)
		group.Go(func() {
			u, err := source.Fetch(t.Context(), "shop", flags.Head{})
			if err != nil || !cachestrategy.SameHead(u.Head, want) || u.Checkpoint == nil {
				t.Errorf("Fetch: %+v, %v; want %s", u, err, want.Token())
			}
		})
	}
	group.Wait()
}

// fetches returns how often the origin is asked by ten clients, cold and after the
// entry has run out.
func fetches(t *testing.T, filler func(*cachestrategy.Layer) *cachestrategy.Filler) (cold, expired int32) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cache := memorycache.New(nil)
		defer func() { _ = cache.Close() }()
		d := origin(t)
		defer func() { _ = d.Close() }()
		f := filler(cachestrategy.NewLayer(cache, nil))
		head, err := d.Head(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		readers(t, 10, f, d, head)
		readers(t, 10, f, d, head)
		cold = d.fetches.Swap(0)
		head = apply(t, d, flags.OpChange)
		time.Sleep(54 * time.Second) // 60 s less the margin
		readers(t, 10, f, d, head)
		readers(t, 10, f, d, head)
		expired = d.fetches.Load()
	})
	return cold, expired
}

func TestTenClientsOneRead(t *testing.T) {
	if cold, expired := fetches(t, cachestrategy.NewFiller); cold != 1 || expired != 1 {
		t.Errorf("the origin was read %d times cold and %d times after expiry, want 1 and 1", cold, expired)
	}
}

func TestTenClientsUnorderedTwin(t *testing.T) {
	if cold, expired := fetches(t, cachestrategy.Unordered); cold == 1 || expired == 1 {
		t.Errorf("without turns the origin was read %d and %d times: the test shows nothing", cold, expired)
	}
}

func TestFillWithoutCache(t *testing.T) {
	cache := memorycache.New(nil)
	if err := cache.Close(); err != nil {
		t.Fatal(err)
	}
	d := origin(t)
	defer func() { _ = d.Close() }()
	s := cachestrategy.NewFiller(cachestrategy.NewLayer(cache, nil)).Source(d)
	if u, err := s.Fetch(t.Context(), "shop", flags.Head{}); err != nil || u.Checkpoint == nil {
		t.Errorf("Fetch with the cache closed: %+v, %v", u, err)
	}
	if _, err := s.Head(t.Context(), "absent"); flags.ClassOf(err) != flags.ClassNotFound {
		t.Errorf("Head of an absent set: %v", err)
	}
}

// A reader that is ahead of a usable entry is not sent back to it.
func TestFillFloor(t *testing.T) {
	cache := memorycache.New(nil)
	defer func() { _ = cache.Close() }()
	d := origin(t)
	defer func() { _ = d.Close() }()
	s := cachestrategy.NewFiller(cachestrategy.NewLayer(cache, nil)).Source(d)
	if _, err := s.Fetch(t.Context(), "shop", flags.Head{}); err != nil {
		t.Fatal(err)
	}
	have := apply(t, d, flags.OpChange)
	if u, err := s.Fetch(t.Context(), "shop", have); err != nil || u.Head.Version != have.Version || u.Checkpoint != nil {
		t.Errorf("a reader at %s: %+v, %v", have.Token(), u, err)
	}
}

// After more commits than a cache puts on top of a checkpoint it has to be given
// the whole set, or its readers would all go to the origin from then on.
func TestFillBeyondTheTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := memorycache.New(nil)
		defer func() { _ = cache.Close() }()
		d := origin(t)
		defer func() { _ = d.Close() }()
		f := cachestrategy.NewFiller(cachestrategy.NewLayer(cache, nil))
		head, err := d.Head(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		readers(t, 1, f, d, head)
		for range 300 {
			head = apply(t, d, flags.OpChange)
		}
		time.Sleep(54 * time.Second)
		readers(t, 1, f, d, head)
		before := d.fetches.Load()
		readers(t, 10, f, d, head)
		if asked := d.fetches.Load() - before; asked != 0 {
			t.Errorf("the cache was not filled: the origin was asked %d times more", asked)
		}
	})
}
