package mongostore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

var errDied = errors.New("the process died here")

// whole wants s to deliver the set whole, and returns its head.
func whole(t testing.TB, s *mongostore.Store, set string) flags.Head {
	t.Helper()
	head, err := inspect(t.Context(), s, set)
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// inspect reads a set at its head, and the history that leads there.
func inspect(ctx context.Context, s *mongostore.Store, set string) (flags.Head, error) {
	c, err := contents(ctx, s, set)
	if err != nil {
		return flags.Head{}, fmt.Errorf("cold read: %w", err)
	}
	head := c.Head()
	all, err := s.Commits(ctx, set, flags.Version{Revision: 1}, head.Version, 10_000)
	if err != nil {
		return head, fmt.Errorf("history: %w", err)
	}
	replay := flags.NewContents(set)
	for i := range all {
		if err := replay.Apply(&all[i]); err != nil {
			return head, fmt.Errorf("the history does not add up: %w", err)
		}
	}
	if replay.Head() != head {
		return head, fmt.Errorf("the history leads to %+v, the set is at %+v", replay.Head(), head)
	}
	return head, nil
}

func TestTwoRoutersShareOneJournal(t *testing.T) {
	t.Parallel()
	uri := testenv.Mongo(t)
	stores := []*mongostore.Store{open(t, uri, quick()), open(t, uri, quick())}
	for _, s := range stores {
		s.Tune(8, 256)
	}
	create(t, stores[0], set)
	const writes = 40
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			for n := range writes {
				c := proposal(set, n)
				c.Changes[0].Key.Name = fmt.Sprintf("w%d", i)
				accepted, err := s.Apply(t.Context(), c)
				if err != nil {
					t.Errorf("store %d: %v", i, err)
					return
				}
				if head, err := s.Head(t.Context(), set); err != nil || head.Version.Before(accepted.Version) {
					t.Errorf("store %d: after writing %s it reads %s, %v", i, accepted.Version, head.Version, err)
				}
			}
		})
	}
	wg.Wait()
	last := change(t, stores[0], set, 1)
	stores[0].Settle()
	stores[1].Settle()
	if last.Revision != 2*writes+2 {
		t.Fatalf("the last commit is %s, want revision %d: no gap, none twice", last.Version, 2*writes+2)
	}
	if head := whole(t, stores[1], set); head != last.Head() {
		t.Fatalf("the other store is at %+v, want %+v", head, last.Head())
	}
}

// A writer that dies between insert and head leaves a commit that nobody has
// acknowledged and everybody has to count with.
func TestWriterDiesBeforeTheHead(t *testing.T) {
	t.Parallel()
	uri := testenv.Mongo(t)
	dying, other := open(t, uri, quick()), open(t, uri, quick())
	create(t, dying, set)
	dying.OnStep(func(name string) error {
		if name == "insert" {
			return errDied
		}
		return nil
	})
	lost := proposal(set, 1)
	if _, err := dying.Apply(t.Context(), lost); !errors.Is(err, errDied) {
		t.Fatalf("Apply: %v", err)
	}
	if head := whole(t, other, set); head.Revision != 1 {
		t.Fatalf("readers see %s, which was never acknowledged", head.Version)
	}
	if c := change(t, other, set, 2); c.Revision != 3 {
		t.Fatalf("the next commit is %s, want revision 3", c.Version)
	}
	again, err := other.Apply(t.Context(), lost)
	if err != nil || again.Revision != 2 {
		t.Fatalf("the commit repeated elsewhere: %s, %v; want revision 2", again.Version, err)
	}
	whole(t, other, set)
}

// The same at the very first commit, when there is no head yet.
func TestCreatorDiesBeforeTheHead(t *testing.T) {
	t.Parallel()
	uri := testenv.Mongo(t)
	dying, other := open(t, uri, quick()), open(t, uri, quick())
	dying.OnStep(func(string) error { return errDied })
	creation := flags.Commit{Set: set, ID: flags.NewCommitID(), Op: flags.OpCreate}
	if _, err := dying.Apply(t.Context(), creation); !errors.Is(err, errDied) {
		t.Fatalf("Apply: %v", err)
	}
	if _, err := other.Apply(t.Context(), flags.Commit{Set: set, ID: flags.NewCommitID(), Op: flags.OpCreate}); !errors.Is(err, store.ErrExists) {
		t.Fatalf("creating it again: %v, want ErrExists", err)
	}
	if c, err := other.Apply(t.Context(), creation); err != nil || c.Revision != 1 {
		t.Fatalf("repeated: %s, %v", c.Version, err)
	}
	whole(t, other, set)
}

