package router

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

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

	mu      sync.RWMutex // read-locked while a write is under way
	stopped bool
}

// Apply is store.Writer's.
func (w *writes) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.stopped {
		return flags.Commit{}, &flags.SourceError{Class: flags.ClassTransient, Op: "router: apply " + c.Set, Err: errStopping}
	}
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

// Unwrap returns the store itself.
func (w *writes) Unwrap() store.Store { return w.Store }

// stop refuses writes from now on and returns when the last one is through.
func (w *writes) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
}
