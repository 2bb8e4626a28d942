package cachetest

import (
	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// wantCommits wants a reader at the mth commit to be given exactly those up to the nth.
func (e *env) wantCommits(h *history, m, n int) {
	e.Helper()
	entry := e.after(h.head(m))
	if entry.Checkpoint != nil || len(entry.Commits) != n-m {
		e.Fatalf("a reader at %s gets %d commits (checkpoint: %t), want %d", h.head(m).Token(), len(entry.Commits), entry.Checkpoint != nil, n-m)
	}
	if err := h.check(entry, h.head(m), n); err != nil {
		e.Fatalf("a reader at %s: %v", h.head(m).Token(), err)
	}
}

// wantWhole wants a reader with have to be given everything.
func (e *env) wantWhole(h *history, have flags.Head, n int) {
	e.Helper()
	entry := e.after(have)
	if entry.Checkpoint == nil {
		e.Fatalf("a reader at %s gets %d commits, want a checkpoint", have.Token(), len(entry.Commits))
	}
	if err := h.check(entry, have, n); err != nil {
		e.Fatalf("a reader at %s: %v", have.Token(), err)
	}
}

var tailClauses = map[string]func(*env){
	"commits that follow are appended": func(e *env) {
		h := e.history(set, 6)
		e.put(h.whole(2), cachestrategy.Stored)
		o := h.since(2, 4)
		o.Full = func() *flags.Checkpoint { e.Errorf("the whole set was assembled without need"); return h.at[3] }
		e.put(o, cachestrategy.Stored)
		e.put(h.since(4, 5), cachestrategy.Stored)
		e.holds(h, 5)
		for m := 2; m <= 5; m++ {
			e.wantCommits(h, m, 5)
		}
	},
	"commits that are there are passed over": func(e *env) {
		h := e.history(set, 8)
		e.put(h.whole(2), cachestrategy.Stored)
		e.put(h.since(2, 5), cachestrategy.Stored)
		o := h.since(3, 7)
		o.Full = nil
		e.put(o, cachestrategy.Stored)
		e.wantCommits(h, 2, 7)
		e.holds(h, 7)
	},
	"commits that do not follow": func(e *env) {
		h := e.history(set, 8)
		bare := h.since(4, 6)
		bare.Full = nil
		e.put(bare, cachestrategy.Gap) // there is nothing to follow
		e.misses(set)
		e.put(h.since(0, 2), cachestrategy.Stored)
		e.put(bare, cachestrategy.Gap)
		e.holds(h, 2)
		e.put(h.since(4, 6), cachestrategy.Stored) // by way of the whole set
		e.holds(h, 6)
		e.wantCommits(h, 6, 6)
	},
	"checkpoint and commits": func(e *env) {
		h := e.history(set, 6)
		o := h.whole(3)
		o.Head, o.Commits = h.head(6), h.commits[3:6]
		e.put(o, cachestrategy.Stored)
		e.holds(h, 6)
	},
	"a checkpoint and many commits": func(e *env) {
		h := e.history(set, 400)
		o := h.whole(3)
		o.Head, o.Commits, o.Full = h.head(400), h.commits[3:400], nil
		e.put(o, cachestrategy.Stored)
		if entry := e.holds(h, 400); len(entry.Commits) >= 397 {
			e.Errorf("a cold reader applies %d commits", len(entry.Commits))
		}
	},
	"readers elsewhere get everything": func(e *env) {
		h := e.history(set, 6)
		e.put(h.whole(4), cachestrategy.Stored)
		e.put(h.since(4, 6), cachestrategy.Stored)
		e.wantWhole(h, h.head(2), 6) // too old
		other := e.history(set, 5).head(5)
		e.wantWhole(h, other, 6) // of another history
		changed := h.head(5)
		changed.Digest = changed.Digest.Plus(flags.EntryHash(flags.FlagKey("x"), nil))
		e.wantWhole(h, changed, 6) // not what it should be
		changed = h.head(6)
		changed.Digest = flags.Digest{}
		e.wantWhole(h, changed, 6)
	},
	"readers ahead get the head alone": func(e *env) {
		h := e.history(set, 6)
		e.put(h.whole(4), cachestrategy.Stored)
		entry := e.after(h.head(6))
		if entry.Checkpoint != nil || entry.Commits != nil || entry.Head.Version != h.head(4).Version {
			e.Errorf("a reader that is ahead gets %+v", entry.Update)
		}
	},
	"a new epoch": func(e *env) {
		h := e.history(set, 3)
		e.put(h.whole(2), cachestrategy.Stored)
		h.add(set, flags.OpSeal)
		h.add(set, flags.OpCreate, put("n", flagOf(5)))
		h.add(set, flags.OpChange, put("n", flagOf(6)))
		e.put(h.since(2, 6), cachestrategy.Stored)
		e.holds(h, 6)
		if err := h.check(e.after(h.head(2)), h.head(2), 6); err != nil {
			e.Errorf("a reader of the epoch before: %v", err)
		}
	},
	"the same digest again": func(e *env) {
		// A flag that is turned off and on comes back to a digest it had before: then
		// only the version tells a gap.
		h := &history{env: e}
		h.add(set, flags.OpCreate, put("n", flagOf(1)))
		for r := 2; r <= 6; r++ {
			h.add(set, flags.OpChange, put("n", flagOf(r%2)))
		}
		e.put(h.whole(1), cachestrategy.Stored)
		o := h.since(3, 4)
		o.Full = nil
		e.put(o, cachestrategy.Gap)
		e.put(h.since(1, 6), cachestrategy.Stored)
		for m := 1; m <= 6; m++ {
			e.wantCommits(h, m, 6)
		}
	},
	"bounded": func(e *env) {
		h := e.history(set, 400)
		e.put(h.whole(1), cachestrategy.Stored)
		for n := 2; n <= 400; n += 7 {
			e.put(h.since(n-1, min(n+6, 400)), cachestrategy.Stored)
		}
		if entry := e.holds(h, 400); len(entry.Commits) >= 399 {
			e.Errorf("a cold reader applies %d commits", len(entry.Commits))
		}
		e.wantCommits(h, 398, 400)
	},
}
