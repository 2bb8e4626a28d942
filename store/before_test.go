package store_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// journalOf returns all the commits that a store has of its set.
func journalOf(t *testing.T, h store.History) []flags.Commit {
	t.Helper()
	var all []flags.Commit
	err := store.EachCommit(t.Context(), h, "shop", flags.Version{}, flags.Version{Epoch: 9}, func(c *flags.Commit) { all = append(all, *c) })
	if err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	return all
}

// wantBefores holds what Befores says against the sets as they were.
func wantBefores(t *testing.T, commits []flags.Commit, got [][]store.Before, seen map[flags.Version]*flags.Checkpoint) (unknown int) {
	t.Helper()
	for i, c := range commits {
		was := map[flags.EntryKey][]byte{}
		if cp := seen[flags.Version{Epoch: c.Epoch, Revision: c.Revision - 1}]; cp != nil {
			for _, e := range cp.Entries {
				was[e.Key] = e.Bytes
			}
		}
		for j, m := range c.Changes {
			switch b := got[i][j]; {
			case !b.Known:
				unknown++
			case !bytes.Equal(b.Bytes, was[m.Key]):
				t.Errorf("%s of %s: was %s, want %s", m.Key, c.Version, b.Bytes, was[m.Key])
			}
		}
	}
	return unknown
}

// TestBefores: whichever commits are asked about, what they replaced is what was there.
func TestBefores(t *testing.T) {
	st, seen := lived(t, 1000)
	all := journalOf(t, st)
	for _, step := range []int{1, 2, 7, 50} {
		for first := range all {
			var some []flags.Commit
			for i := first; i < len(all); i += step {
				some = append(some, all[i])
			}
			got, err := store.Befores(t.Context(), st, some, math.MaxInt)
			if err != nil {
				t.Fatal(err)
			}
			if n := wantBefores(t, some, got, seen); n > 0 {
				t.Errorf("from %s by %d: %d are unknown", all[first].Version, step, n)
			}
		}
	}
	if got, err := store.Befores(t.Context(), st, nil, 0); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

// TestBeforesForgotten: what the journal does not tell is unknown, never said to be nothing.
func TestBeforesForgotten(t *testing.T) {
	st, seen := lived(t, 8)
	all := journalOf(t, st)
	got, err := store.Befores(t.Context(), st, all, math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	if n := wantBefores(t, all, got, seen); n == 0 || n > 8 {
		t.Errorf("%d are unknown", n)
	}
	whole, seen := lived(t, 1000)
	all = journalOf(t, whole)
	last := all[len(all)-1:]
	got, err = store.Befores(t.Context(), whole, last, 3) // it was changed seven commits before
	if err != nil || got[0][0].Known {
		t.Errorf("%d, %v", len(got), err)
	}
	wantBefores(t, last, got, seen)
}

// TestBeforesOfNew: that a commit made all that it set is told by the one before it,
// however long the journal is.
func TestBeforesOfNew(t *testing.T) {
	st, _ := lived(t, 1000)
	c := flags.Commit{Set: "shop", ID: flags.NewCommitID()}
	for i := range 300 {
		c.Changes = append(c.Changes, flags.Mutation{Key: flags.FlagKey(fmt.Sprintf("new%d", i)), Bytes: []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":1}}`)})
	}
	c, err := st.Apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	read := &counting{History: st}
	got, err := store.Befores(t.Context(), read, []flags.Commit{c}, 1)
	if err != nil || !got[0][0].Known || got[0][299].Bytes != nil || read.commits != 1 {
		t.Errorf("%v, %v, %d commits read", got[0][:1], err, read.commits)
	}
}

// counting counts the commits that are read.
type counting struct {
	store.History
	commits int
}

func (c *counting) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	out, err := c.History.Commits(ctx, set, from, to, limit)
	c.commits += len(out)
	return out, err
}
