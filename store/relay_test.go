package store_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

// TestRelaySuite holds a relay to the contract of stores.
func TestRelaySuite(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		New: func(t testing.TB) store.Store {
			r := store.Relay(memstore.New(nil), memstore.New(nil), closedGate{})
			t.Cleanup(func() { _ = r.Close() })
			return r
		},
		Compact: func(t testing.TB, s store.Store, set string) {
			upstream, _ := s.(*store.Relayed).Unwrap().(*memstore.Store)
			if err := upstream.Compact(t.Context(), set, 10); err != nil {
				t.Fatal(err)
			}
		},
		Flags: 500, Commits: 100,
		Except: map[string]string{
			"reopen": "the journal is the upstream's; its own driver is held to this",
			"tamper": "the journal is the upstream's; its own driver is held to this",
		},
	})
}

// severed is a store that can be cut off; every call then has the same error.
type severed struct {
	store.Store
	err    atomic.Pointer[error]
	writes atomic.Int64
}

func (s *severed) cut(err error) { s.err.Store(&err) }

func (s *severed) fault() error {
	if err := s.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (s *severed) Head(ctx context.Context, set string) (flags.Head, error) {
	if err := s.fault(); err != nil {
		return flags.Head{}, err
	}
	return s.Store.Head(ctx, set)
}

func (s *severed) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	if err := s.fault(); err != nil {
		return flags.Update{}, err
	}
	return s.Store.Fetch(ctx, set, have)
}

func (s *severed) Sets(ctx context.Context) ([]flags.Head, error) {
	if err := s.fault(); err != nil {
		return nil, err
	}
	return s.Store.Sets(ctx)
}

func (s *severed) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	if err := s.fault(); err != nil {
		return nil, err
	}
	return s.Store.Commits(ctx, set, from, to, limit)
}

func (s *severed) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	s.writes.Add(1)
	return s.Store.Apply(ctx, c)
}

// relayed returns a relay that holds all but the newest of two commits of its upstream,
// which has told it of both.
func relayed(t *testing.T) (r *store.Relayed, upstream *severed, held *memstore.Store, older, newest flags.Head) {
	t.Helper()
	upstream = &severed{Store: newShop(t, put("a", flagOf(1)))}
	held = memstore.New(nil)
	c := apply(t, upstream.Store, commit("shop", put("a", flagOf(2))))
	older = c.Head()
	commits, err := upstream.Commits(t.Context(), "shop", flags.Version{}, older.Version, 0)
	if err == nil {
		err = held.Append(t.Context(), "shop", commits)
	}
	if err != nil {
		t.Fatal(err)
	}
	c = apply(t, upstream.Store, commit("shop", put("a", flagOf(3))))
	newest = c.Head()
	r = store.Relay(upstream, held, breaker.New(breaker.Options{}))
	t.Cleanup(func() { _ = r.Close() })
	if h, err := r.Head(t.Context(), "shop"); err != nil || h != newest {
		t.Fatalf("at %v, %v", h, err)
	}
	return r, upstream, held, older, newest
}

// TestRelayCutOff: without its upstream a relay reads from what it holds, says how old that
// is, takes back no head that it has told, and writes nothing.
func TestRelayCutOff(t *testing.T) {
	r, upstream, _, older, newest := relayed(t)
	ctx, before := t.Context(), time.Now()
	upstream.cut(failing(flags.ClassTransient))
	for i := range 10 { // the breaker opens in between
		h, asOf, err := r.HeadAsOf(ctx, "shop")
		if err != nil || h != newest || !asOf.Before(before) {
			t.Fatalf("%d: head %v as of %v, %v", i, h, asOf, err)
		}
	}
	if u, err := r.Fetch(ctx, "shop", flags.Head{}); err != nil || u.Head != older || !u.AsOf.Equal(older.Time) {
		t.Errorf("fetched %v as of %v, %v", u.Head, u.AsOf, err)
	}
	if sets, err := r.Sets(ctx); err != nil || len(sets) != 1 || sets[0] != older {
		t.Errorf("sets %v, %v", sets, err)
	}
	if commits, err := r.Commits(ctx, "shop", flags.Version{}, newest.Version, 0); err != nil || len(commits) != 2 {
		t.Errorf("%d commits, %v", len(commits), err)
	}
	_, err := r.Apply(ctx, commit("shop", put("a", flagOf(4))))
	if flags.ClassOf(err) != flags.ClassTransient || !strings.Contains(err.Error(), "nothing was written") || upstream.writes.Load() != 0 {
		t.Errorf("a write: %v, sent %d times", err, upstream.writes.Load())
	}
	if r.Err() == nil {
		t.Error("nothing is wrong with the upstream")
	}
	if _, err := r.Head(ctx, "other"); flags.ClassOf(err) != flags.ClassTransient {
		t.Errorf("that a set is not held says nothing about whether there is one: %v", err)
	}
}

