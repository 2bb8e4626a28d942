package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// between is a store where somebody else gets their write in between the reading
// and the writing of an edit, each time there is one left.
type between struct {
	store.Store
	others []func()
}

func (b *between) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	if len(b.others) > 0 {
		other := b.others[0]
		b.others = b.others[1:]
		other()
	}
	return b.Store.Apply(ctx, c)
}

func increment(t testing.TB) func([]byte) ([]byte, error) {
	return func(old []byte) ([]byte, error) {
		for n := range 9 {
			if string(old) == string(flagOf(n)) {
				return flagOf(n + 1), nil
			}
		}
		t.Errorf("edit saw %q", old)
		return old, nil
	}
}

func TestEditRebasesOnOthers(t *testing.T) {
	s := newShop(t, put("a", flagOf(0)), put("b", flagOf(0)))
	b := &between{Store: s, others: []func(){
		func() { apply(t, s, commit("shop", put("a", flagOf(5)))) }, // conflicts
		func() { apply(t, s, commit("shop", put("b", flagOf(7)))) }, // does not
	}}
	got, err := store.EditEntry(t.Context(), b, flags.Commit{Set: "shop"}, flags.FlagKey("a"), increment(t))
	if err != nil {
		t.Fatal(err)
	}
	if got.Revision != 4 || string(got.Changes[0].Bytes) != string(flagOf(6)) {
		t.Fatalf("edited at %s to %s, want 0.4 and %s", got.Version, got.Changes[0].Bytes, flagOf(6))
	}
}

func TestEditsOfOneFlagAllCount(t *testing.T) {
	s := newShop(t, put("a", flagOf(0)))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := store.EditEntry(t.Context(), s, flags.Commit{Set: "shop"}, flags.FlagKey("a"), increment(t)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	u, err := s.Fetch(t.Context(), "shop", flags.Head{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := store.Assemble("shop", u)
	if err != nil {
		t.Fatal(err)
	}
	if e, _ := c.Get(flags.FlagKey("a")); string(e.Bytes) != string(flagOf(8)) {
		t.Fatalf("after 8 increments the flag is %s", e.Bytes)
	}
}

func TestEditGivesUp(t *testing.T) {
	s := newShop(t, put("a", flagOf(0)))
	boom := errors.New("boom")
	for name, tc := range map[string]struct {
		c      flags.Commit
		change func([]byte) ([]byte, error)
		want   error
	}{
		"on an error of the change": {flags.Commit{Set: "shop"}, func([]byte) ([]byte, error) { return nil, boom }, boom},
		"on a bad definition":       {flags.Commit{Set: "shop"}, func([]byte) ([]byte, error) { return []byte(`{}`), nil }, store.ErrInvalid},
		"on the caller's condition": {
			flags.Commit{Set: "shop", Conditions: []flags.Condition{{Key: flags.FlagKey("a"), Version: flags.Version{Revision: 9}}}},
			increment(t), store.ErrConflict,
		},
		"on the caller's version": {flags.Commit{Set: "shop", If: flags.Version{Revision: 9}}, increment(t), store.ErrConflict},
		"without a set":           {flags.Commit{Set: "nowhere"}, increment(t), store.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := store.EditEntry(t.Context(), s, tc.c, flags.FlagKey("a"), tc.change); !errors.Is(err, tc.want) {
				t.Fatalf("error %v, want %v", err, tc.want)
			}
			if h, err := s.Head(t.Context(), "shop"); err != nil || h.Revision != 1 {
				t.Fatalf("the set is at %s (%v)", h.Token(), err)
			}
		})
	}
}

// TestViewChecks: a dry run hears what the write would, and changes nothing.
func TestViewChecks(t *testing.T) {
	s := newShop(t, put("a", flagOf(0)))
	stop := errors.New("dry run")
	for name, tc := range map[string]struct {
		change flags.Mutation
		want   error
	}{
		"what would be taken":   {put("a", flagOf(1)), nil},
		"what would be refused": {put("a", []byte(`{}`)), store.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := store.Edit(t.Context(), s, flags.Commit{Set: "shop"}, func(v *store.View) ([]flags.Mutation, error) {
				if err := v.Check([]flags.Mutation{tc.change}); !errors.Is(err, tc.want) {
					t.Errorf("Check: %v, want %v", err, tc.want)
				}
				if e, _ := v.Get(flags.FlagKey("a")); string(e.Bytes) != string(flagOf(0)) {
					t.Errorf("the view has %s after it", e.Bytes)
				}
				return nil, stop
			})
			if !errors.Is(err, stop) {
				t.Fatalf("error %v, want %v", err, stop)
			}
		})
	}
}

func TestEditIsSafeToRepeat(t *testing.T) {
	s := newShop(t, put("a", flagOf(0)))
	c := flags.Commit{Set: "shop", ID: flags.NewCommitID()}
	for range 3 {
		got, err := store.EditEntry(t.Context(), s, c, flags.FlagKey("a"), increment(t))
		if err != nil || got.Revision != 2 {
			t.Fatalf("%s, %v; want revision 2 each time", got.Version, err)
		}
	}
}

func TestEditWithoutChangeWritesNothing(t *testing.T) {
	s := newShop(t, put("a", flagOf(0)))
	same := func(old []byte) ([]byte, error) { return old, nil }
	for _, key := range []string{"a", "not there"} {
		got, err := store.EditEntry(t.Context(), s, flags.Commit{Set: "shop"}, flags.FlagKey(key), same)
		if err != nil || !got.Version.IsZero() {
			t.Fatalf("%+v, %v", got, err)
		}
	}
}

func TestDeleteFlagTakesItsOverrides(t *testing.T) {
	override := func(flag, entity string) flags.Mutation {
		return flags.Mutation{Key: flags.OverrideKey(flag, entity), Bytes: []byte(`{"variant":"v"}`)}
	}
	s := newShop(t, put("a", flagOf(0)), put("b", flagOf(0)), override("a", "x"), override("a", "y"), override("b", "x"))
	b := &between{Store: s, others: []func(){
		func() { apply(t, s, commit("shop", override("a", "z"))) }, // one more, just before
	}}
	got, err := store.DeleteFlag(t.Context(), b, flags.Commit{Set: "shop"}, "a")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Changes) != 4 || got.Count != 2 {
		t.Fatalf("%d changes leave %d entries, want 4 and 2", len(got.Changes), got.Count)
	}
	_, err = store.DeleteFlag(t.Context(), s, flags.Commit{Set: "shop"}, "a")
	if !errors.Is(err, store.ErrNotFound) || flags.ClassOf(err) != flags.ClassNotFound || !strings.Contains(err.Error(), `no flag "a"`) {
		t.Fatalf("deleting it again: %v", err)
	}
}
