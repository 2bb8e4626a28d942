package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// lived is a store whose set went through creations, changes and deletions of
// entries and of itself, with the checkpoint that was seen after each commit.
func lived(t *testing.T, keep int) (*memstore.Store, map[flags.Version]*flags.Checkpoint) {
	t.Helper()
	st := memstore.New(&memstore.Options{KeepCommits: keep})
	t.Cleanup(func() { _ = st.Close() })
	seen := map[flags.Version]*flags.Checkpoint{}
	apply := func(c flags.Commit) {
		c.Set, c.ID = "shop", flags.NewCommitID()
		if _, err := st.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		u, err := st.Fetch(t.Context(), "shop", flags.Head{})
		if err != nil {
			t.Fatal(err)
		}
		contents, err := store.Assemble("shop", u)
		if err != nil {
			t.Fatal(err)
		}
		seen[u.Head.Version] = contents.Checkpoint()
	}
	flag := func(name string, value int) flags.Mutation {
		return flags.Mutation{Key: flags.FlagKey(name), Bytes: fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, value)}
	}
	apply(flags.Commit{Op: flags.OpCreate, Changes: []flags.Mutation{flag("old", 0)}})
	apply(flags.Commit{Op: flags.OpDelete})
	apply(flags.Commit{Op: flags.OpCreate, Changes: []flags.Mutation{flag("still", 1), flag("early", 1)}})
	for i := range 60 {
		changes := []flags.Mutation{flag(fmt.Sprintf("n%d", i%7), i)}
		if i%11 == 10 {
			changes = append(changes, flags.Mutation{Key: flags.FlagKey(fmt.Sprintf("n%d", (i+1)%7))})
		}
		if i == 52 { // what it was is known from commits that will not be kept
			changes = append(changes, flags.Mutation{Key: flags.FlagKey("early")})
		}
		apply(flags.Commit{Changes: changes})
	}
	return st, seen
}

// TestAt: a set can be read at each version it ever had, as it was then.
func TestAt(t *testing.T) {
	st, seen := lived(t, 1000)
	for version, want := range seen {
		got, err := store.At(t.Context(), st, "shop", version)
		if err != nil {
			t.Errorf("%s: %v", version, err)
			continue
		}
		if cp := got.Checkpoint(); fmt.Sprint(cp) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", version, cp, want)
		}
	}
	for _, never := range []flags.Version{{Epoch: 0, Revision: 3}, {Epoch: 1, Revision: 1000}, {Epoch: 7, Revision: 1}} {
		if _, err := store.At(t.Context(), st, "shop", never); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got %v, want not found", never, err)
		}
	}
	if _, err := store.At(t.Context(), st, "other", flags.Version{Revision: 1}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no such set: got %v", err)
	}
}

// TestAtCompacted: where commits are gone, what is returned is right or nothing is.
func TestAtCompacted(t *testing.T) {
	st, seen := lived(t, 20)
	right, refused := 0, 0
	for version, want := range seen {
		got, err := store.At(t.Context(), st, "shop", version)
		switch {
		case errors.Is(err, store.ErrCompacted):
			refused++
		case err != nil:
			t.Errorf("%s: %v", version, err)
		case fmt.Sprint(got.Checkpoint()) != fmt.Sprint(want):
			t.Errorf("%s: got %v, want %v", version, got.Checkpoint(), want)
		default:
			right++
		}
	}
	if right < 2 || refused < 2 {
		t.Errorf("%d versions read, %d refused: both must happen", right, refused)
	}
}
