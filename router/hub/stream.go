package hub

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// beatEvery is how often a stream with nothing to say confirms the head.
const beatEvery = 5 * time.Second

var errStreamClosed = errors.New("stream was closed")

// stream is a flags.Stream over a feed. It holds no events, only where its reader is.
type stream struct {
	hub     *Hub
	name    string
	have    flags.Head
	opened  bool            // the first event was delivered
	set     *Set            // nil: awaited
	created <-chan struct{} // where it is awaited: closed when the set is there

	closing sync.Once
	leave   func() // gives up waiting

	// A stream is the lifetime of one call; this is that call's context, which
	// Close ends from any goroutine.
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Next delivers all that was missed as one event. The first one comes at once.
func (s *stream) Next() (flags.Event, error) {
	beat := time.NewTimer(beatEvery)
	defer beat.Stop()
	for {
		if s.set == nil {
			if absent, err := s.await(beat); absent || err != nil {
				return flags.Event{Absent: absent}, err
			}
			continue
		}
		if s.ctx.Err() != nil {
			return flags.Event{}, s.ended()
		}
		asOf := s.set.AsOf() // before the head, so that it does not claim too much
		lead := s.set.Lead(s.have)
		switch {
		case lead.Closed:
			return flags.Event{}, errClosed
		case lead.Moves(), !s.opened:
			s.have, s.opened = lead.Head, true
			ev := flags.Event{Update: lead.Update(), Reset: lead.Reset}
			ev.AsOf = asOf
			return ev, nil
		}
		select {
		case <-lead.Changed:
		case <-s.ctx.Done():
		case <-beat.C:
			s.set.Confirm(s.ctx)
			s.opened = false
		}
	}
}

// await waits for the set; absent is what there is to say meanwhile.
func (s *stream) await(beat *time.Timer) (absent bool, err error) {
	select {
	case <-s.created:
		s.set, err = s.hub.Open(s.ctx, s.name)
		s.opened = false
		return false, err
	default:
	}
	if !s.opened {
		s.opened = true
		return true, nil
	}
	select {
	case <-s.created:
		return false, nil
	case <-s.hub.ctx.Done():
		return false, errClosed
	case <-s.ctx.Done():
		return false, s.ended()
	case <-beat.C:
		return true, nil
	}
}

// ended is an error of the caller's making, even where its context ran into a deadline.
func (s *stream) ended() error {
	return &flags.SourceError{Class: flags.ClassCanceled, Op: "hub: watch " + s.name, Err: fmt.Errorf("watch ended: %w", context.Cause(s.ctx))}
}

// Applied has no use here.
func (s *stream) Applied(flags.Ack) error { return nil }

// Close ends the stream; a Next that waits returns.
func (s *stream) Close() error {
	s.cancel(errStreamClosed)
	s.closing.Do(s.leave)
	return nil
}
