package router_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// restore ends the epoch of the set and begins the next one with a backup.
func restore(t *testing.T, st store.Writer, backup *flags.Checkpoint) flags.Head {
	t.Helper()
	apply(t, st, flags.Commit{Set: backup.Set, Op: flags.OpSeal})
	c := flags.Commit{Set: backup.Set, Op: flags.OpCreate}
	for _, e := range backup.Entries {
		c.Changes = append(c.Changes, flags.Mutation{Key: e.Key, Bytes: e.Bytes})
	}
	return apply(t, st, c)
}

func checkpointOf(t *testing.T, src flags.Source, set string) *flags.Checkpoint {
	t.Helper()
	u, err := src.Fetch(t.Context(), set, flags.Head{})
	if err != nil {
		t.Fatal(err)
	}
	contents, err := store.Assemble(set, u)
	if err != nil {
		t.Fatal(err)
	}
	return contents.Checkpoint()
}

// TestRestore: contents of a backup come back as a new epoch, in the store as it is or
// in a new one that knows nothing of the commits since the backup. Clients and
// mirrors that had newer revisions of the old epoch take it over, once, and whoever
// writes by what it saw before conflicts and learns the epoch.
func TestRestore(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(map[bool]string{false: "in place", true: "after the store was lost"}[lost], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem, b := memstore.New(nil), newBreakable()
				create(t, mem, "shop")
				for i := range 5 {
					write(t, mem, "shop", i)
				}
				backup := checkpointOf(t, mem, "shop")
				for i := range 10 {
					write(t, mem, "shop", 100+i)
				}
				r := serve(t, router.Options{Store: mem, Mirrors: mirrors(b)})
				client := r.client(t)
				before := checkpointOf(t, client, "shop")
				eventually(t, "the mirror has all", time.Minute, func() bool { return b.at(t, "shop") == before.Head })
				if lost {
					r.stop()
					mem = memstore.New(nil)
					if err := mem.Seed(t.Context(), backup); err != nil {
						t.Fatal(err)
					}
				}
				after := restore(t, mem, backup)
				if after.Epoch != 1 || after.Lineage != before.Lineage || after.Digest != backup.Digest {
					t.Fatalf("restored as %s", after.Token())
				}
				if lost {
					r = serve(t, router.Options{Store: mem, Mirrors: mirrors(b)})
					client = r.client(t)
				}
				follows(t, client, before, after)
				eventually(t, "the mirror has the new epoch", time.Minute, func() bool { return b.at(t, "shop") == after })
				refused(t, client, before.Head, after)
				_ = b.Close()
			})
		})
	}
	matrix.Tally(t, "F27", 2, 0)
}

// TestRestoreWithinTheEpoch is its twin: a backup that is put back without a new epoch
// is older than what everybody has, and nobody takes it.
func TestRestoreWithinTheEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, b := memstore.New(nil), newBreakable()
		create(t, mem, "shop")
		backup := checkpointOf(t, mem, "shop")
		for i := range 10 {
			write(t, mem, "shop", i)
		}
		r := serve(t, router.Options{Store: mem, Mirrors: mirrors(b)})
		before := checkpointOf(t, mem, "shop")
		eventually(t, "the mirror has all", time.Minute, func() bool { return b.at(t, "shop") == before.Head })
		r.stop()
		mem = memstore.New(nil)
		if err := mem.Seed(t.Context(), backup); err != nil {
			t.Fatal(err)
		}
		write(t, mem, "shop", 99)
		r = serve(t, router.Options{Store: mem, Mirrors: mirrors(b)})
		time.Sleep(5 * time.Minute)
		if got := b.at(t, "shop"); got != before.Head {
			t.Errorf("the mirror is at %s: the test could not notice a restore without an epoch", got.Token())
		}
		r.stop()
		_ = b.Close()
	})
}

// follows has a client that was at before come to after, and no further.
func follows(t *testing.T, client store.Store, before *flags.Checkpoint, after flags.Head) {
	t.Helper()
	stream, err := client.Watch(t.Context(), "shop", before.Head)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	contents, changes := flags.ContentsOf(before), 0
	for range 5 { // the rest are heartbeats
		ev, err := stream.Next()
		if err != nil {
			t.Fatal(err)
		}
		if ev.Checkpoint != nil {
			contents = flags.ContentsOf(ev.Checkpoint)
		}
		for i := range ev.Commits {
			if err := contents.Apply(&ev.Commits[i]); err != nil {
				t.Fatal(err)
			}
		}
		if ev.Checkpoint != nil || len(ev.Commits) > 0 {
			changes++
		}
	}
	if contents.Head() != after || changes != 1 {
		t.Errorf("the client is at %s after %d changes, want %s after one", contents.Head().Token(), changes, after.Token())
	}
}

// refused has a writer that saw a head of the old epoch conflict.
func refused(t *testing.T, client store.Store, saw, now flags.Head) {
	t.Helper()
	stale := flags.Commit{Set: "shop", Changes: []flags.Mutation{{Key: flags.FlagKey("n")}}}
	for _, condition := range []func(*flags.Commit){
		func(c *flags.Commit) { c.If = saw.Version },
		func(c *flags.Commit) {
			c.Conditions = []flags.Condition{{Key: flags.FlagKey("n"), Version: saw.Version}}
		},
		// The revision is that of the entry now, but its epoch is not.
		func(c *flags.Commit) {
			c.Conditions = []flags.Condition{{Key: flags.FlagKey("n"), Version: flags.Version{Revision: 1}}}
		},
	} {
		c := stale
		c.ID = flags.NewCommitID()
		condition(&c)
		_, err := client.Apply(t.Context(), c)
		var conflict *store.ConflictError
		if !errors.As(err, &conflict) || conflict.Token != now.Token() {
			t.Errorf("a stale writer was told %v, want a conflict at %s", err, now.Token())
		}
	}
}
