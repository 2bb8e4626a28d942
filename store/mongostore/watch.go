package mongostore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

var errStreamClosed = errors.New("stream was closed")

// stream polls the head. It holds nothing but where its reader is.
type stream struct {
	s    *Store
	op   string
	set  string
	have flags.Head

	head   flags.Head // as asked for last
	absent bool       // there was none
	asked  time.Time
	fresh  <-chan struct{} // closed at the first write after that
	told   time.Time       // when Next last said anything; zero: never
	err    error           // once the stream is over

	// A stream is the lifetime of one call; this is that call's context, which
	// Close ends from any goroutine.
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Watch is flags.Watcher's. The stream asks for the head every PollInterval, and
// at once after a write through this store.
func (s *Store) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	st := &stream{s: s, op: "watch " + set, set: set, have: have}
	err := st.look(ctx)
	if err == nil && st.absent && flags.CheckSetName(set) != nil {
		err = s.classify(ctx, ctx, st.op, fmt.Errorf("%w: no set can be named %q", store.ErrNotFound, set))
	}
	if err != nil {
		return nil, err
	}
	st.ctx, st.cancel = context.WithCancelCause(ctx)
	return st, nil
}

// look asks for the head.
func (st *stream) look(ctx context.Context) error {
	created, fresh, asked := st.s.nextWrite(anyCreated), st.s.nextWrite(st.set), time.Now()
	head, err := st.s.Head(ctx, st.set)
	absent := flags.ClassOf(err) == flags.ClassNotFound && err != nil
	if err != nil && !absent {
		return err
	}
	if absent {
		st.s.unwait(st.set) // made-up names leave nothing behind
		fresh = created
	}
	if st.absent != absent {
		st.told = time.Time{}
	}
	st.head, st.asked, st.fresh, st.absent = head, asked, fresh, absent
	return nil
}

// Next is flags.Stream's.
func (st *stream) Next() (flags.Event, error) {
	if st.err != nil {
		return flags.Event{}, st.err
	}
	ev, err := st.next()
	if err != nil {
		st.err = st.over(err)
		return flags.Event{}, st.err
	}
	return ev, nil
}

func (st *stream) next() (flags.Event, error) {
	for {
		due := st.told.IsZero() || time.Since(st.told) >= store.HeartbeatEvery
		switch {
		case st.absent && due:
			st.told = time.Now()
			return flags.Event{Absent: true}, nil
		case st.absent:
		case st.told.IsZero() || st.head != st.have:
			return st.deliver()
		case due:
			st.told = time.Now()
			return flags.Event{Update: flags.Update{Head: st.head, AsOf: st.asked}}, nil
		}
		if err := st.wait(); err != nil {
			return flags.Event{}, err
		}
		if err := st.look(st.ctx); err != nil {
			return flags.Event{}, err
		}
	}
}

// wait lasts until the next poll is due.
func (st *stream) wait() error {
	every := st.s.opts.PollInterval
	timer := time.NewTimer(every*4/5 + rand.N(every*2/5+1))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-st.fresh:
	case <-st.s.life.Done():
		return store.ErrClosed
	case <-st.ctx.Done():
		return st.ctx.Err()
	}
	return nil
}

func (st *stream) deliver() (flags.Event, error) {
	u, reset, err := st.s.lead(st.ctx, st.have, st.head)
	if err != nil {
		return flags.Event{}, err
	}
	u.AsOf = st.asked
	st.have, st.told = st.head, time.Now()
	return flags.Event{Update: u, Reset: reset}, nil
}

// over says why the stream has ended; what its caller did is of their making,
// even where the context ran into a deadline.
func (st *stream) over(err error) error {
	var classified *flags.SourceError
	switch {
	case st.s.life.Err() != nil:
		err = &flags.SourceError{Class: flags.ClassCanceled, Op: "mongostore: " + st.op, Err: store.ErrClosed}
	case st.ctx.Err() != nil:
		err = &flags.SourceError{Class: flags.ClassCanceled, Op: "mongostore: " + st.op, Err: fmt.Errorf("watch ended: %w", context.Cause(st.ctx))}
	case !errors.As(err, &classified):
		err = st.s.classify(st.ctx, st.ctx, st.op, err)
	}
	st.cancel(nil)
	return err
}

// Applied has no use here.
func (st *stream) Applied(flags.Ack) error { return nil }

// Close ends the stream; a Next that waits returns.
func (st *stream) Close() error {
	st.cancel(errStreamClosed)
	return nil
}
