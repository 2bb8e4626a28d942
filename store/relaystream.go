package store

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Watch is flags.Watcher's. A reader who has nothing begins with what is held, so that
// only what is missing comes from the upstream, and there is something while that is down.
func (r *Relayed) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	s := &relayStream{relay: r}
	if have.Version.IsZero() {
		if u, err := r.held.Fetch(ctx, set, have); err == nil && u.Checkpoint != nil {
			s.base, have = &u, u.Head
		}
	}
	err := r.reach(ctx, set)
	if err == nil {
		s.upstream, err = r.upstream.Watch(ctx, set, have)
	}
	if err != nil && s.base == nil {
		return nil, Classify("store: watch "+set, err)
	}
	s.over = err
	return s, nil
}

// relayStream is the upstream's stream, led by what is held.
type relayStream struct {
	relay    *Relayed
	base     *flags.Update // to begin with; nil once it was delivered
	upstream flags.Stream  // nil: there was none
	over     error         // what ends the stream after the base
}

var _ flags.Stream = (*relayStream)(nil)

// Next is flags.Stream's.
func (s *relayStream) Next() (flags.Event, error) {
	var ev flags.Event
	if s.over == nil {
		ev, s.over = s.upstream.Next()
	}
	base := s.base
	switch {
	case base != nil && (s.over != nil || ev.Absent):
		s.base = nil
		base.AsOf = s.relay.dated(base.Head)
		return flags.Event{Update: *base}, nil
	case s.over != nil:
		return flags.Event{}, Classify("store: watch", s.over)
	case ev.Absent, ev.Queued:
		return ev, nil
	case base != nil && ev.Checkpoint == nil:
		ev.Checkpoint, ev.Commits = base.Checkpoint, slices.Concat(base.Commits, ev.Commits)
	}
	s.base = nil
	if ev.AsOf.IsZero() {
		ev.AsOf = time.Now()
	}
	s.relay.note(known{ev.Head, ev.AsOf})
	return ev, nil
}

// Applied is flags.Stream's: it is the upstream that wants to know.
func (s *relayStream) Applied(ack flags.Ack) error {
	if s.upstream == nil {
		return nil
	}
	return s.upstream.Applied(ack)
}

// Close is flags.Stream's.
func (s *relayStream) Close() error {
	if s.upstream == nil {
		return nil
	}
	return s.upstream.Close()
}
