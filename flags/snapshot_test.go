package flags_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// history makes commits as an accepting store would.
type history struct {
	t        testing.TB
	contents *flags.Contents
}

func newHistory(t testing.TB) *history { return &history{t, flags.NewContents("test")} }

func (h *history) commit(op flags.Op, changes ...flags.Mutation) flags.Commit {
	h.t.Helper()
	c := flags.Commit{ID: flags.NewCommitID(), Op: op, Changes: changes}
	if err := h.contents.Seal(&c); err != nil {
		h.t.Fatal(err)
	}
	if err := h.contents.Apply(&c); err != nil {
		h.t.Fatal(err)
	}
	return c
}

func putFlag(key, text string) flags.Mutation { return put(flags.FlagKey(key), text) }

func putOverride(flag, entity, variant string) flags.Mutation {
	return put(flags.OverrideKey(flag, entity), fmt.Sprintf(`{"variant":%q}`, variant))
}

func remove(key flags.EntryKey) flags.Mutation { return flags.Mutation{Key: key} }

const switchFlag = `{"defaultVariant":"off","state":"ENABLED","variants":{"off":false,"on":true}}`

// snapshotOf is the snapshot of a set that was created with the changes given.
func snapshotOf(t testing.TB, changes ...flags.Mutation) *flags.Snapshot {
	t.Helper()
	h := newHistory(t)
	h.commit(flags.OpCreate, changes...)
	return flags.NewSnapshot(h.contents.Checkpoint())
}

func mustApply(t testing.TB, s *flags.Snapshot, commits ...flags.Commit) *flags.Snapshot {
	t.Helper()
	next, err := s.Apply(commits...)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func sameCheckpoint(t testing.TB, got, want *flags.Checkpoint) {
	t.Helper()
	if got.Head != want.Head {
		t.Fatalf("head %+v, want %+v", got.Head, want.Head)
	}
	if err := got.Verify(); err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got.Entries, want.Entries, func(a, b flags.Entry) bool {
		return a.Key == b.Key && string(a.Bytes) == string(b.Bytes) && a.Revision == b.Revision
	}) {
		t.Fatal("entries differ")
	}
}

// A snapshot that followed a history commit by commit is the one compiled from
// its end, and answers the same; those it came from stay as they were.
func TestApplyComesToTheSameAsCompiling(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	h := newHistory(t)
	s := mustApply(t, flags.NewSnapshot(h.contents.Checkpoint()), h.commit(flags.OpCreate))
	type frozen struct {
		snap *flags.Snapshot
		cp   *flags.Checkpoint
	}
	var past []frozen
	for range 400 {
		changes := make([]flags.Mutation, 0, 8)
		seen := map[flags.EntryKey]bool{}
		for range 1 + r.IntN(8) {
			if m := randomChange(r); !seen[m.Key] {
				seen[m.Key] = true
				changes = append(changes, m)
			}
		}
		s = mustApply(t, s, h.commit(flags.OpChange, changes...))
		if r.IntN(20) == 0 {
			past = append(past, frozen{s, h.contents.Checkpoint()})
		}
	}
	past = append(past, frozen{s, h.contents.Checkpoint()})
	for _, p := range past {
		sameCheckpoint(t, p.snap.Checkpoint(), p.cp)
		sameAnswers(t, p.snap, flags.NewSnapshot(p.cp))
	}
}

