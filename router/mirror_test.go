package router_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func mirrors(b *breakable) []router.Mirror {
	return []router.Mirror{{Name: "mongodb://db/holdfast", Replica: b}}
}

// TestMirrorIsKeptCurrent: all sets, also those created later, with their history.
func TestMirrorIsKeptCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, b := memstore.New(nil), newBreakable()
		create(t, mem, "shop")
		r := serve(t, router.Options{Store: mem, StoreKind: "memory", Mirrors: mirrors(b)})
		client := r.client(t)
		var shop flags.Head
		for i := range 20 {
			shop = write(t, client, "shop", i)
		}
		create(t, client, "other")
		other := write(t, client, "other", 1)
		synctest.Wait()
		if b.at(t, "shop") != shop || b.at(t, "other") != other {
			t.Errorf("mirror has %+v and %+v", b.at(t, "shop"), b.at(t, "other"))
		}
		history, err := b.Commits(t.Context(), "shop", flags.Version{}, shop.Version, 0)
		if err != nil || len(history) != 21 {
			t.Errorf("mirror has %d commits of history, %v", len(history), err)
		}
		for _, s := range r.Mirrors() {
			if s.Lag != 0 || s.Err != nil {
				t.Errorf("status is %+v", s)
			}
		}
		_ = b.Close()
	})
}

// TestMirrorOutage: a mirror that fails or hangs delays no write, is reported, and
// is caught up from the journal afterwards, however long it was away.
func TestMirrorOutage(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		hang   bool
		writes int
	}{
		{"down for a little", errDown, false, 10},
		{"hangs", nil, true, 10},
		{"down for more than the feed holds", errDown, false, 900},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem, b := memstore.New(nil), newBreakable()
				create(t, mem, "shop")
				r := serve(t, router.Options{Store: mem, Mirrors: mirrors(b)})
				client := r.client(t)
				before := write(t, client, "shop", 0)
				synctest.Wait()
				b.set(c.err, c.hang)
				began := time.Now()
				var last flags.Head
				for i := range c.writes {
					last = write(t, client, "shop", i)
				}
				if took := time.Since(began); took > 0 {
					t.Errorf("writes waited %v for the mirror", took)
				}
				time.Sleep(5 * time.Minute)
				status := r.Mirrors()
				if len(status) != 1 || status[0].Lag != uint64(c.writes) || status[0].Err == nil || status[0].Errors == 0 {
					t.Errorf("status is %+v", status)
				}
				if hold := r.Hold("shop"); hold != before.Version {
					t.Errorf("the store may forget what the mirror needs: %s, want %s", hold, before.Version)
				}
				b.set(nil, false)
				eventually(t, "the mirror catches up", 40*time.Second, func() bool { return b.at(t, "shop") == last })
				synctest.Wait()
				if status := r.Mirrors(); status[0].Lag != 0 || status[0].Err != nil {
					t.Errorf("status is %+v", status)
				}
				if b.seeds != 0 {
					t.Errorf("the mirror's history was replaced by a checkpoint")
				}
				_ = b.Close()
			})
		})
	}
}

// TestMirrorDownAtStart: until a mirror has been reached nobody knows what it
// lacks, so everything is kept for it, for a week.
func TestMirrorDownAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, b := memstore.New(nil), newBreakable()
		create(t, mem, "shop")
		last := write(t, mem, "shop", 1)
		b.set(errDown, false)
		early := router.New(router.Options{Store: memstore.New(nil), Mirrors: mirrors(b)})
		if hold := early.Hold("shop"); hold != (flags.Version{Revision: 1}) {
			t.Errorf("before the sets are followed, the store may forget what is older than %s", hold)
		}
		if err := early.Close(); err != nil {
			t.Error(err)
		}
		r := serve(t, router.Options{Store: mem, Mirrors: mirrors(b)})
		if err := r.CheckMirrors(t.Context()); err != nil {
			t.Errorf("a mirror that is down keeps the router from starting: %v", err)
		}
		synctest.Wait()
		if hold := r.Hold("shop"); hold != (flags.Version{Revision: 1}) {
			t.Errorf("the store may forget what is older than %s", hold)
		}
		b.set(nil, false)
		eventually(t, "the mirror is filled", time.Minute, func() bool { return b.at(t, "shop") == last })
		synctest.Wait()
		if hold := r.Hold("shop"); hold != last.Version {
			t.Errorf("the store keeps what no mirror needs, from %s", hold)
		}
		b.set(nil, true)
		time.Sleep(8 * 24 * time.Hour)
		if hold := r.Hold("shop"); !hold.IsZero() {
			t.Errorf("a mirror that is gone for good holds %s", hold)
		}
		b.set(nil, false)
		_ = b.Close()
	})
}

