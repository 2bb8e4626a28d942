package cachetest

import (
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

var guardClauses = map[string]func(*env){
	"older refused": func(e *env) {
		h := e.history(set, 5)
		e.put(h.whole(4), cachestrategy.Stored)
		e.put(h.whole(3), cachestrategy.Older)
		e.put(h.since(1, 2), cachestrategy.Older)
		e.holds(h, 4)
		e.put(h.whole(5), cachestrategy.Stored)
		e.holds(h, 5)
	},
	"older refused after expiry": func(e *env) {
		h := e.history(set, 5)
		o := h.whole(4)
		o.AsOf = time.Now().Add(-time.Hour)
		e.put(o, cachestrategy.Stored)
		e.put(h.whole(3), cachestrategy.Older)
		e.holds(h, 4)
	},
	"older refused after the entry is gone": func(e *env) {
		h := e.history(set, 5)
		e.put(h.whole(4), cachestrategy.Stored)
		if err := e.s.Invalidate(e.Context(), set); err != nil {
			e.Fatalf("Invalidate: %v", err)
		}
		e.put(h.whole(3), cachestrategy.Older)
		e.misses(set)
		e.put(h.whole(4), cachestrategy.Stored)
		e.holds(h, 4)
	},
	"older refused though authoritative": func(e *env) {
		h := e.history(set, 3)
		e.put(h.whole(3), cachestrategy.Stored)
		o := h.whole(2)
		o.Authoritative = true
		e.put(o, cachestrategy.Older)
		e.holds(h, 3)
	},
	"revisions are numbers": func(e *env) {
		h := e.history(set, 11)
		e.put(h.whole(10), cachestrategy.Stored) // as strings, 9 is more than 10
		e.put(h.whole(9), cachestrategy.Older)
		e.put(h.whole(11), cachestrategy.Stored)
		e.holds(h, 11)
	},
	"huge revisions": func(e *env) {
		// Neighbours beyond 2^53, where doubles cannot tell them apart.
		at := func(r uint64) cachestrategy.Offer {
			head := flags.Head{Set: set, Lineage: "hugehuge", Version: flags.Version{Epoch: 1 << 60, Revision: r}}
			return cachestrategy.Offer{Update: flags.Update{Head: head, Checkpoint: &flags.Checkpoint{Head: head}}}
		}
		e.put(at(1<<53+1), cachestrategy.Stored)
		e.put(at(1<<53), cachestrategy.Older)
		e.put(at(1<<53+2), cachestrategy.Stored)
		e.put(at(1<<64-1), cachestrategy.Stored)
		e.put(at(1<<64-2), cachestrategy.Older)
		if got := e.cold(set).Head.Revision; got != 1<<64-1 {
			e.Errorf("revision %d, want %d", got, uint64(1<<64-1))
		}
	},
	"epochs come first": func(e *env) {
		h := e.history(set, 5)
		h.add(set, flags.OpSeal)
		h.add(set, flags.OpCreate, put("n", flagOf(7)))
		e.put(h.whole(5), cachestrategy.Stored)
		e.put(h.whole(7), cachestrategy.Stored) // revision 1 of the next epoch
		e.put(h.whole(6), cachestrategy.Older)
		e.holds(h, 7)
	},
	"lineage": func(e *env) {
		mine, other := e.history(set, 2), e.history(set, 9)
		e.put(mine.whole(2), cachestrategy.Stored)
		e.put(other.whole(9), cachestrategy.Conflict)
		e.put(other.since(2, 9), cachestrategy.Conflict)
		e.holds(mine, 2)
		o := other.whole(1) // an authoritative lineage may begin anywhere
		o.Authoritative = true
		e.put(o, cachestrategy.Stored)
		e.holds(other, 1)
		e.put(mine.whole(2), cachestrategy.Conflict)
		e.holds(other, 1)
	},
	"lineage after the entry is gone": func(e *env) {
		mine, other := e.history(set, 2), e.history(set, 9)
		e.put(mine.whole(2), cachestrategy.Stored)
		if err := e.s.Invalidate(e.Context(), set); err != nil {
			e.Fatalf("Invalidate: %v", err)
		}
		e.put(other.whole(9), cachestrategy.Conflict)
		e.misses(set)
	},
	"other contents at the same version": func(e *env) {
		h := e.history(set, 3)
		e.put(h.whole(3), cachestrategy.Stored)
		liar := &history{env: e, commits: h.commits[:2:2], at: h.at[:2:2]}
		liar.add(set, flags.OpChange, put("n", flagOf(99)))
		e.put(liar.whole(3), cachestrategy.Conflict)
		e.holds(h, 3)
		o := liar.whole(3)
		o.Authoritative = true // about the lineage, which is the same
		e.put(o, cachestrategy.Conflict)
		e.holds(h, 3)
		o.Origin = true
		e.put(o, cachestrategy.Stored)
		e.holds(liar, 3)
	},
	"other contents after the entry is gone": func(e *env) {
		h := e.history(set, 3)
		e.put(h.whole(3), cachestrategy.Stored)
		if err := e.s.Invalidate(e.Context(), set); err != nil {
			e.Fatalf("Invalidate: %v", err)
		}
		liar := &history{env: e, commits: h.commits[:2:2], at: h.at[:2:2]}
		liar.add(set, flags.OpChange, put("n", flagOf(99)))
		e.put(liar.whole(3), cachestrategy.Conflict)
		e.misses(set)
		e.put(h.whole(3), cachestrategy.Stored)
		e.holds(h, 3)
	},
}
