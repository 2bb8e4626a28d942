package flags_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

func TestEpochs(t *testing.T) {
	a := flags.FlagKey("a")
	set := flags.NewContents("s")
	if !set.Head().IsZero() || set.Head().Digest != (flags.Digest{}) {
		t.Errorf("a set that was never written: %+v", set.Head())
	}
	for _, tc := range []struct {
		op      flags.Op
		changes []flags.Mutation
		version flags.Version
		status  flags.Status
		count   int
	}{
		{flags.OpCreate, []flags.Mutation{put(a, "1")}, flags.Version{Epoch: 0, Revision: 1}, flags.StatusLive, 1},
		{flags.OpChange, []flags.Mutation{put(flags.FlagKey("b"), "2")}, flags.Version{Epoch: 0, Revision: 2}, flags.StatusLive, 2},
		{flags.OpSeal, nil, flags.Version{Epoch: 0, Revision: 3}, flags.StatusSealed, 2},
		{flags.OpCreate, []flags.Mutation{put(a, "1")}, flags.Version{Epoch: 1, Revision: 1}, flags.StatusLive, 1},
		{flags.OpDelete, nil, flags.Version{Epoch: 1, Revision: 2}, flags.StatusDeleted, 0},
		{flags.OpCreate, nil, flags.Version{Epoch: 2, Revision: 1}, flags.StatusLive, 0},
	} {
		lineage := set.Head().Lineage
		commit(t, set, tc.op, tc.changes...)
		head := set.Head()
		if head.Version != tc.version || head.Status != tc.status || head.Count != tc.count || lineage != "" && head.Lineage != lineage {
			t.Fatalf("%s: %+v", tc.op, head)
		}
		if err := set.Checkpoint().Verify(); err != nil {
			t.Fatalf("%s: %v", tc.op, err)
		}
	}
}

func TestOperationsThatCannotFollow(t *testing.T) {
	live := []flags.Op{flags.OpCreate}
	for _, tc := range []struct {
		before []flags.Op
		op     flags.Op
	}{
		{nil, flags.OpChange}, {nil, flags.OpSeal}, {nil, flags.OpDelete},
		{live, flags.OpCreate},
		{append(live, flags.OpSeal), flags.OpChange}, {append(live, flags.OpSeal), flags.OpSeal}, {append(live, flags.OpSeal), flags.OpDelete},
		{append(live, flags.OpDelete), flags.OpChange}, {append(live, flags.OpDelete), flags.OpSeal}, {append(live, flags.OpDelete), flags.OpDelete},
	} {
		set := flags.NewContents("s")
		for _, op := range tc.before {
			commit(t, set, op)
		}
		head := set.Head()
		c := &flags.Commit{Set: "s", Op: tc.op}
		if err := set.Seal(c); !errors.Is(err, flags.ErrGap) {
			t.Errorf("%s after %v is sealed: %v", tc.op, tc.before, err)
		}
		c.Lineage, c.Version = head.Lineage, flags.Version{Epoch: head.Epoch, Revision: head.Revision + 1}
		if err := set.Apply(c); !errors.Is(err, flags.ErrGap) || set.Head() != head {
			t.Errorf("%s after %v is applied: %v", tc.op, tc.before, err)
		}
	}
}

func TestEndingAnEpochTakesNoChanges(t *testing.T) {
	for _, op := range []flags.Op{flags.OpSeal, flags.OpDelete} {
		set := contents(t, put(flags.FlagKey("a"), "1"))
		c := &flags.Commit{Set: "s", Op: op, Changes: []flags.Mutation{drop(flags.FlagKey("a"))}}
		if err := set.Seal(c); !errors.Is(err, flags.ErrInvalid) {
			t.Errorf("%s with changes: %v", op, err)
		}
	}
}

// TestApplyRefuses commits that are not the next ones of this history, and
// leaves everything as it was.
func TestApplyRefuses(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(c *flags.Commit)
		want  error
	}{
		{"a revision left out", func(c *flags.Commit) { c.Revision++ }, flags.ErrGap},
		{"the same again", func(c *flags.Commit) { c.Revision-- }, flags.ErrGap},
		{"another epoch", func(c *flags.Commit) { c.Epoch++ }, flags.ErrGap},
		{"another lineage", func(c *flags.Commit) { c.Lineage = flags.NewLineage() }, flags.ErrLineage},
		{"no lineage", func(c *flags.Commit) { c.Lineage = "" }, flags.ErrLineage},
		{"another set", func(c *flags.Commit) { c.Set = "t" }, flags.ErrLineage},
		{"a change lost", func(c *flags.Commit) { c.Changes = c.Changes[1:] }, flags.ErrDigest},
		{"a changed byte", func(c *flags.Commit) { c.Changes[0].Bytes = []byte("7") }, flags.ErrDigest},
		{"a changed name", func(c *flags.Commit) { c.Changes[0].Key.Name = "A" }, flags.ErrDigest},
		{"another count", func(c *flags.Commit) { c.Count++ }, flags.ErrDigest},
		{"another digest", func(c *flags.Commit) { c.Digest = c.Digest.Plus(flags.EntryHash(flags.FlagKey("a"), nil)) }, flags.ErrDigest},
		{"changes after the end", func(c *flags.Commit) { c.Op = flags.OpDelete }, flags.ErrInvalid},
	} {
		set := contents(t, put(flags.FlagKey("a"), "1"), put(flags.FlagKey("b"), "2"))
		c := &flags.Commit{Set: "s", Changes: []flags.Mutation{put(flags.FlagKey("a"), "11"), drop(flags.FlagKey("b")), put(flags.FlagKey("c"), "3")}}
		if err := set.Seal(c); err != nil {
			t.Fatal(err)
		}
		good := *c
		good.Changes = slices.Clone(c.Changes)
		before := set.Checkpoint()
		tc.spoil(c)
		if err := set.Apply(c); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if !reflect.DeepEqual(set.Checkpoint(), before) {
			t.Errorf("%s: refused, but something changed", tc.name)
		}
		if err := set.Apply(&good); err != nil {
			t.Errorf("%s: the good commit is refused then: %v", tc.name, err)
		}
	}
}

