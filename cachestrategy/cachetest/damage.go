package cachetest

import (
	"maps"
	"slices"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

var damageClauses = map[string]func(*env){
	// Whatever happened to the bytes, a reader gets the right set or none.
	"never a wrong set": func(e *env) {
		h := e.damageable()
		for _, name := range slices.Sorted(maps.Keys(e.h.Damages)) {
			e.fill(h)
			e.h.Damages[name](e, e.s, set)
			for _, have := range []flags.Head{{}, h.head(1), h.head(3), h.head(5), h.head(6)} {
				entry, err := e.s.Get(e.Context(), cachestrategy.Query{Set: set, Have: have})
				if err != nil {
					continue
				}
				if entry.Head.Version.Before(have.Version) && entry.Checkpoint == nil && entry.Commits == nil {
					continue // it has nothing for this reader
				}
				if err := h.check(entry, have, 5); err != nil {
					e.Errorf("%s: a reader at %s: %v", name, have.Token(), err)
				}
			}
		}
	},
	"noticed": func(e *env) {
		h := e.damageable()
		for _, name := range slices.Sorted(maps.Keys(e.h.Damages)) {
			e.fill(h)
			e.h.Damages[name](e, e.s, set)
			if _, err := e.s.Get(e.Context(), cachestrategy.Query{Set: set}); err == nil {
				e.Errorf("%s: a cold read finds nothing wrong", name)
			}
		}
	},
	"repaired by the next put": func(e *env) {
		h := e.damageable()
		for _, name := range slices.Sorted(maps.Keys(e.h.Damages)) {
			e.fill(h)
			e.h.Damages[name](e, e.s, set)
			_, _ = e.s.Get(e.Context(), cachestrategy.Query{Set: set})
			if got, err := e.s.Put(e.Context(), h.since(4, 5)); err != nil || got != cachestrategy.Stored {
				e.Errorf("%s: repair: %v, %v", name, got, err)
				continue
			}
			if err := h.check(e.cold(set), flags.Head{}, 5); err != nil {
				e.Errorf("%s: after the repair: %v", name, err)
			}
		}
	},
}

func (e *env) damageable() *history {
	if len(e.h.Damages) == 0 {
		e.Fatalf("the harness has no damages; name \"damage\" in Except if there can be none")
	}
	return e.history(set, 6)
}

// fill puts the set after the fifth commit into a fresh cache: a checkpoint and
// two commits.
func (e *env) fill(h *history) {
	e.Helper()
	e.s = e.h.New(e)
	e.put(h.whole(3), cachestrategy.Stored)
	e.put(h.since(3, 5), cachestrategy.Stored)
	e.holds(h, 5)
}
