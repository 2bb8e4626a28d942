package flags_test

import (
	"fmt"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// provider keeps STATIC answers by the key of the flag alone, as flagd's providers do.
type provider struct {
	view flags.View
	kept map[string]bool
}

func (p *provider) ask(key, entity string) bool {
	if v, ok := p.kept[key]; ok {
		return v
	}
	d := p.view.BoolDetails(key, flags.Entity(entity), false)
	if d.Reason == flags.ReasonStatic {
		p.kept[key] = d.Value
	}
	return d.Value
}

// overridden asks about flags of which entities have overrides, in several orders, and
// returns how many were answered with what is somebody else's.
func overridden(t *testing.T, sabotage func(*flags.Snapshot) *flags.Snapshot) (wrong int) {
	t.Helper()
	const def = `{"variants":{"on":true,"off":false},"defaultVariant":"off"}`
	h := newHistory(t)
	commits := []flags.Commit{h.commit(flags.OpCreate, putFlag("mine", def), putFlag("nobodys", def))}
	for i := range 3 {
		key := flags.OverrideKey("mine", fmt.Sprint("tenant-", i))
		commits = append(commits, h.commit(flags.OpChange, flags.Mutation{Key: key, Bytes: []byte(`{"variant":"on"}`)}))
	}
	grown := mustApply(t, flags.NewSnapshot(newHistory(t).contents.Checkpoint()), commits...)
	for _, s := range []*flags.Snapshot{grown, flags.NewSnapshot(grown.Checkpoint())} {
		if sabotage != nil {
			s = sabotage(s)
		}
		for _, order := range [][]int{{0, 9, 1}, {9, 0, 8}, {9, 8, 2}} {
			p := &provider{view: s.View(), kept: map[string]bool{}}
			for _, i := range order {
				entity := fmt.Sprint("tenant-", i)
				if p.ask("mine", entity) != (i < 3) || p.ask("nobodys", entity) {
					wrong++
				}
			}
			if _, kept := p.kept["nobodys"]; !kept {
				t.Error("a flag that nobody has an override of was not kept")
			}
		}
	}
	return wrong
}

// TestOverridesAreNeverStatic: whoever keeps STATIC answers for every context never gives an
// entity what is another's.
func TestOverridesAreNeverStatic(t *testing.T) {
	if wrong := overridden(t, nil); wrong > 0 {
		t.Errorf("%d answers were somebody else's", wrong)
	}
}

// TestOverridesThatAreStatic is its twin.
func TestOverridesThatAreStatic(t *testing.T) {
	if overridden(t, flags.StaticDespiteOverrides) == 0 {
		t.Error("a provider that keeps an answer for all contexts was never wrong")
	}
}
