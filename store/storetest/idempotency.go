package storetest

import (
	"sync"

	"github.com/holdfast-flags/holdfast/flags"
)

var idempotencyClauses = map[string]func(*env){
	"the same id is applied once": func(e *env) {
		e.history(1)
		c := change(put("n", flagOf(5)))
		first := e.apply(c)
		e.apply(change(put("n", flagOf(6))))
		e.same("repeated commit", e.apply(c), first)
		if h := e.head(set); h.Revision != 4 {
			e.Fatalf("the set is at revision %d, want 4", h.Revision)
		}
		e.holds(map[string][]byte{"n": flagOf(6)})
	},
	"mine, already applied, is no conflict": func(e *env) {
		e.history(1)
		c := when(change(put("n", flagOf(5))), flags.FlagKey("n"), 2)
		first := e.apply(c)
		e.same("repeated commit", e.apply(c), first)
	},
	"creation can be repeated": func(e *env) {
		c := create(set, put("a", flagOf(1)))
		first := e.apply(c)
		e.same("repeated creation", e.apply(c), first)
	},
	"ends can be repeated": func(e *env) {
		e.history(1)
		c := end(flags.OpDelete)
		first := e.apply(c)
		e.same("repeated deletion", e.apply(c), first)
	},
	"ids are of a set": func(e *env) {
		a := create("a")
		b := a
		b.Set = "b"
		if e.apply(a).Set != "a" || e.apply(b).Set != "b" {
			e.Fatal("the same id in another set is another commit")
		}
	},
	"at the same time": func(e *env) {
		e.apply(create(set))
		c := change(put("n", flagOf(1)))
		got := make([]flags.Commit, e.h.Writers)
		errs := make([]error, e.h.Writers)
		var wg sync.WaitGroup
		ctx := e.ctx()
		for i := range got {
			wg.Go(func() { got[i], errs[i] = e.s.Apply(ctx, c) })
		}
		wg.Wait()
		for i := range got {
			if errs[i] != nil {
				e.Fatalf("Apply: %v", errs[i])
			}
			e.same("concurrent repetition", got[i], got[0])
		}
		if h := e.head(set); h.Revision != 2 {
			e.Fatalf("the set is at revision %d, want 2", h.Revision)
		}
	},
	"far back": func(e *env) {
		e.apply(create(set))
		c := change(put("first", flagOf(1)))
		first := e.apply(c)
		for i := range e.h.Commits {
			e.apply(change(put("n", flagOf(i))))
		}
		e.same("commit repeated late", e.apply(c), first)
	},
}
