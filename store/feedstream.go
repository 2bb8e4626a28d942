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

// Finder returns the feed of a set: nil where there is no such set now, and then
// what is closed at the latest when there is. An error is for good.
type Finder func() (feed *Feed, changed <-chan struct{}, err error)

// WatchSet opens a stream over the feed of a set that need not be there yet. op
// names it in errors.
func WatchSet(ctx context.Context, op string, have flags.Head, find Finder) (flags.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, Classify(op, err)
	}
	feed, _, err := find()
	if err == nil && feed == nil && flags.CheckSetName(have.Set) != nil {
		err = fmt.Errorf("%w: no set can be named %q", ErrNotFound, have.Set)
	}
	if err != nil {
		return nil, Classify(op, err)
	}
	s := newFeedStream(ctx, op, have)
	s.feed, s.find = feed, find
	return s, nil
}

func newFeedStream(ctx context.Context, op string, have flags.Head) *feedStream {
	ctx, cancel := context.WithCancelCause(ctx)
	return &feedStream{op: op, have: have, ctx: ctx, cancel: cancel}
}

// feedStream holds no events, only where its reader is.
type feedStream struct {
	find   Finder
	feed   *Feed // nil until find has it
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
		if s.feed == nil {
			absent, err := s.await(beat)
			if absent || err != nil {
				return flags.Event{Absent: absent}, err
			}
			continue
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

// await looks for the set, and waits for it once absent was said.
func (s *feedStream) await(beat *time.Timer) (absent bool, err error) {
	feed, changed, err := s.find()
	switch {
	case err != nil:
		s.cancel(nil)
		return false, Classify(s.op, err)
	case feed != nil:
		s.feed, s.opened = feed, false
		return false, nil
	case !s.opened:
		s.opened = true
		return true, nil
	}
	select {
	case <-changed:
	case <-s.ctx.Done():
	case <-beat.C:
		return true, nil
	}
	return false, nil
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
