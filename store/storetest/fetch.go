package storetest

import (
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

var fetchClauses = map[string]func(*env){
	"nothing where there is nothing new": func(e *env) {
		e.history(3)
		head := e.head(set)
		if u := e.fetch(set, head); u.Checkpoint != nil || len(u.Commits) != 0 || u.Head != head {
			e.Fatalf("got %+v, want the head alone", u)
		}
	},
	"commits to who is a little behind": func(e *env) {
		commits := e.history(12)
		u := e.fetch(set, commits[2].Head())
		if u.Checkpoint != nil || len(u.Commits) != 10 {
			e.Fatalf("got checkpoint %v and %d commits, want 10 commits alone", u.Checkpoint != nil, len(u.Commits))
		}
		for i, c := range u.Commits {
			e.same("fetched commit", c, commits[3+i])
		}
	},
	"everything to who has nothing": func(e *env) {
		e.history(5)
		u := e.fetch(set, flags.Head{Set: set})
		if u.Checkpoint == nil {
			e.Fatal("no checkpoint")
		}
		if err := install(flags.NewContents(set), u); err != nil {
			e.Fatal(err)
		}
		e.holds(map[string][]byte{"n": flagOf(4)})
	},
	"a checkpoint to another lineage": func(e *env) {
		e.refetched(func(h *flags.Head) { h.Lineage = flags.NewLineage() })
	},
	"a checkpoint where the digest differs": func(e *env) {
		e.refetched(func(h *flags.Head) { h.Digest = flags.EntryHash(flags.FlagKey("x"), nil) })
	},
	"a checkpoint where the digest differs at the head": func(e *env) {
		commits := e.history(3)
		have := commits[3].Head()
		have.Digest = flags.Digest{}
		e.leadsByCheckpoint(have)
	},
	"a checkpoint to who is ahead": func(e *env) {
		e.refetched(func(h *flags.Head) { h.Revision = 99 })
	},
	"a checkpoint to an epoch yet to come": func(e *env) {
		e.refetched(func(h *flags.Head) { h.Epoch = 7 })
	},
	"through epochs": func(e *env) {
		commits := e.history(2)
		e.apply(end(flags.OpSeal))
		e.apply(create(set, put("a", onOff)))
		c := flags.NewContents(set)
		if err := c.Apply(&commits[0]); err != nil {
			e.Fatal(err)
		}
		e.advance(c)
		if c.Head() != e.head(set) || c.Head().Epoch != 1 {
			e.Fatalf("arrived at %+v, want %+v", c.Head(), e.head(set))
		}
	},
	"of no set": func(e *env) {
		for _, name := range []string{"nowhere", "SHOP", "shop2"} {
			e.history0()
			_, err := e.s.Head(e.ctx(), name)
			e.wantError("Head", err, store.ErrNotFound)
			_, err = e.s.Fetch(e.ctx(), name, flags.Head{Set: name})
			e.wantError("Fetch", err, store.ErrNotFound)
			if flags.ClassOf(err) != flags.ClassNotFound {
				e.Fatalf("class %s, want not found", flags.ClassOf(err))
			}
		}
	},
	"of an empty set": func(e *env) {
		e.apply(create(set))
		u := e.fetch(set, flags.Head{Set: set})
		if u.Checkpoint == nil || u.Head.Count != 0 || u.Head.Digest != (flags.Digest{}) || u.Head.Revision != 1 {
			e.Fatalf("no flags is a statement with a revision and a digest; got %+v", u)
		}
	},
}

// history0 creates the usual set unless it is there.
func (e *env) history0() {
	if _, err := e.s.Head(e.ctx(), set); err != nil {
		e.apply(create(set))
	}
}

// refetched wants a reader whose head was made wrong to get a checkpoint.
func (e *env) refetched(wrong func(*flags.Head)) {
	e.Helper()
	commits := e.history(5)
	have := commits[2].Head()
	wrong(&have)
	e.leadsByCheckpoint(have)
}

func (e *env) leadsByCheckpoint(have flags.Head) {
	e.Helper()
	u := e.fetch(set, have)
	if u.Checkpoint == nil {
		e.Fatalf("from %+v no checkpoint came", have)
	}
	c := flags.NewContents(set)
	if err := install(c, u); err != nil {
		e.Fatal(err)
	}
	if c.Head() != e.head(set) {
		e.Fatalf("arrived at %+v, want %+v", c.Head(), e.head(set))
	}
}
