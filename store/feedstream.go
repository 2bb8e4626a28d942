package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// HeartbeatEvery is how often a stream with nothing to say says so.
const HeartbeatEvery = 10 * time.Second

var errStreamClosed = errors.New("stream was closed")

// feedStream holds no events, only where its reader is.
type feedStream struct {
	feed   *Feed
	op     string
	have   flags.Head
	opened bool // the first event was delivered

	// A stream is the lifetime of one call; this is that call's context, which
	// Close ends from any goroutine.
	ctx    context.Context
	cancel context.CancelCauseFunc
}

var _ flags.Stream = (*feedStream)(nil)

// Next delivers all that was missed as one event. The first one comes at once.
func (s *feedStream) Next() (flags.Event, error) {
	beat := time.NewTimer(HeartbeatEvery)
	defer beat.Stop()
	for {
		if s.ctx.Err() != nil {
			return flags.Event{}, s.ended()
		}
		l := s.feed.Lead(s.have)
		switch {
		case l.Closed:
			s.cancel(nil)
			return flags.Event{}, Classify(s.op, ErrClosed)
		case l.Moves(), !s.opened:
			return s.deliver(l), nil
		}
		select {
		case <-l.Changed:
		case <-s.ctx.Done():
		case <-beat.C:
			return s.deliver(l), nil
		}
	}
}

func (s *feedStream) deliver(l Lead) flags.Event {
	s.have, s.opened = l.Head, true
	ev := flags.Event{Update: l.Update(), Reset: l.Reset}
	ev.AsOf = time.Now()
	return ev
}

// ended is an error of the caller's making, even where its context ran into a deadline.
func (s *feedStream) ended() error {
	return &flags.SourceError{Class: flags.ClassCanceled, Op: s.op, Err: fmt.Errorf("watch ended: %w", context.Cause(s.ctx))}
}

// Applied has no use here.
func (s *feedStream) Applied(flags.Ack) error { return nil }

// Close ends the stream; a Next that waits returns.
func (s *feedStream) Close() error {
	s.cancel(errStreamClosed)
	return nil
}
