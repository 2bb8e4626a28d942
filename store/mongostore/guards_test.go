package mongostore_test

import (
	"errors"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

// retaken repeats, in a router that could not raise the head at first, a commit
// whose writer died before the head. It returns what was acknowledged in the end
// and the head that others read then.
func retaken(t *testing.T, hasty bool) (flags.Version, flags.Version) {
	t.Helper()
	uri := testenv.Mongo(t)
	dying, heir, reader := open(t, uri, quick()), open(t, uri, quick()), open(t, uri, quick())
	if hasty {
		heir.Hasty()
	}
	create(t, dying, set)
	change(t, heir, set, 1)
	change(t, dying, set, 2)
	dieAt(dying, "insert")
	lost := proposal(set, 3)
	if _, err := dying.Apply(t.Context(), lost); !errors.Is(err, errDied) {
		t.Fatalf("Apply: %v", err)
	}
	dieAt(heir, "take over")
	if _, err := heir.Apply(t.Context(), lost); !errors.Is(err, errDied) {
		t.Fatalf("Apply by the heir: %v", err)
	}
	heir.OnStep(func(string) error { return nil })
	c, err := heir.Apply(t.Context(), lost)
	if err != nil {
		t.Fatalf("Apply by the heir, once more: %v", err)
	}
	head, err := reader.Head(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	return c.Version, head.Version
}

func dieAt(s *mongostore.Store, step string) {
	s.OnStep(func(name string) error {
		if name == step {
			return errDied
		}
		return nil
	})
}

func TestAcknowledgedOnlyOnceTheHeadIsRaised(t *testing.T) {
	t.Parallel()
	if accepted, head := retaken(t, false); head != accepted {
		t.Fatalf("acknowledged at %s while others read %s", accepted, head)
	}
}

func TestAcknowledgedOnlyOnceTheHeadIsRaisedSabotaged(t *testing.T) {
	t.Parallel()
	if accepted, head := retaken(t, true); head == accepted {
		t.Fatal("the head was raised without the guard: the test proves nothing")
	}
}

// lowered returns what a store wrote last and the head it reads after another has
// put the stored head back to the first commit: updates of one document are not
// quite atomic on every server.
func lowered(t *testing.T, forgetful bool) (written, read flags.Head) {
	t.Helper()
	s := open(t, testenv.Mongo(t), quick())
	if forgetful {
		s.Forgetful()
	}
	first := create(t, s, set)
	second := change(t, s, set, 1)
	written = second.Head()
	back := bson.D{{Key: "$set", Value: bson.D{{Key: "head", Value: mongostore.HeadText(first.Head())}}}}
	if r, err := s.Collection("heads").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: set}}, back); err != nil || r.ModifiedCount != 1 {
		t.Fatalf("lower the head: %+v, %v", r, err)
	}
	read, err := s.Head(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	return written, read
}

func TestHeadNeverBelowWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	if written, read := lowered(t, false); read != written {
		t.Fatalf("wrote %s, read %s", written.Version, read.Version)
	}
}

func TestHeadNeverBelowWhatWasAcknowledgedSabotaged(t *testing.T) {
	t.Parallel()
	if written, read := lowered(t, true); read == written {
		t.Fatal("the head was not lowered without the guard: the test proves nothing")
	}
}

// otherContents fetches for a reader whose contents differ from those of its
// version, and returns whether it was given mere commits.
func otherContents(t *testing.T, gullible bool) bool {
	t.Helper()
	s := open(t, testenv.Mongo(t), quick())
	if gullible {
		s.Gullible()
	}
	first := create(t, s, set)
	change(t, s, set, 1)
	have := first.Head()
	have.Digest = flags.EntryHash(flags.FlagKey("stray"), definition(1))
	u, err := s.Fetch(t.Context(), set, have)
	if err != nil {
		t.Fatal(err)
	}
	return u.Checkpoint == nil
}

func TestCommitsOnlyOntoTheirOwnContents(t *testing.T) {
	t.Parallel()
	if otherContents(t, false) {
		t.Fatal("a reader with other contents was given commits to put on top")
	}
}

func TestCommitsOnlyOntoTheirOwnContentsSabotaged(t *testing.T) {
	t.Parallel()
	if !otherContents(t, true) {
		t.Fatal("it was refused without the check: the test proves nothing")
	}
}

// A void insert that was left in the journal, below all that is kept, must not
// pass for the commit it wanted to be.
func TestVoidInsertIsNoCommit(t *testing.T) {
	t.Parallel()
	uri := testenv.Mongo(t)
	sleeper, busy := open(t, uri, quick()), open(t, uri, quick())
	create(t, sleeper, set)
	change(t, sleeper, set, 1)
	compact(t, busy, set)
	dieAt(sleeper, "insert") // into the free place, with no chance to take it back
	late := proposal(set, 7)
	if _, err := sleeper.Apply(t.Context(), late); !errors.Is(err, errDied) {
		t.Fatalf("Apply: %v", err)
	}
	before := headOfWhole(t, busy)
	for what, s := range map[string]*mongostore.Store{"the sleeper": sleeper, "a fresh router": open(t, uri, quick())} {
		s.OnStep(func(string) error { return nil })
		c, err := s.Apply(t.Context(), late)
		if err != nil || !before.Version.Before(c.Version) {
			t.Errorf("%s: repeated: accepted as %s, %v; the set was at %s", what, c.Version, err, before.Version)
		}
	}
}

// headOfWhole wants the contents to be readable; their history may be compacted.
func headOfWhole(t *testing.T, s *mongostore.Store) flags.Head {
	t.Helper()
	c, err := contents(t.Context(), s, set)
	if err != nil {
		t.Fatal(err)
	}
	return c.Head()
}
