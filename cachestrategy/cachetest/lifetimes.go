package cachetest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// lifetimes is a model of what the entries of many sets should say about
// themselves, whatever happens to the others.
type lifetimes struct {
	*env
	rng  *rand.Rand
	sets []lifetime
}

// lifetime is that of one set.
type lifetime struct {
	offer       cachestrategy.Offer
	end, usable time.Time
}

func newLifetimes(e *env, sets int) *lifetimes {
	l := &lifetimes{env: e, rng: rand.New(rand.NewPCG(7, uint64(sets))), sets: make([]lifetime, sets)}
	for i := range l.sets {
		head := flags.Head{Set: fmt.Sprintf("set-%05d", i), Lineage: "lifetime"}
		l.sets[i].offer.Update = flags.Update{Head: head}
		l.newer(&l.sets[i])
	}
	return l
}

// call does one thing to one set: a new version, another confirmation, a read.
func (l *lifetimes) call() {
	s := &l.sets[l.rng.IntN(len(l.sets))]
	switch l.rng.IntN(4) {
	case 0:
		l.newer(s)
	case 1:
		l.again(s)
	default:
		l.get(cachestrategy.Query{Set: s.offer.Head.Set, HeadOnly: l.rng.IntN(2) == 0})
	}
}

// random gives an offer a lifetime, begun up to a minute ago.
func (l *lifetimes) random(o *cachestrategy.Offer) {
	o.AsOf = time.Now().Add(-time.Duration(l.rng.IntN(60_000)) * time.Millisecond)
	o.TTL = time.Duration(1+l.rng.IntN(3_600_000)) * time.Millisecond
	o.Margin = time.Duration(1+l.rng.IntN(int(o.TTL/time.Microsecond)-1)) * time.Microsecond
}

// newer puts a new version, with a lifetime of its own.
func (l *lifetimes) newer(s *lifetime) {
	s.offer.Head.Revision++
	s.offer.Checkpoint = &flags.Checkpoint{Head: s.offer.Head}
	l.random(&s.offer)
	l.put(s.offer, cachestrategy.Stored)
	s.end, s.usable = s.offer.AsOf.Add(s.offer.TTL), s.offer.AsOf.Add(s.offer.TTL-s.offer.Margin)
}

// again confirms the version with another lifetime: a later confirmation lengthens
// it where it can, an earlier one does nothing.
func (l *lifetimes) again(s *lifetime) {
	before := s.offer.AsOf
	l.random(&s.offer)
	want := cachestrategy.Unchanged
	if s.offer.AsOf.Sub(before).Abs() <= l.h.Tolerance {
		s.offer.AsOf = before.Add(-2 * l.h.Tolerance) // which of the two is later would be for the clock to say
	}
	if s.offer.AsOf.After(before) {
		want = cachestrategy.Renewed
		s.end = latest(s.end, s.offer.AsOf.Add(s.offer.TTL))
		s.usable = latest(s.usable, s.offer.AsOf.Add(s.offer.TTL-s.offer.Margin))
	}
	l.put(s.offer, want)
	if want == cachestrategy.Unchanged {
		s.offer.AsOf = before
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// check wants each set to expire, and to stop being usable, exactly when it should.
func (l *lifetimes) check() {
	for i := range l.sets {
		s := &l.sets[i]
		entry := l.get(cachestrategy.Query{Set: s.offer.Head.Set})
		if off := entry.ExpiresAt.Sub(s.end).Abs(); off > l.h.Tolerance {
			l.Fatalf("%s expires %v off", s.offer.Head.Set, off)
		}
		if !entry.Usable(s.usable.Add(-l.h.Tolerance)) || entry.Usable(s.usable.Add(l.h.Tolerance)) {
			l.Fatalf("%s is usable until %v, want %v", s.offer.Head.Set, entry.ExpiresAt.Add(-entry.Margin), s.usable)
		}
	}
}
