package storetest

import (
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

var lifecycleClauses = map[string]func(*env){
	"a set begins by creation alone": func(e *env) {
		e.refuse(change(put("a", onOff)), store.ErrNotFound)
		e.refuse(end(flags.OpDelete), store.ErrNotFound)
		e.refuse(end(flags.OpSeal), store.ErrNotFound)
		c := e.apply(create(set, put("a", onOff)))
		if c.Version != (flags.Version{Revision: 1}) || len(c.Lineage) != 8 {
			e.Fatalf("created as %+v", c)
		}
		e.refuse(create(set), store.ErrExists)
	},
	"a lineage is for ever": func(e *env) {
		first := e.apply(create(set))
		e.apply(end(flags.OpDelete))
		again := e.apply(create(set))
		if last := e.apply(change(put("a", onOff))); again.Lineage != first.Lineage || last.Lineage != first.Lineage {
			e.Fatalf("lineages %s, %s, %s", first.Lineage, again.Lineage, last.Lineage)
		}
	},
	"a sealed set keeps its contents": func(e *env) {
		e.history(3)
		sealed := e.apply(end(flags.OpSeal))
		if h := e.head(set); h.Status != flags.StatusSealed || h != sealed.Head() || h.Revision != 5 {
			e.Fatalf("head %+v", h)
		}
		e.holds(map[string][]byte{"n": flagOf(2)})
		e.refuse(change(put("n", flagOf(9))), store.ErrEnded)
		e.refuse(end(flags.OpDelete), store.ErrEnded)
	},
	"a deleted set is there and empty": func(e *env) {
		e.history(3)
		e.apply(end(flags.OpDelete))
		if h := e.head(set); h.Status != flags.StatusDeleted || h.Count != 0 || h.Digest != (flags.Digest{}) {
			e.Fatalf("head %+v", h)
		}
		e.holds(nil)
		e.refuse(change(put("n", flagOf(9))), store.ErrEnded)
		heads, err := e.s.Sets(e.ctx())
		if err != nil || len(heads) != 1 || heads[0].Status != flags.StatusDeleted {
			e.Fatalf("Sets: %+v, %v", heads, err)
		}
	},
	"creation again begins an epoch": func(e *env) {
		for epoch, op := range []flags.Op{flags.OpDelete, flags.OpSeal} {
			c := e.apply(create(set, put("a", flagOf(epoch))))
			if c.Version != (flags.Version{Epoch: uint64(epoch), Revision: 1}) {
				e.Fatalf("created at %s, want epoch %d", c.Version, epoch)
			}
			e.holds(map[string][]byte{"a": flagOf(epoch)}) // nothing is left from before
			e.apply(end(op))
		}
	},
	"a writer of the old epoch conflicts": func(e *env) {
		commits := e.history(3)
		e.apply(end(flags.OpSeal))
		e.apply(create(set, put("n", flagOf(0))))
		c := change(put("n", flagOf(9)))
		c.If = commits[3].Version
		e.refuse(c, store.ErrConflict)
		e.refuse(when(change(put("n", flagOf(9))), flags.FlagKey("n"), 4), store.ErrConflict)
	},
}
