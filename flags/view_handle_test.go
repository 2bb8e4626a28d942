package flags

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// pairs is a set in which two flags always have the same number as the revision.
func pairs(t testing.TB, n int) []*Snapshot {
	t.Helper()
	c := NewContents("pairs")
	s := NewSnapshot(c.Checkpoint())
	var all []*Snapshot
	for i := range n {
		text := fmt.Appendf(nil, `{"defaultVariant":"n","variants":{"n":%d}}`, i)
		commit := Commit{ID: NewCommitID(), Changes: []Mutation{{FlagKey("a"), text}, {FlagKey("b"), text}}}
		if i == 0 {
			commit.Op = OpCreate
		}
		if err := c.Seal(&commit); err != nil {
			t.Fatal(err)
		}
		if err := c.Apply(&commit); err != nil {
			t.Fatal(err)
		}
		next, err := s.Apply(commit)
		if err != nil {
			t.Fatal(err)
		}
		s = next
		all = append(all, s)
	}
	return all
}

// A handle never answers from an older snapshot than the one that is published,
// and a view never from two, while snapshots come and go.
func TestHandlesFollowWhileSnapshotsChange(t *testing.T) {
	all := pairs(t, 200)
	var state atomic.Pointer[published]
	a, b := newHandle(&state, "a"), newHandle(&state, "b")
	if d := a.IntDetails(EvaluationContext{}, -1); d.Value != -1 || d.ErrorCode != ErrorProviderNotReady {
		t.Fatalf("before any set: %+v", d)
	}
	state.Store(&published{})
	if d := a.IntDetails(EvaluationContext{}, -1); d.Value != -1 || d.ErrorCode != ErrorProviderNotReady || a.Int(EvaluationContext{}, -1) != -1 {
		t.Fatalf("before any set: %+v", d)
	}
	state.Store(&published{snap: all[0]})
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			last := int64(0)
			for !done.Load() {
				x := a.Int(EvaluationContext{}, -1)
				y := b.IntDetails(EvaluationContext{}, -1).Value
				if x < last || y < x {
					t.Errorf("backwards: had %d, then a is %d, then b is %d", last, x, y)
					return
				}
				last = y
				v := View{state.Load()}
				if x, y := v.Int("a", EvaluationContext{}, -1), v.Int("b", EvaluationContext{}, -1); x != y {
					t.Errorf("one view shows a %d and b %d", x, y)
					return
				}
			}
		})
	}
	for _, s := range all {
		state.Store(&published{snap: s})
	}
	done.Store(true)
	readers.Wait()
	if got := a.Int(EvaluationContext{}, -1); got != int64(len(all)-1) {
		t.Fatalf("at the end %d", got)
	}
}

func TestHandleOfEveryType(t *testing.T) {
	w := newBenchWorld(t)
	h := func(key string) *Handle { return newHandle(&w.state, key) }
	if h("static").Key() != "static" || !h("static").Bool(w.ec, false) || !h("one-rule").BoolDetails(w.ec, false).Value {
		t.Error("bool")
	}
	if h("string").String(w.ec, "") != "blue" || h("string").StringDetails(w.ec, "").Variant != "b" {
		t.Error("string")
	}
	if h("object").Object(w.ec, Value{}).String() != `{"size":12}` || h("object").ObjectDetails(w.ec, Value{}).Reason != ReasonStatic {
		t.Error("object")
	}
	if h("string").Int(w.ec, 5) != 5 || h("string").IntDetails(w.ec, 5).ErrorCode != ErrorTypeMismatch ||
		h("none").Float(w.ec, 0.5) != 0.5 || h("none").FloatDetails(w.ec, 0.5).ErrorCode != ErrorFlagNotFound {
		t.Error("faults")
	}
}
