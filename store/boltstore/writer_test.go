package boltstore_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
)

func open(t testing.TB, opts *boltstore.Options) *boltstore.Store {
	t.Helper()
	s, err := boltstore.Open(filepath.Join(t.TempDir(), "holdfast.db"), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestWaitingCommitsShareATransaction keeps the writer from its file until many
// wait, some of which must fail, and some of which are one and the same.
func TestWaitingCommitsShareATransaction(t *testing.T) {
	s := open(t, nil)
	createShop(t, s)
	release := s.HoldWriter()
	before, err := s.Transactions()
	if err != nil {
		t.Fatal(err)
	}
	twice := change("twice", 1)
	var wg sync.WaitGroup
	for i := range 40 {
		c := change(fmt.Sprintf("flag-%d", i), i)
		switch {
		case i%4 == 1:
			c.Conditions = []flags.Condition{{Key: flags.FlagKey("nowhere"), Version: flags.Version{Revision: 9}}}
		case i%4 == 2:
			c = twice
		}
		wg.Go(func() {
			_, err := s.Apply(t.Context(), c)
			if wantConflict := i%4 == 1; errors.Is(err, store.ErrConflict) != wantConflict || !wantConflict && err != nil {
				t.Errorf("commit %d: %v", i, err)
			}
		})
	}
	s.AwaitQueue(40)
	release()
	wg.Wait()
	after, err := s.Transactions()
	if err != nil {
		t.Fatal(err)
	}
	if after-before != 1 {
		t.Errorf("40 waiting commits took %d transactions", after-before)
	}
	if h, err := s.Head(t.Context(), "shop"); err != nil || h.Revision != 1+20+1 {
		t.Fatalf("the set is at %s (%v), want revision 22: 20 commits, and 10 that are one", h.Token(), err)
	}
}

// TestFullDisk writes until the file cannot grow, and wants what was refused to
// have changed nothing, what was acknowledged to be there, and smaller things to
// go on.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "holdfast.db")
	s, err := boltstore.Open(path, boltstore.WithFullDisk(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	head := createShop(t, s)
	var failure error
	for i := 0; failure == nil; i++ {
		c := change("a", i)
		for range 400 { // some kilobytes that do not compress
			c.Conditions = append(c.Conditions, flags.Condition{Key: flags.FlagKey(flags.NewCommitID().String())})
		}
		accepted, err := s.Apply(t.Context(), c)
		if failure = err; err == nil {
			head = accepted.Head()
		}
		if i > 10_000 {
			t.Fatal("the disk does not fill")
		}
	}
	if flags.ClassOf(failure) != flags.ClassTransient {
		t.Fatalf("class %s of %v, want transient", flags.ClassOf(failure), failure)
	}
	if h, err := s.Head(t.Context(), "shop"); err != nil || h != head {
		t.Fatalf("after the failure at %+v (%v), want %+v", h, err, head)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = boltstore.Open(path, nil); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if h, err := s.Head(t.Context(), "shop"); err != nil || h != head {
		t.Fatalf("opened again at %+v (%v), want %+v", h, err, head)
	}
	if next := apply(t, s, change("a", 0)); next.Revision != head.Revision+1 {
		t.Fatalf("with room again the next commit got %s", next.Version)
	}
}

// TestOldCommitsAreForgotten writes until the keeper has compacted by itself.
func TestOldCommitsAreForgotten(t *testing.T) {
	s := open(t, &boltstore.Options{KeepCommits: 10, KeepFor: time.Nanosecond})
	createShop(t, s)
	first := flags.Version{Revision: 1}
	for i := range 5000 {
		apply(t, s, change("a", i))
		_, err := s.Commits(t.Context(), "shop", first, first, 1)
		if errors.Is(err, store.ErrCompacted) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("5000 commits and the first one is still there")
}

func TestCompactionKeepsWhatIsOwed(t *testing.T) {
	for name, tc := range map[string]struct {
		opts  boltstore.Options
		floor uint64 // the first revision that must still be there
	}{
		"by count": {boltstore.Options{KeepCommits: 30, KeepFor: time.Nanosecond}, 51 - 30 + 1},
		"by age":   {boltstore.Options{KeepCommits: 1, KeepFor: time.Hour}, 1},
		"by hold": {boltstore.Options{KeepCommits: 1, KeepFor: time.Nanosecond, Hold: func(context.Context, string) (flags.Version, error) {
			return flags.Version{Revision: 7}, nil
		}}, 7},
		"by hold, but not for ever": {boltstore.Options{KeepCommits: 1, KeepFor: time.Nanosecond, HoldFor: time.Nanosecond, Hold: func(context.Context, string) (flags.Version, error) {
			return flags.Version{Revision: 7}, nil
		}}, 41},
		"by not knowing": {boltstore.Options{KeepCommits: 1, KeepFor: time.Nanosecond, Hold: func(context.Context, string) (flags.Version, error) {
			return flags.Version{}, errors.New("records are out of reach")
		}}, 1},
		"by the last checkpoint but one": {boltstore.Options{KeepCommits: 1, KeepFor: time.Nanosecond}, 41},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, &tc.opts)
			createShop(t, s)
			for i := range 50 {
				apply(t, s, change("a", i))
				if i == 39 || i == 49 {
					if err := s.Compact(t.Context(), "shop"); (err != nil) != (name == "by not knowing") {
						t.Fatal(err)
					}
				}
			}
			all := flags.Version{Epoch: 9}
			got, err := s.Commits(t.Context(), "shop", flags.Version{Revision: tc.floor}, all, 0)
			if err != nil || len(got) != 51-int(tc.floor)+1 {
				t.Fatalf("from %d: %d commits, %v", tc.floor, len(got), err)
			}
			if tc.floor == 1 {
				return
			}
			if _, err := s.Commits(t.Context(), "shop", flags.Version{Revision: tc.floor - 1}, all, 0); !errors.Is(err, store.ErrCompacted) {
				t.Fatalf("from %d: %v, want compacted", tc.floor-1, err)
			}
		})
	}
}

// TestReadersResumeAfterReopening wants a reader a little behind to get commits
// even when the newest checkpoint is ahead of it.
func TestReadersResumeAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "holdfast.db")
	s, err := boltstore.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	createShop(t, s)
	var have flags.Head
	for i := range 30 {
		h := apply(t, s, change("a", i))
		if i == 19 {
			have = h
		}
	}
	if err := s.Compact(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = boltstore.Open(path, nil); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	u, err := s.Fetch(t.Context(), "shop", have)
	if err != nil || u.Checkpoint != nil || len(u.Commits) != 10 {
		t.Fatalf("checkpoint %v, %d commits, %v; want 10 commits", u.Checkpoint != nil, len(u.Commits), err)
	}
}
