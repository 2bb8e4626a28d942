package remote

import (
	"context"
	"sync"
	"time"
)

// Deadline is a context that can be given more time, and that says by its cause
// which limit it ran into. Streams need it: first the budget to the first
// message, then that of the bulk.
type Deadline struct {
	context.Context
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	timer  *time.Timer
	limit  error
	paused bool
	done   bool
}

// NewDeadline returns a context that ends d from now with limit as its cause. The
// caller must End it.
func NewDeadline(parent context.Context, d time.Duration, limit error) *Deadline {
	ctx, cancel := context.WithCancelCause(parent)
	dl := &Deadline{Context: ctx, cancel: cancel, limit: limit}
	dl.mu.Lock()
	defer dl.mu.Unlock()
	dl.timer = time.AfterFunc(d, dl.expire)
	return dl
}

func (dl *Deadline) expire() {
	dl.mu.Lock()
	defer dl.mu.Unlock()
	dl.cancel(dl.limit)
}

// Extend replaces what is left by d, unless it is too late.
func (dl *Deadline) Extend(d time.Duration, limit error) {
	dl.mu.Lock()
	defer dl.mu.Unlock()
	// A timer that has fired already waits for the lock, and then cancels.
	if stopped := dl.timer.Stop(); (stopped || dl.paused) && !dl.done {
		dl.limit, dl.paused = limit, false
		dl.timer.Reset(d)
	}
}

// Pause lets time pass until Extend.
func (dl *Deadline) Pause() {
	dl.mu.Lock()
	defer dl.mu.Unlock()
	dl.paused = dl.timer.Stop() || dl.paused
}

// End frees everything; the context is cancelled with cause, nil being plain cancellation.
func (dl *Deadline) End(cause error) {
	dl.mu.Lock()
	defer dl.mu.Unlock()
	dl.done = true
	dl.timer.Stop()
	dl.cancel(cause)
}
