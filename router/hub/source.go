package hub

import (
	"context"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// A hub is what a flags.Client of the router's own follows, so that the router
// evaluates with the very same code as everybody else.
var (
	_ flags.DatedSource = (*Hub)(nil)
	_ flags.Watcher     = (*Hub)(nil)
)

// Head is flags.Source's. It is the store's own word: another router may have
// written to the same store a moment ago.
func (h *Hub) Head(ctx context.Context, set string) (flags.Head, error) {
	return h.store.Head(ctx, set)
}

// HeadAsOf is flags.DatedSource's.
func (h *Hub) HeadAsOf(ctx context.Context, set string) (flags.Head, time.Time, error) {
	return flags.HeadAsOf(ctx, h.store, set)
}

// Fetch is flags.Source's. It waits up to half a second for the feed to reach the
// store's head, and returns what leads to wherever the feed then is.
func (h *Hub) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	s, err := h.Open(ctx, set)
	if err != nil {
		return flags.Update{}, err
	}
	head, err := h.store.Head(ctx, set)
	if err != nil {
		return flags.Update{}, err
	}
	s.reach(ctx, head)
	asOf := s.AsOf() // before the head, so that it does not claim too much
	lead := s.Lead(have)
	u := lead.Update()
	u.AsOf = asOf
	return u, nil
}

// Watch is flags.Watcher's. It returns once the set is loaded, or is known not to
// be there; then it is awaited.
func (h *Hub) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stream{hub: h, name: set, have: have, leave: func() {}, ctx: ctx, cancel: cancel}
	var err error
	if s.set, err = h.Open(ctx, set); err == nil {
		return s, nil
	}
	if flags.ClassOf(err) == flags.ClassNotFound {
		if created, leave, ok := h.Await(set, "router"); ok {
			s.created, s.leave = created, leave
			return s, nil
		}
	}
	cancel(nil)
	return nil, err
}
