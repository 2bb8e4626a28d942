package store

import (
	"context"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Observation is one call of a store, over.
type Observation struct {
	Op   string        // head, fetch, watch, apply, sets, commits; stream: an open watch that ended
	Set  string        // empty for sets
	Took time.Duration // of a stream: since it was opened
	Err  error         // as the caller gets it; nil: it went well
}

// Class returns the class of the error; of no use without one.
func (o *Observation) Class() flags.Class { return flags.ClassOf(o.Err) }

// Observe reports every call of s to hook, which must be safe for concurrent use
// and quick: callers wait for it.
func Observe(s Store, hook func(Observation)) Store { return &observed{s, hook} }

type observed struct {
	delegate Store
	hook     func(Observation)
}

var _ Store = (*observed)(nil)

// Unwrap returns what is observed.
func (o *observed) Unwrap() Store { return o.delegate }

func (o *observed) report(op, set string, start time.Time, err error) {
	o.hook(Observation{Op: op, Set: set, Took: time.Since(start), Err: err})
}

func (o *observed) Head(ctx context.Context, set string) (flags.Head, error) {
	start := time.Now()
	h, err := o.delegate.Head(ctx, set)
	o.report("head", set, start, err)
	return h, err
}

func (o *observed) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	start := time.Now()
	u, err := o.delegate.Fetch(ctx, set, have)
	o.report("fetch", set, start, err)
	return u, err
}

func (o *observed) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	start := time.Now()
	stream, err := o.delegate.Watch(ctx, set, have)
	o.report("watch", set, start, err)
	if err != nil {
		return nil, err
	}
	return &observedStream{Stream: stream, over: func(err error) { o.report("stream", set, start, err) }}, nil
}

func (o *observed) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	start := time.Now()
	accepted, err := o.delegate.Apply(ctx, c)
	o.report("apply", c.Set, start, err)
	return accepted, err
}

func (o *observed) Sets(ctx context.Context) ([]flags.Head, error) {
	start := time.Now()
	heads, err := o.delegate.Sets(ctx)
	o.report("sets", "", start, err)
	return heads, err
}

func (o *observed) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	start := time.Now()
	commits, err := o.delegate.Commits(ctx, set, from, to, limit)
	o.report("commits", set, start, err)
	return commits, err
}

func (o *observed) Close() error { return o.delegate.Close() }

// observedStream reports its end once, when Next first fails.
type observedStream struct {
	flags.Stream
	over func(error)
}

func (s *observedStream) Next() (flags.Event, error) {
	ev, err := s.Stream.Next()
	if err != nil && s.over != nil {
		s.over(err)
		s.over = nil
	}
	return ev, err
}