// TestDigestCatchesWhatTheChecksumCannot: with the checksum made good again, each
// changed byte of an entry is still refused. This is what guards against a layer
// that stores whole but wrong sets.
func TestDigestCatchesWhatTheChecksumCannot(t *testing.T) {
	cp := aCheckpoint(t, 1)
	for i := range cp.Entries {
		for at := range cp.Entries[i].Bytes {
			wrong := *cp
			wrong.Entries = slices.Clone(cp.Entries)
			wrong.Entries[i].Bytes = slices.Clone(cp.Entries[i].Bytes)
			wrong.Entries[i].Bytes[at] ^= 1
			if err := new(flags.Checkpoint).UnmarshalBinary(marshal(t, &wrong)); !errors.Is(err, flags.ErrDigest) {
				t.Fatalf("entry %d, byte %d: %v", i, at, err)
			}
		}
	}
}

// TestCommitsAndCheckpointsAgree: whatever the changes, following the commits
// comes to the same set as a checkpoint of it, digest and all.
func TestCommitsAndCheckpointsAgree(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	origin, follower := contents(t), flags.NewContents("s")
	lineage := origin.Head().Lineage
	first := &flags.Commit{Set: "s", Lineage: lineage, Version: flags.Version{Revision: 1}, Op: flags.OpCreate}
	if err := follower.Apply(first); err != nil {
		t.Fatal(err)
	}
	model := map[flags.EntryKey]string{}
	for round := range 300 {
		var changes []flags.Mutation
		for range 1 + rnd.IntN(5) {
			key := flags.FlagKey(fmt.Sprint(rnd.IntN(20)))
			if rnd.IntN(4) == 0 {
				key = flags.OverrideKey(key.Name, "e")
			}
			// The same key may come twice: the last change counts.
			m := put(key, fmt.Sprint(rnd.IntN(5)))
			if rnd.IntN(3) == 0 {
				m = drop(key)
			}
			changes = append(changes, m)
			if delete(model, key); m.Bytes != nil {
				model[key] = string(m.Bytes)
			}
		}
		c := commit(t, origin, flags.OpChange, changes...)
		var sent flags.Commit
		if err := sent.UnmarshalBinary(marshal(t, c)); err != nil {
			t.Fatal(err)
		}
		if err := follower.Apply(&sent); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		cp := follower.Checkpoint()
		if err := cp.Verify(); err != nil || cp.Count != len(model) {
			t.Fatalf("round %d: %d entries, want %d (%v)", round, cp.Count, len(model), err)
		}
		for _, e := range cp.Entries {
			if model[e.Key] != string(e.Bytes) {
				t.Fatalf("round %d: %s is %s, want %s", round, e.Key, e.Bytes, model[e.Key])
			}
		}
		if again := flags.ContentsOf(cp); !reflect.DeepEqual(again, follower) {
			t.Fatalf("round %d: a checkpoint of the set is another set", round)
		}
	}
}

func TestEntriesKnowWhatLastChangedThem(t *testing.T) {
	a, b := flags.FlagKey("a"), flags.FlagKey("b")
	set := contents(t, put(a, "1"), put(b, "1"))
	commit(t, set, flags.OpChange, put(b, "2"))
	commit(t, set, flags.OpChange, put(metadataKey("m"), "1"))
	for key, want := range map[flags.EntryKey]uint64{a: 1, b: 2, metadataKey("m"): 3} {
		if e, ok := set.Get(key); !ok || e.Revision != want {
			t.Errorf("%s: revision %d, want %d", key, e.Revision, want)
		}
	}
	count := 0
	for range set.All() {
		count++
	}
	if count != 3 {
		t.Errorf("All gives %d entries", count)
	}
}

// TestApplyCostsWhatItChanges: one change in a large set allocates as much as in
// a small one.
func TestApplyCostsWhatItChanges(t *testing.T) {
	cost := func(size int) float64 {
		changes := make([]flags.Mutation, size)
		for i := range changes {
			changes[i] = put(flags.FlagKey(fmt.Sprint("flag-", i)), goodFlag)
		}
		set := contents(t, changes...)
		state := 0
		return testing.AllocsPerRun(50, func() {
			state++
			text := fmt.Sprintf(`{"defaultVariant":"v%d","variants":{"v%d":1}}`, state%10, state%10)
			m := []flags.Mutation{put(flags.FlagKey("flag-0"), text)}
			if err := set.CheckChanges(flags.OpChange, m); err != nil {
				t.Fatal(err)
			}
			commit(t, set, flags.OpChange, m...)
		})
	}
	if small, large := cost(10), cost(20_000); large > small+5 {
		t.Errorf("%v allocations in a set of 10, %v in one of 20,000", small, large)
	}
}