// A writer that has slept through more commits than the journal holds finds its
// place free: the unique key alone would let it write into the past.
func sleptThrough(t *testing.T, credulous bool) (late flags.Commit, s *mongostore.Store) {
	t.Helper()
	uri := testenv.Mongo(t)
	sleeper, busy := open(t, uri, quick()), open(t, uri, quick())
	sleeper.Tune(4, 1<<10)
	busy.Tune(4, 1<<10)
	if credulous {
		sleeper.Credulous()
	}
	create(t, sleeper, set)
	change(t, sleeper, set, 1)
	for n := range 20 {
		change(t, busy, set, n)
		busy.Settle()
	}
	c := proposal(set, 7)
	c.Changes[0].Key.Name = "late"
	late, err := sleeper.Apply(t.Context(), c)
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return late, busy
}

func TestSleeperCannotWriteIntoThePast(t *testing.T) {
	t.Parallel()
	late, s := sleptThrough(t, false)
	if late.Revision != 23 {
		t.Fatalf("accepted as %s, want revision 23", late.Version)
	}
	if head := whole(t, s, set); head != late.Head() {
		t.Fatalf("the set is at %+v, want %+v", head, late.Head())
	}
	n, err := s.Collection("journal").CountDocuments(t.Context(), bson.D{{Key: "_id", Value: mongostore.JournalKey(set, flags.Version{Revision: 3})}})
	if err != nil || n != 0 {
		t.Fatalf("what was inserted in the wrong place is still there: %d, %v", n, err)
	}
}

func TestSleeperCannotWriteIntoThePastSabotaged(t *testing.T) {
	t.Parallel()
	late, s := sleptThrough(t, true)
	c, err := contents(t.Context(), s, set)
	if err != nil {
		t.Fatal(err)
	}
	if _, there := c.Get(flags.FlagKey("late")); there || late.Revision == 23 {
		t.Fatalf("without the check the write at %s was not lost: the test proves nothing", late.Version)
	}
}

func TestReadOnlyWritesNothing(t *testing.T) {
	t.Parallel()
	uri := testenv.Mongo(t)
	w := open(t, uri, quick())
	w.Tune(4, 64)
	last := create(t, w, set)
	before := []flags.Head{last.Head()}
	for i := range 12 {
		last = change(t, w, set, i)
		before = append(before, last.Head())
		w.Settle()
	}
	opts := quick()
	opts.ReadOnly = true
	r := open(t, uri, opts)
	for op, call := range map[string]func() error{
		"Apply":  func() error { _, err := r.Apply(t.Context(), proposal(set, 1)); return err },
		"Append": func() error { return r.Append(t.Context(), set, nil) },
		"Seed":   func() error { return r.Seed(t.Context(), &flags.Checkpoint{Head: flags.Head{Set: set}}) },
	} {
		if err := call(); !errors.Is(err, store.ErrReadOnly) || flags.ClassOf(err) != flags.ClassPermanent {
			t.Errorf("%s: %v", op, err)
		}
	}
	if head := whole(t, r, set); head.Revision != 13 {
		t.Errorf("it reads %s", head.Version)
	}
	for _, have := range before { // in segments, in the journal, and superseded by a checkpoint
		if u, err := r.Fetch(t.Context(), set, have); err != nil || u.Head.Revision != 13 {
			t.Errorf("since %s it reads %s, %v", have.Version, u.Head.Version, err)
		}
	}
}

func TestWatchAcrossRouters(t *testing.T) {
	t.Parallel()
	uri := testenv.Mongo(t)
	a, b := open(t, uri, quick()), open(t, uri, quick())
	first := create(t, a, set)
	stream, err := b.Watch(t.Context(), set, first.Head())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	before := time.Now()
	c := change(t, a, set, 1)
	for {
		ev, err := stream.Next()
		if err != nil {
			t.Fatal(err)
		}
		if ev.Head == c.Head() {
			if ev.AsOf.Before(before) || len(ev.Commits) != 1 {
				t.Fatalf("as of %v before the write, or %d commits", before.Sub(ev.AsOf), len(ev.Commits))
			}
			return
		}
	}
}