// TestMirrorOfLongHistory: a new mirror of a long or compacted journal begins with
// a checkpoint.
func TestMirrorOfLongHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, b := memstore.New(nil), newBreakable()
		create(t, mem, "shop")
		var last flags.Head
		for i := range 600 {
			last = write(t, mem, "shop", i)
		}
		if err := mem.Compact(t.Context(), "shop", 10); err != nil {
			t.Fatal(err)
		}
		serve(t, router.Options{Store: mem, Mirrors: mirrors(b)})
		synctest.Wait()
		if b.at(t, "shop") != last || b.seeds != 1 {
			t.Errorf("mirror is at %+v after %d checkpoints and %d commits", b.at(t, "shop"), b.seeds, b.appends)
		}
		_ = b.Close()
	})
}

// TestMirrorLossIsNoticed: a mirror that was emptied behind the router's back is
// filled again although nothing is written.
func TestMirrorLossIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, b := memstore.New(nil), newBreakable()
		head := create(t, mem, "shop")
		serve(t, router.Options{Store: mem, Mirrors: mirrors(b)})
		synctest.Wait()
		_ = b.Store.Close()
		b.mu.Lock()
		b.Store = memstore.New(nil)
		b.mu.Unlock()
		eventually(t, "the mirror is filled again", time.Minute, func() bool { return b.at(t, "shop") == head })
		_ = b.Close()
	})
}

// TestMirrorOfAnotherHistory: a mirror that holds somebody else's flags, or newer
// ones than the store, is left alone.
func TestMirrorOfAnotherHistory(t *testing.T) {
	for _, c := range []struct {
		name    string
		fill    func(t *testing.T, mem *memstore.Store, b *breakable)
		refused error
		start   error
	}{
		{"another lineage", func(t *testing.T, _ *memstore.Store, b *breakable) { create(t, b.Store, "shop") }, flags.ErrLineage, flags.ErrLineage},
		{"ahead of the store", func(t *testing.T, mem *memstore.Store, b *breakable) {
			commits, err := mem.Commits(t.Context(), "shop", flags.Version{}, flags.Version{Epoch: 9}, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Store.Append(t.Context(), "shop", commits); err != nil {
				t.Fatal(err)
			}
			write(t, b.Store, "shop", 77)
		}, flags.ErrGap, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem, b := memstore.New(nil), newBreakable()
				create(t, mem, "shop")
				c.fill(t, mem, b)
				theirs := b.at(t, "shop")
				r := serve(t, router.Options{Store: mem, Mirrors: mirrors(b)})
				if err := r.CheckMirrors(t.Context()); !errors.Is(err, c.start) {
					t.Errorf("at start: %v, want %v", err, c.start)
				}
				time.Sleep(time.Minute)
				if got := b.at(t, "shop"); got != theirs {
					t.Errorf("mirror went from %s to %s", theirs.Token(), got.Token())
				}
				if s := r.Mirrors(); len(s) != 1 || !errors.Is(s[0].Err, c.refused) {
					t.Errorf("status is %+v, want %v", s, c.refused)
				}
				_ = b.Close()
			})
		})
	}
}
