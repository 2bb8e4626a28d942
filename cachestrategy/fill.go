package cachestrategy

import (
	"context"
	"errors"
	"sync"

	"github.com/holdfast-flags/holdfast/flags"
)

// Filler reads through a cache, and lets one reader at a time go on to the origin:
// ten clients of a process that share a Filler cost their origin one read, and one
// more each time the entry runs out. Make it once, next to the cache, and give
// each client the Source of its own origin. Safe for concurrent use.
type Filler struct {
	layer *Layer

	mu    sync.Mutex
	turns map[string]chan struct{} // by set; holding the one token is having the turn

	unordered bool // twin tests: everybody goes at once
}

// NewFiller returns the filler of the cache behind a layer.
func NewFiller(l *Layer) *Filler { return &Filler{layer: l, turns: map[string]chan struct{}{}} }

// Source returns a source that answers from the cache while its entry is usable,
// and from origin otherwise, filling the cache. Where the cache fails, it answers
// from origin alone.
func (f *Filler) Source(origin flags.Source) flags.Source { return filled{f, origin} }

type filled struct {
	*Filler
	origin flags.Source
}

// Head implements flags.Source.
func (s filled) Head(ctx context.Context, set string) (flags.Head, error) {
	u, err := s.Fetch(ctx, set, flags.Head{})
	return u.Head, err
}

// Fetch implements flags.Source.
func (s filled) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	if e, ok, _ := s.lookup(ctx, set, have); ok {
		return e.Update, nil
	}
	release, err := s.turn(ctx, set)
	if err != nil {
		return flags.Update{}, err
	}
	defer release()
	e, ok, err := s.lookup(ctx, set, have) // whoever had the turn before may have filled it
	switch {
	case ok:
		return e.Update, nil
	case err != nil && !errors.Is(err, ErrMiss) && !errors.Is(err, ErrDamaged):
		return s.origin.Fetch(ctx, set, have)
	}
	return s.fill(ctx, set, have, e.Head)
}

// lookup asks the cache; ok is false also where the reader is further than it.
func (s filled) lookup(ctx context.Context, set string, have flags.Head) (e Entry, ok bool, err error) {
	e, usable, err := s.layer.Lookup(ctx, set, have)
	behind := e.Head.Lineage == have.Lineage && e.Head.Version.Before(have.Version)
	return e, usable && !behind, err
}

// fill brings the cache from what it has to what origin has, and the reader along.
func (s filled) fill(ctx context.Context, set string, have, cached flags.Head) (flags.Update, error) {
	u, err := s.origin.Fetch(ctx, set, cached)
	if err != nil {
		return u, err
	}
	// Commits that the cache cannot take, because it has too many already or has lost
	// what they follow, must not leave it behind for good: then it gets the whole.
	if err := s.layer.Put(ctx, u, func() *flags.Checkpoint { return s.whole(ctx, u.Head) }); err == nil {
		if e, ok, _ := s.lookup(ctx, set, have); ok && SameHead(e.Head, u.Head) {
			return e.Update, nil
		}
	}
	if have == cached {
		return u, nil
	}
	return s.origin.Fetch(ctx, set, have) // the cache did not take it
}

// whole reads the set from its origin, or returns nil; the cache checks that it is
// at head.
func (s filled) whole(ctx context.Context, head flags.Head) *flags.Checkpoint {
	u, err := s.origin.Fetch(ctx, head.Set, flags.Head{})
	if err != nil || u.Checkpoint == nil {
		return nil
	}
	contents := flags.ContentsOf(u.Checkpoint)
	for i := range u.Commits {
		if contents.Apply(&u.Commits[i]) != nil {
			return nil
		}
	}
	return contents.Checkpoint()
}

// turn waits until nobody else fills the set.
func (f *Filler) turn(ctx context.Context, set string) (release func(), err error) {
	if f.unordered {
		return func() {}, nil
	}
	f.mu.Lock()
	turn, ok := f.turns[set]
	if !ok {
		turn = make(chan struct{}, 1)
		f.turns[set] = turn
	}
	f.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, &flags.SourceError{Class: flags.ClassCanceled, Op: "cachestrategy: fill " + set, Err: ctx.Err()}
	}
}