func randomChange(r *rand.Rand) flags.Mutation {
	flag := fmt.Sprintf("flag-%d", r.IntN(200))
	switch r.IntN(12) {
	case 0:
		return remove(flags.FlagKey(flag))
	case 1, 2, 3:
		return putOverride(flag, fmt.Sprintf("e%d", r.IntN(50)), []string{"on", "off", "none"}[r.IntN(3)])
	case 4, 5:
		return remove(flags.OverrideKey(flag, fmt.Sprintf("e%d", r.IntN(50))))
	case 6:
		return put(evaluatorKey(fmt.Sprintf("rule%d", r.IntN(3))), fmt.Sprintf(`{"==":[{"var":"plan"},"p%d"]}`, r.IntN(3)))
	case 7:
		return remove(evaluatorKey(fmt.Sprintf("rule%d", r.IntN(3))))
	case 8:
		return put(metadataKey(fmt.Sprintf("m%d", r.IntN(3))), fmt.Sprint(r.IntN(9)))
	case 9:
		return putFlag(flag, fmt.Sprintf(`{"defaultVariant":"off","metadata":{"m1":"own","maxAge":%d},"targeting":{"if":[{"$ref":"rule%d"},"on"]},"variants":{"off":false,"on":true}}`, r.IntN(4), r.IntN(3)))
	case 10:
		return putFlag(flag, `{"variants"`)
	default:
		return putFlag(flag, switchFlag)
	}
}

func sameAnswers(t *testing.T, a, b *flags.Snapshot) {
	t.Helper()
	if !slices.Equal(a.Keys(), b.Keys()) || a.Len() != b.Len() {
		t.Fatal("keys differ")
	}
	if !maps.Equal(flags.MaxAges(a), flags.MaxAges(b)) {
		t.Fatalf("bounds of ages: %v and %v", flags.MaxAges(a), flags.MaxAges(b))
	}
	for i := range 200 {
		key := fmt.Sprintf("flag-%d", i)
		for e := range 6 {
			ec := flags.Entity(fmt.Sprintf("e%d", e), flags.String("plan", fmt.Sprintf("p%d", e%3)))
			x, y := a.View().ValueDetails(key, ec, flags.Value{}), b.View().ValueDetails(key, ec, flags.Value{})
			if x.Variant != y.Variant || x.Reason != y.Reason || x.ErrorCode != y.ErrorCode ||
				!x.Value.Equal(y.Value) || !x.Metadata().Equal(y.Metadata()) || x.ErrorMessage() != y.ErrorMessage() {
				t.Fatalf("%s for e%d: %+v (%s), compiled afresh %+v (%s)", key, e, x, x.Metadata(), y, y.Metadata())
			}
		}
	}
}

func TestApplyRefusesWhatContentsRefuse(t *testing.T) {
	h := newHistory(t)
	h.commit(flags.OpCreate, putFlag("a", switchFlag))
	s := flags.NewSnapshot(h.contents.Checkpoint())
	first, second := h.commit(flags.OpChange, putFlag("b", switchFlag)), h.commit(flags.OpChange, remove(flags.FlagKey("a")))
	for _, c := range []struct {
		name  string
		alter func(*flags.Commit)
		want  error
	}{
		{"a flipped byte", func(c *flags.Commit) { c.Changes = []flags.Mutation{putFlag("b", `{}`)} }, flags.ErrDigest},
		{"a lost change", func(c *flags.Commit) { c.Changes = nil }, flags.ErrDigest},
		{"a wrong count", func(c *flags.Commit) { c.Count++ }, flags.ErrDigest},
		{"another lineage", func(c *flags.Commit) { c.Lineage = "abcdefgh" }, flags.ErrLineage},
		{"another set", func(c *flags.Commit) { c.Set = "other" }, flags.ErrLineage},
		{"a gap", func(c *flags.Commit) { *c = second }, flags.ErrGap},
	} {
		bad := first
		c.alter(&bad)
		if next, err := s.Apply(bad); next != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if next, err := s.Apply(first, second, bad); next != nil || err == nil {
			t.Errorf("%s after good commits was applied", c.name)
		}
	}
	next := mustApply(t, s, first, second)
	sameCheckpoint(t, next.Checkpoint(), h.contents.Checkpoint())
	if got := s.Keys(); !slices.Equal(got, []string{"a"}) {
		t.Fatalf("the snapshot applied to has changed: %q", got)
	}
}