// TestRelayHoldsNothing: nothing held is no answer.
func TestRelayHoldsNothing(t *testing.T) {
	upstream := &severed{Store: newShop(t)}
	r := store.Relay(upstream, memstore.New(nil), closedGate{})
	defer func() { _ = r.Close() }()
	upstream.cut(failing(flags.ClassTransient))
	if sets, err := r.Sets(t.Context()); flags.ClassOf(err) != flags.ClassTransient || err == nil {
		t.Errorf("sets %v, %v", sets, err)
	}
	if _, err := r.Watch(t.Context(), "shop", flags.Head{Set: "shop"}); flags.ClassOf(err) != flags.ClassTransient || err == nil {
		t.Errorf("watch: %v", err)
	}
}

// TestRelayFallsBackByTheRule: what the upstream says stands, unless it can serve nobody.
func TestRelayFallsBackByTheRule(t *testing.T) {
	for class, held := range map[flags.Class]bool{
		flags.ClassTransient: true, flags.ClassDenied: true, flags.ClassNotFound: false, flags.ClassPermanent: false,
	} {
		r, upstream, _, _, _ := relayed(t)
		upstream.cut(failing(class))
		if _, err := r.Head(t.Context(), "shop"); (err == nil) != held || !held && flags.ClassOf(err) != class || (r.Err() != nil) != held {
			t.Errorf("%s: %v, and of the upstream %v", class, err, r.Err())
		}
	}
	r, upstream, _, _, _ := relayed(t)
	upstream.cut(failing(flags.ClassTransient))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Head(ctx, "shop"); flags.ClassOf(err) != flags.ClassCanceled {
		t.Errorf("a caller who left: %v", err)
	}
}

// TestRelayRefusesAnotherHistory: an upstream of another lineage is as good as none.
func TestRelayRefusesAnotherHistory(t *testing.T) {
	_, _, held, older, _ := relayed(t)
	r := store.Relay(newShop(t, put("a", flagOf(9))), held, closedGate{})
	if h, err := r.Head(t.Context(), "shop"); err != nil || h != older {
		t.Errorf("head %v, %v", h, err)
	}
	if u, err := r.Fetch(t.Context(), "shop", flags.Head{}); err != nil || u.Head != older {
		t.Errorf("fetched %v, %v", u.Head, err)
	}
	if _, err := r.Apply(t.Context(), commit("shop", put("a", flagOf(4)))); !errors.Is(err, flags.ErrLineage) {
		t.Errorf("a write: %v", err)
	}
	if err := r.Err(); !errors.Is(err, flags.ErrLineage) {
		t.Errorf("what is wrong with the upstream: %v", err)
	}
}

// TestRelayWatch: who has nothing begins with what is held, and the upstream with what is
// missing; without the upstream the stream ends after what is held.
func TestRelayWatch(t *testing.T) {
	r, upstream, _, older, newest := relayed(t)
	watch := func() (flags.Event, flags.Stream) {
		t.Helper()
		stream, err := r.Watch(t.Context(), "shop", flags.Head{Set: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = stream.Close() })
		ev, err := stream.Next()
		if err != nil {
			t.Fatal(err)
		}
		if c, err := store.Assemble("shop", ev.Update); err != nil || c.Head().Version != ev.Head.Version {
			t.Errorf("it does not add up: %v", err)
		}
		return ev, stream
	}
	ev, _ := watch()
	if last := len(ev.Commits) - 1; ev.Head.Version != newest.Version || !ev.Checkpoint.Version.Before(newest.Version) || ev.Commits[last].Version != newest.Version {
		t.Errorf("it began with %v at %v", ev.Checkpoint.Head, ev.Head)
	}
	upstream.cut(failing(flags.ClassTransient))
	ev, stream := watch()
	if ev.Head != older || !ev.AsOf.Equal(older.Time) {
		t.Errorf("without the upstream it began at %v as of %v", ev.Head, ev.AsOf)
	}
	if _, err := stream.Next(); flags.ClassOf(err) != flags.ClassTransient || err == nil {
		t.Errorf("it ended with %v", err)
	}
}
