package storetest

import (
	"errors"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

var newest = flags.Version{Epoch: 1 << 40, Revision: 1 << 40}

var historyClauses = map[string]func(*env){
	"is read in pages": func(e *env) {
		want := e.history(e.h.Commits - 1)
		from, n := flags.Version{}, 0
		for page := 7; ; page = page*3 + 1 {
			got := e.commits(from, newest, page)
			if len(got) > page {
				e.Fatalf("asked for at most %d commits, got %d", page, len(got))
			}
			for _, c := range got {
				e.same("commit read back", c, want[n])
				n++
			}
			if n == len(want) {
				break
			}
			if len(got) == 0 {
				e.Fatalf("history ended after %d commits of %d", n, len(want))
			}
			from = flags.Version{Epoch: got[len(got)-1].Epoch, Revision: got[len(got)-1].Revision + 1}
		}
	},
	"has a bound of its own": func(e *env) {
		want := e.history(e.h.Commits - 1)
		if got := e.commits(flags.Version{}, newest, 0); len(got) < min(256, len(want)) {
			e.Fatalf("without a limit %d commits came, want 256 at least", len(got))
		}
	},
	"takes both ends in": func(e *env) {
		e.history(9)
		for _, r := range []struct{ from, to, first, n uint64 }{
			{3, 5, 3, 3}, {3, 3, 3, 1}, {0, 2, 1, 2}, {9, 50, 9, 2}, {11, 50, 0, 0}, {5, 4, 0, 0},
		} {
			got := e.commits(flags.Version{Revision: r.from}, flags.Version{Revision: r.to}, 0)
			if len(got) != int(r.n) || r.n > 0 && got[0].Revision != r.first {
				e.Fatalf("from %d to %d: %d commits, want %d beginning with %d", r.from, r.to, len(got), r.n, r.first)
			}
		}
	},
	"goes on through epochs": func(e *env) {
		e.history(2)
		e.apply(end(flags.OpDelete))
		e.apply(create(set, put("a", onOff)))
		e.apply(change(remove("a")))
		var got []flags.Version
		c := flags.NewContents(set)
		for _, commit := range e.commits(flags.Version{}, newest, 0) {
			got = append(got, commit.Version)
			if err := c.Apply(&commit); err != nil {
				e.Fatalf("the journal does not add up: %v", err)
			}
		}
		if len(got) != 6 || got[3] != (flags.Version{Revision: 4}) || got[4] != (flags.Version{Epoch: 1, Revision: 1}) {
			e.Fatalf("versions %v", got)
		}
		if c.Head() != e.head(set) {
			e.Fatalf("the journal comes to %+v, head is %+v", c.Head(), e.head(set))
		}
	},
	"of no set": func(e *env) {
		_, err := e.s.Commits(e.ctx(), "nowhere", flags.Version{}, newest, 0)
		e.wantError("Commits", err, store.ErrNotFound)
		heads, err := e.s.Sets(e.ctx())
		if err != nil || len(heads) != 0 {
			e.Fatalf("Sets of an empty store: %v, %v", heads, err)
		}
	},
}

var compactionClauses = map[string]func(*env){
	"is said plainly": func(e *env) {
		e.compacted()
		_, err := e.s.Commits(e.ctx(), set, flags.Version{Revision: 1}, newest, 0)
		e.wantError("Commits from the first one", err, store.ErrCompacted)
		if flags.ClassOf(err) != flags.ClassPermanent {
			e.Errorf("class %s, want permanent", flags.ClassOf(err))
		}
	},
	"tells how far back it reaches": func(e *env) {
		e.compacted()
		oldest := e.commits(flags.Version{}, newest, 1)
		if len(oldest) != 1 || oldest[0].Revision == 1 {
			e.Fatalf("the oldest commit is said to be %+v", oldest)
		}
		before := oldest[0].Version
		before.Revision--
		_, err := e.s.Commits(e.ctx(), set, before, newest, 1)
		e.wantError("Commits from before the oldest", err, store.ErrCompacted)
	},
	"keeps the newest": func(e *env) {
		e.compacted()
		head := e.head(set)
		got := e.commits(head.Version, newest, 0)
		if len(got) != 1 || got[0].Head() != head {
			e.Fatalf("the newest commit is gone: %+v", got)
		}
	},
	"loses no content": func(e *env) {
		first := e.compacted()
		c := contentsOf(e, set)
		if entry, ok := c.Get(flags.FlagKey("old")); !ok || entry.Revision != 2 {
			e.Fatalf("a flag of a compacted commit: there %v, revision %d", ok, entry.Revision)
		}
		late := flags.NewContents(set)
		if err := late.Apply(&first); err != nil {
			e.Fatal(err)
		}
		e.advance(late) // however the store leads on from there
		if late.Head() != c.Head() {
			e.Fatalf("from the first commit one gets to %+v, want %+v", late.Head(), c.Head())
		}
	},
	"goes on": func(e *env) {
		e.compacted()
		head := e.head(set)
		if c := e.apply(change(put("n", flagOf(77)))); c.Revision != head.Revision+1 {
			e.Fatalf("after compaction at %s came %s", head.Version, c.Version)
		}
	},
}

// compacted writes a history and compacts it; it returns the first commit.
func (e *env) compacted() flags.Commit {
	e.Helper()
	first := e.apply(create(set))
	e.apply(change(put("old", onOff)))
	for i := range 20 {
		e.apply(change(put("n", flagOf(i))))
	}
	if e.h.Compact == nil {
		e.Fatal(errors.New("harness has no Compact and does not except \"compaction\""))
	}
	e.h.Compact(e, e.s, set)
	return first
}
