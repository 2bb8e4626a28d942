package cachetest

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

var concurrencyClauses = map[string]func(*env){
	// Writers offer versions in any order, as commits and whole, with entries
	// expiring and being dropped in between; readers never see the set go back.
	"nobody goes back": func(e *env) {
		const revisions = 120
		h := e.history(set, revisions)
		e.put(h.whole(1), cachestrategy.Stored)
		var done atomic.Bool
		var writers, readers sync.WaitGroup
		for w := range e.h.Writers {
			rng := rand.New(rand.NewPCG(uint64(w), 2))
			writers.Go(func() { e.writeAtRandom(h, rng) })
		}
		for range 2 {
			readers.Go(func() { e.readForward(h, &done) })
		}
		writers.Wait()
		done.Store(true)
		readers.Wait()
		if _, err := e.s.Put(e.Context(), h.whole(revisions)); err != nil {
			e.Fatalf("Put: %v", err)
		}
		e.holds(h, revisions)
	},
}

func (e *env) writeAtRandom(h *history, rng *rand.Rand) {
	for range e.h.Writes {
		n := 1 + rng.IntN(len(h.at))
		o := h.whole(n)
		if rng.IntN(2) == 0 {
			o = h.since(max(0, n-1-rng.IntN(5)), n)
		}
		o.TTL = time.Duration(1+rng.IntN(5)) * time.Millisecond
		if _, err := e.s.Put(e.Context(), o); err != nil {
			e.Errorf("Put: %v", err)
			return
		}
		if rng.IntN(50) == 0 {
			if err := e.s.Invalidate(e.Context(), set); err != nil {
				e.Errorf("Invalidate: %v", err)
				return
			}
		}
	}
}

// readForward follows the set as a client does and checks each step.
func (e *env) readForward(h *history, done *atomic.Bool) {
	var have flags.Head
	for !done.Load() {
		entry, err := e.s.Get(e.Context(), cachestrategy.Query{Set: set, Have: have})
		switch {
		case isMiss(err):
			continue
		case err != nil:
			e.Errorf("Get after %s: %v", have.Token(), err)
			return
		case entry.Head.Version.Before(have.Version):
			e.Errorf("went back from %s to %s", have.Token(), entry.Head.Token())
			return
		}
		if err := h.check(entry, have, int(entry.Head.Revision)); err != nil {
			e.Errorf("Get after %s: %v", have.Token(), err)
			return
		}
		have = entry.Head
	}
}
