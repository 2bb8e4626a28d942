package cachetest

import (
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

var entryClauses = map[string]func(*env){
	"absent": func(e *env) {
		e.misses(set)
		e.put(e.history("other", 1).whole(1), cachestrategy.Stored)
		e.misses(set)
	},
	"valid": func(e *env) {
		h := e.history(set, 3)
		e.put(h.whole(3), cachestrategy.Stored)
		if entry := e.holds(h, 3); !entry.Usable(time.Now()) {
			e.Errorf("a fresh entry is not usable: as of %v until %v", entry.AsOf, entry.ExpiresAt)
		}
	},
	"expired": func(e *env) {
		h := e.history(set, 3)
		o := h.whole(3)
		o.AsOf = time.Now().Add(-2 * time.Minute)
		e.put(o, cachestrategy.Stored)
		entry := e.holds(h, 3) // not hidden
		if entry.Usable(time.Now()) {
			e.Errorf("an expired entry is usable: as of %v until %v", entry.AsOf, entry.ExpiresAt)
		}
	},
	"head only": func(e *env) {
		h := e.history(set, 3)
		e.put(h.whole(3), cachestrategy.Stored)
		entry := e.get(cachestrategy.Query{Set: set, HeadOnly: true})
		if !cachestrategy.SameHead(entry.Head, h.head(3)) || entry.Checkpoint != nil || entry.Commits != nil {
			e.Errorf("asked for the head alone, got %+v", entry)
		}
	},
	"sets apart": func(e *env) {
		a, b := e.history("shop", 2), e.history("Shop", 4)
		e.put(a.whole(2), cachestrategy.Stored)
		e.put(b.whole(4), cachestrategy.Stored)
		e.holds(a, 2)
		e.holds(b, 4)
		if err := e.s.Invalidate(e.Context(), "Shop"); err != nil {
			e.Fatalf("Invalidate: %v", err)
		}
		e.misses("Shop")
		e.holds(a, 2)
	},
	"invalidated": func(e *env) {
		h := e.history(set, 3)
		if err := e.s.Invalidate(e.Context(), set); err != nil {
			e.Fatalf("Invalidate of nothing: %v", err)
		}
		e.put(h.whole(3), cachestrategy.Stored)
		if err := e.s.Invalidate(e.Context(), set); err != nil {
			e.Fatalf("Invalidate: %v", err)
		}
		e.misses(set)
		e.put(h.whole(3), cachestrategy.Stored)
		e.holds(h, 3)
	},
	"empty set": func(e *env) {
		h := &history{env: e}
		h.add(set, flags.OpCreate)
		e.put(h.whole(1), cachestrategy.Stored)
		e.holds(h, 1)
	},
	"deleted set": func(e *env) {
		h := e.history(set, 2)
		e.put(h.whole(2), cachestrategy.Stored)
		h.add(set, flags.OpDelete)
		e.put(h.since(2, 3), cachestrategy.Stored)
		if entry := e.holds(h, 3); entry.Head.Status != flags.StatusDeleted {
			e.Errorf("status %v, want deleted: no flags is a statement, not an absence", entry.Head.Status)
		}
	},
}
