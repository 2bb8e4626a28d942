package store_test

import (
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestFind(t *testing.T) {
	st := memstore.New(nil)
	t.Cleanup(func() { _ = st.Close() })
	find := func(id flags.CommitID) (flags.Commit, bool) {
		t.Helper()
		c, found, err := store.Find(t.Context(), st, "shop", id)
		if err != nil {
			t.Fatal(err)
		}
		return c, found
	}
	first := flags.NewCommitID()
	if c, found := find(first); found {
		t.Errorf("in no set: %+v", c)
	}
	for _, op := range []flags.Op{flags.OpCreate, flags.OpDelete} {
		id := flags.NewCommitID()
		accepted, err := st.Apply(t.Context(), flags.Commit{Set: "shop", ID: id, Op: op})
		if err != nil {
			t.Fatal(err)
		}
		if c, found := find(id); !found || c.Head() != accepted.Head() {
			t.Errorf("%s: %+v, %v", op, c, found)
		}
		if c, found := find(first); found {
			t.Errorf("after %s: %+v", op, c)
		}
	}
	if head, err := st.Head(t.Context(), "shop"); err != nil || head.Revision != 2 {
		t.Errorf("looking has written: %v, %v", head, err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Find(t.Context(), st, "shop", first); err == nil {
		t.Error("a closed store says that there is no such commit")
	}
}
