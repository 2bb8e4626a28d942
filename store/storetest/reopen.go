package storetest

import (
	"errors"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

var reopenClauses = map[string]func(*env){
	"everything is still there": func(e *env) {
		want := e.history(e.h.Commits)
		e.apply(create("other", put("a", onOff)))
		other, head := e.head("other"), e.head(set)
		e.reopen()
		if e.head(set) != head || e.head("other") != other {
			e.Fatalf("heads %+v and %+v, want %+v and %+v", e.head(set), e.head("other"), head, other)
		}
		e.holds(map[string][]byte{"n": flagOf(e.h.Commits - 1)})
		got := e.allCommits()
		if len(got) != len(want) {
			e.Fatalf("%d commits, want %d", len(got), len(want))
		}
		for i := range got {
			e.same("commit after reopening", got[i], want[i])
		}
	},
	"revisions go on": func(e *env) {
		e.history(3)
		e.reopen()
		if c := e.apply(change(put("n", flagOf(9)))); c.Version != (flags.Version{Revision: 5}) {
			e.Fatalf("the next commit got %s", c.Version)
		}
		e.refuse(create(set), store.ErrExists)
	},
	"a commit is still applied once": func(e *env) {
		e.history(1)
		c := change(put("n", flagOf(5)))
		first := e.apply(c)
		e.apply(change(put("n", flagOf(6))))
		e.reopen()
		e.same("commit repeated after reopening", e.apply(c), first)
		e.holds(map[string][]byte{"n": flagOf(6)})
	},
	"preconditions still hold": func(e *env) {
		e.apply(create(set, put("a", flagOf(1)), put("b", flagOf(1))))
		e.apply(change(put("b", flagOf(2))))
		e.reopen()
		e.refuse(when(change(put("b", flagOf(3))), flags.FlagKey("b"), 1), store.ErrConflict)
		e.apply(when(change(put("a", flagOf(3))), flags.FlagKey("a"), 1))
	},
	"ended sets stay ended": func(e *env) {
		e.history(1)
		e.apply(end(flags.OpDelete))
		e.reopen()
		e.refuse(change(put("n", flagOf(5))), store.ErrEnded)
		if c := e.apply(create(set)); c.Epoch != 1 {
			e.Fatalf("created again at %s, want epoch 1", c.Version)
		}
	},
	"readers go on": func(e *env) {
		e.history(5)
		c := contentsOf(e, set)
		e.apply(change(put("n", flagOf(50))))
		e.reopen()
		u := e.fetch(set, c.Head())
		if u.Checkpoint != nil || len(u.Commits) != 1 {
			e.Fatalf("to who is one behind came checkpoint %v and %d commits", u.Checkpoint != nil, len(u.Commits))
		}
		f := e.follow(c)
		f.until(headOf(e.apply(change(put("n", flagOf(51))))))
		if f.resets != 0 {
			e.Fatal("the reader was reset")
		}
	},
}

func (e *env) reopen() {
	e.Helper()
	if e.h.Reopen == nil {
		e.Fatal(errors.New("harness has no Reopen and does not except \"reopen\""))
	}
	e.s = e.h.Reopen(e, e.s)
}

var tamperClauses = map[string]func(*env){
	"is found out": func(e *env) {
		if e.h.Tamper == nil {
			e.Fatal(errors.New("harness has no Tamper and does not except \"tamper\""))
		}
		commits := e.history(10)
		known := map[flags.Head]bool{}
		for _, c := range commits {
			known[c.Head()] = true
		}
		s, err := e.h.Tamper(e, e.s, set)
		if err != nil {
			return // refused at the door
		}
		e.s = s
		u, err := s.Fetch(e.ctx(), set, flags.Head{Set: set})
		if err != nil {
			return // refused to those who ask
		}
		if err := install(flags.NewContents(set), u); err != nil || !known[u.Head] {
			e.Fatalf("a changed byte got through: head %+v: %v", u.Head, err)
		}
	},
}
