package storetest

import (
	"errors"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

func when(c flags.Commit, key flags.EntryKey, revision uint64) flags.Commit {
	c.Conditions = append(c.Conditions, flags.Condition{Key: key, Version: flags.Version{Revision: revision}})
	return c
}

var preconditionClauses = map[string]func(*env){
	"entry at its revision": func(e *env) {
		e.apply(create(set, put("a", flagOf(1)), put("b", flagOf(1))))
		e.apply(change(put("b", flagOf(2)))) // a foreign change is no conflict
		e.apply(when(change(put("a", flagOf(2))), flags.FlagKey("a"), 1))
		err := e.refuse(when(change(put("a", flagOf(3))), flags.FlagKey("a"), 1), store.ErrConflict)
		e.holds(map[string][]byte{"a": flagOf(2), "b": flagOf(2)})
		if flags.ClassOf(err) != flags.ClassPermanent {
			e.Errorf("a conflict is of class %s, want permanent", flags.ClassOf(err))
		}
		var conflict *store.ConflictError
		if !errors.As(err, &conflict) {
			e.Fatalf("no *store.ConflictError in %v", err)
		}
		if conflict.Key == nil || *conflict.Key != flags.FlagKey("a") || conflict.Want != 1 || conflict.Have != 3 || conflict.Token != e.head(set).Token() {
			e.Fatalf("the conflict says %+v", conflict)
		}
	},
	"entry must not exist": func(e *env) {
		e.apply(create(set))
		e.apply(when(change(put("a", flagOf(1))), flags.FlagKey("a"), 0))
		e.refuse(when(change(put("a", flagOf(2))), flags.FlagKey("a"), 0), store.ErrConflict)
		e.apply(change(remove("a")))
		e.apply(when(change(put("a", flagOf(3))), flags.FlagKey("a"), 0))
	},
	"entry must exist": func(e *env) {
		e.apply(create(set))
		e.refuse(when(change(put("a", flagOf(1))), flags.FlagKey("a"), 1), store.ErrConflict)
	},
	"all of several must hold": func(e *env) {
		e.apply(create(set, put("a", flagOf(1)), put("b", flagOf(1))))
		c := when(change(put("a", flagOf(2)), put("b", flagOf(2))), flags.FlagKey("a"), 1)
		e.refuse(when(c, flags.FlagKey("b"), 7), store.ErrConflict)
		e.holds(map[string][]byte{"a": flagOf(1), "b": flagOf(1)})
	},
	"on an entry that is not changed": func(e *env) {
		e.apply(create(set, put("guard", flagOf(1))))
		e.apply(when(change(put("a", flagOf(1))), flags.FlagKey("guard"), 1))
		e.apply(change(put("guard", flagOf(2))))
		e.refuse(when(change(put("a", flagOf(2))), flags.FlagKey("guard"), 1), store.ErrConflict)
	},
	"overrides are entries": func(e *env) {
		key := flags.OverrideKey("a", "tenant-42")
		e.apply(create(set, put("a", onOff)))
		m := flags.Mutation{Key: key, Bytes: []byte(`{"variant":"on"}`)}
		e.apply(when(change(m), key, 0))
		e.apply(when(change(put("a", onOff)), flags.FlagKey("a"), 1)) // the flag did not move
		e.refuse(when(change(m), key, 0), store.ErrConflict)
	},
	"whole set at its version": func(e *env) {
		commits := e.history(2)
		c := change(put("n", flagOf(7)))
		c.If = commits[2].Version
		e.apply(c)
		c.ID = flags.NewCommitID()
		err := e.refuse(c, store.ErrConflict)
		var conflict *store.ConflictError
		if !errors.As(err, &conflict) || conflict.Key != nil || conflict.Want != 3 || conflict.Have != 4 {
			e.Fatalf("the conflict says %+v", conflict)
		}
		c.If.Revision = 99
		e.refuse(c, store.ErrConflict)
	},
	"none at all rebases": func(e *env) {
		e.history(2)
		e.apply(change(put("a", flagOf(1))))
		e.apply(change(remove("never there")))
		e.holds(map[string][]byte{"n": flagOf(1), "a": flagOf(1)})
	},
	"of an earlier epoch never holds": func(e *env) {
		e.apply(create(set, put("a", flagOf(1))))
		e.apply(change(put("a", flagOf(2))))
		end := flags.Commit{Set: set, ID: flags.NewCommitID(), Op: flags.OpDelete, Actor: flags.Actor{Kind: "system"}}
		e.apply(end)
		e.apply(create(set, put("a", flagOf(3))))
		e.apply(change(put("a", flagOf(4)))) // at revision 2 again, of the next epoch
		e.refuse(when(change(put("a", flagOf(5))), flags.FlagKey("a"), 2), store.ErrConflict)
		c := change(put("a", flagOf(5)))
		c.Conditions = []flags.Condition{{Key: flags.FlagKey("a"), Version: flags.Version{Epoch: 1, Revision: 2}}}
		e.apply(c)
	},
	"are kept in the journal": func(e *env) {
		e.history(1)
		c := when(change(put("n", flagOf(5))), flags.FlagKey("n"), 2)
		c.If = flags.Version{Revision: 2}
		accepted := e.apply(c)
		got := e.commits(accepted.Version, accepted.Version, 0)
		if len(got) != 1 || len(got[0].Conditions) != 1 || got[0].If != c.If {
			e.Fatalf("read back as %+v", got)
		}
	},
}