func TestApplyDeleteAndCreateAgain(t *testing.T) {
	h := newHistory(t)
	s := mustApply(t, flags.NewSnapshot(h.contents.Checkpoint()),
		h.commit(flags.OpCreate, putFlag("a", switchFlag), putOverride("a", "e", "on"), put(metadataKey("team"), `"x"`), put(evaluatorKey("r"), `true`)),
		h.commit(flags.OpDelete))
	if s.Len() != 0 || s.Metadata().Len() != 0 || s.Head().Status != flags.StatusDeleted {
		t.Fatalf("deleted set has %d flags, metadata %s", s.Len(), s.Metadata())
	}
	s = mustApply(t, s, h.commit(flags.OpCreate, putFlag("b", switchFlag)), h.commit(flags.OpSeal))
	sameCheckpoint(t, s.Checkpoint(), h.contents.Checkpoint())
	if d := s.View().BoolDetails("b", flags.EvaluationContext{}, true); d.Value || d.Reason != flags.ReasonStatic {
		t.Fatalf("after the new epoch: %+v", d)
	}
}

// Deleting a flag keeps its overrides, which are entries of their own, and they
// hold again once the flag is back.
func TestOverridesOutliveTheirFlag(t *testing.T) {
	h := newHistory(t)
	s := mustApply(t, flags.NewSnapshot(h.contents.Checkpoint()), h.commit(flags.OpCreate, putFlag("a", switchFlag), putOverride("a", "e", "on")))
	s = mustApply(t, s, h.commit(flags.OpChange, remove(flags.FlagKey("a"))))
	ec := flags.Entity("e")
	if d := s.View().BoolDetails("a", ec, false); d.ErrorCode != flags.ErrorFlagNotFound || s.Len() != 0 {
		t.Fatalf("%+v, %d flags", d, s.Len())
	}
	s = mustApply(t, s, h.commit(flags.OpChange, putFlag("a", switchFlag)))
	if d := s.View().BoolDetails("a", ec, false); !d.Value || d.Reason != flags.ReasonTargetingMatch {
		t.Fatalf("%+v", d)
	}
	s = mustApply(t, s, h.commit(flags.OpChange, remove(flags.OverrideKey("a", "e"))))
	if d := s.View().BoolDetails("a", ec, true); d.Value || d.Reason != flags.ReasonStatic {
		t.Fatalf("without its last override: %+v", d)
	}
}

func TestEvaluatorChangesReachTheFlagsThatReferToThem(t *testing.T) {
	h := newHistory(t)
	use := `{"defaultVariant":"off","targeting":{"if":[{"$ref":"beta"},"on"]},"variants":{"off":false,"on":true}}`
	s := mustApply(t, flags.NewSnapshot(h.contents.Checkpoint()), h.commit(flags.OpCreate, putFlag("a", use), putFlag("b", switchFlag)))
	ec := flags.Entity("e", flags.String("plan", "pro"))
	step := func(want flags.Reason, value bool, changes ...flags.Mutation) {
		t.Helper()
		before := s
		s = mustApply(t, s, h.commit(flags.OpChange, changes...))
		if d := s.View().BoolDetails("a", ec, false); d.Reason != want || d.Value != value {
			t.Fatalf("%+v %s, want %s", d, d.ErrorMessage(), want)
		}
		if before.Head().Version == s.Head().Version {
			t.Fatal("no step")
		}
	}
	step(flags.ReasonTargetingMatch, true, put(evaluatorKey("beta"), `{"==":[{"var":"plan"},"pro"]}`))
	step(flags.ReasonDefault, false, put(evaluatorKey("beta"), `{"==":[{"var":"plan"},"free"]}`))
	step(flags.ReasonError, false, put(evaluatorKey("beta"), `{"nonsense":[]}`))
	step(flags.ReasonError, false, remove(evaluatorKey("beta")))
	step(flags.ReasonTargetingMatch, true, put(evaluatorKey("beta"), `true`))
}
