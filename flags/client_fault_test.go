package flags_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// fault is a store that breaks on purpose: a real one, behind whatever is wrong
// with the way to it.
type fault struct {
	store *memstore.Store

	mu      sync.Mutex
	answer  func(ctx context.Context, op string) error // nil: the store answers
	distort func(flags.Update) flags.Update            // nil: as it is
	tilt    func(flags.Head) flags.Head                // the same for heads
	calls   []call
	streams map[*faultStream]struct{}
}

type call struct {
	op string
	at time.Time
}

func newFault(s *memstore.Store) *fault {
	return &fault{store: s, streams: map[*faultStream]struct{}{}}
}

// refuse is the answer of a port where nobody listens.
func refuse(_ context.Context, op string) error {
	return &flags.SourceError{Class: flags.ClassTransient, Op: op, Err: syscall.ECONNREFUSED}
}

// hang accepts the call and never answers.
func hang(ctx context.Context, op string) error {
	<-ctx.Done()
	return &flags.SourceError{Class: flags.ClassCanceled, Op: op, Err: ctx.Err()}
}

// after answers late, and then well.
func after(d time.Duration) func(context.Context, string) error {
	return func(ctx context.Context, op string) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return hang(ctx, op)
		}
	}
}

// say answers with an error of a class.
func say(class flags.Class) func(context.Context, string) error {
	return func(_ context.Context, op string) error {
		return &flags.SourceError{Class: class, Op: op, Err: errors.New("as told")}
	}
}

// set changes how calls are answered from now on and, where they are answered
// badly, cuts the streams there are.
func (f *fault) set(answer func(context.Context, string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
	if answer != nil {
		for s := range f.streams {
			s.cut()
		}
	}
}

// bendBy changes what is delivered from now on.
func (f *fault) bendBy(distort func(flags.Update) flags.Update) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.distort = distort
}

// bendHead changes the heads that are told from now on.
func (f *fault) bendHead(tilt func(flags.Head) flags.Head) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tilt = tilt
}

// drain makes the streams there are say goodbye with their next event.
func (f *fault) drain(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.streams {
		s.retryAfter.Store(int64(d))
	}
}

// count returns how many calls of an op ("" any) were sent since an instant.
func (f *fault) count(op string, since time.Time) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if (op == "" || c.op == op) && !c.at.Before(since) {
			n++
		}
	}
	return n
}

func (f *fault) call(ctx context.Context, op string) error {
	f.mu.Lock()
	f.calls = append(f.calls, call{op, time.Now()})
	answer := f.answer
	f.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(ctx, op)
}

func (f *fault) Head(ctx context.Context, set string) (flags.Head, error) {
	if err := f.call(ctx, "head"); err != nil {
		return flags.Head{}, err
	}
	h, err := f.store.Head(ctx, set)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tilt != nil {
		h = f.tilt(h)
	}
	return h, err
}

func (f *fault) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	if err := f.call(ctx, "fetch"); err != nil {
		return flags.Update{}, err
	}
	u, err := f.store.Fetch(ctx, set, have)
	return f.bend(u), err
}

func (f *fault) bend(u flags.Update) flags.Update {
	f.mu.Lock()
	distort := f.distort
	f.mu.Unlock()
	if distort == nil {
		return u
	}
	return distort(u)
}

func (f *fault) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	if err := f.call(ctx, "watch"); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	inner, err := f.store.Watch(ctx, set, have)
	if err != nil {
		cancel()
		return nil, err
	}
	s := &faultStream{Stream: inner, f: f, cut: cancel}
	f.mu.Lock()
	f.streams[s] = struct{}{}
	f.mu.Unlock()
	return s, nil
}

type faultStream struct {
	flags.Stream
	f          *fault
	cut        context.CancelFunc
	retryAfter atomic.Int64
}

// Next reports a cut stream as a driver would: the connection was reset.
func (s *faultStream) Next() (flags.Event, error) {
	ev, err := s.Stream.Next()
	if err != nil {
		return ev, &flags.SourceError{Class: flags.ClassTransient, Op: "next", Err: syscall.ECONNRESET}
	}
	ev.Update = s.f.bend(ev.Update)
	ev.RetryAfter = time.Duration(s.retryAfter.Load())
	return ev, nil
}

func (s *faultStream) Close() error {
	s.f.mu.Lock()
	delete(s.f.streams, s)
	s.f.mu.Unlock()
	s.cut()
	return s.Stream.Close()
}

// copyOf is a layer that holds one checkpoint.
type copyOf struct{ cp *flags.Checkpoint }

func (c copyOf) Head(context.Context, string) (flags.Head, error) { return c.cp.Head, nil }

func (c copyOf) Fetch(context.Context, string, flags.Head) (flags.Update, error) {
	return flags.Update{Head: c.cp.Head, Checkpoint: c.cp}, nil
}

// gate is a real breaker in the form that clients take.
type gate struct{ *breaker.Breaker }

func newGate(name string, onTrip func(breaker.Trip)) gate {
	return gate{breaker.New(breaker.Options{Name: name, OnTrip: onTrip, Classify: func(err error) breaker.Outcome {
		switch flags.ClassOf(err) {
		case flags.ClassTransient:
			return breaker.Failure
		case flags.ClassNotFound:
			return breaker.Success
		default:
			return breaker.Ignored
		}
	}})}
}

func (g gate) State() (flags.GateState, time.Duration) {
	return flags.GateState(g.Breaker.State()), g.RetryAfter()
}

// create makes the set with a switch in it.
func create(t *testing.T, s *memstore.Store) {
	t.Helper()
	apply(t, s, flags.OpCreate, putFlag("beta", switchFlag))
}

func apply(t *testing.T, s *memstore.Store, op flags.Op, changes ...flags.Mutation) flags.Commit {
	t.Helper()
	c, err := s.Apply(t.Context(), flags.Commit{Set: "default", ID: flags.NewCommitID(), Op: op, Changes: changes})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const onFlag = `{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`

// mirror brings a replica up to a store, as a router does.
func mirror(t *testing.T, from, to *memstore.Store) {
	t.Helper()
	head, err := from.Head(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	commits, err := from.Commits(t.Context(), "default", flags.Version{Revision: 1}, head.Version, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Append(t.Context(), "default", commits); err != nil {
		t.Fatal(err)
	}
}
