package router

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

var errStopping = errors.New("router is shutting down")

// writes is the store as the services see it: it can stop taking writes, waits
// for those under way, counts them, and tells of sets it has not seen.
type writes struct {
	store.Store
	noticed func(set string)
	taken   atomic.Uint64
	refused atomic.Uint64

	mu       sync.Mutex
	stopped  bool
	underWay sync.WaitGroup
}

// Apply is store.Writer's.
func (w *writes) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	if !w.begin() {
		return flags.Commit{}, &flags.SourceError{Class: flags.ClassTransient, Op: "router: apply " + c.Set, Err: errStopping}
	}
	defer w.underWay.Done()
	accepted, err := w.Store.Apply(ctx, c)
	if err != nil {
		w.refused.Add(1)
		return accepted, err
	}
	w.taken.Add(1)
	if accepted.Op == flags.OpCreate {
		w.noticed(accepted.Set)
	}
	return accepted, nil
}

// HeadAsOf is flags.DatedSource's.
func (w *writes) HeadAsOf(ctx context.Context, set string) (flags.Head, time.Time, error) {
	return flags.HeadAsOf(ctx, w.Store, set)
}

// Unwrap returns the store itself.
func (w *writes) Unwrap() store.Store { return w.Store }

func (w *writes) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.underWay.Add(1)
	}
	return !w.stopped
}

// stop refuses writes from now on.
func (w *writes) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
}

// wait returns when the last write is through, or ctx ends. Call it after stop.
func (w *writes) wait(ctx context.Context) {
	through := make(chan struct{})
	go func() {
		defer close(through)
		w.underWay.Wait()
	}()
	select {
	case <-through:
	case <-ctx.Done():
	}
}
