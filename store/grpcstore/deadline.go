package grpcstore

import (
	"context"
	"sync"
	"time"
)

// deadline is a context that can be given more time, and that says by its cause
// which limit it ran into. Streams need it: first the budget to the first
// message, then that of the bulk.
type deadline struct {
	context.Context
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	timer  *time.Timer
	limit  error
	paused bool
	done   bool
}

func newDeadline(parent context.Context, d time.Duration, limit error) *deadline {
	ctx, cancel := context.WithCancelCause(parent)
	dl := &deadline{Context: ctx, cancel: cancel, limit: limit}
	dl.mu.Lock()
	defer dl.mu.Unlock()
	dl.timer = time.AfterFunc(d, dl.expire)
	return dl
}

func (dl *deadline) expire() {
	dl.mu.Lock()
	defer dl.mu.Unlock()
	dl.cancel(dl.limit)
}

// extend replaces what is left by d, unless it is too late.
func (dl *deadline) extend(d time.Duration, limit error) {
	dl.mu.Lock()
	defer dl.mu.Unlock()
	// A timer that has fired already waits for the lock, and then cancels.
	if stopped := dl.timer.Stop(); (stopped || dl.paused) && !dl.done {
		dl.limit, dl.paused = limit, false
		dl.timer.Reset(d)
	}
}

// pause lets time pass until extend.
func (dl *deadline) pause() {
	dl.mu.Lock()
	defer dl.mu.Unlock()
	dl.paused = dl.timer.Stop() || dl.paused
}

// end frees everything; the context is cancelled with cause, nil being plain cancellation.
func (dl *deadline) end(cause error) {
	dl.mu.Lock()
	defer dl.mu.Unlock()
	dl.done = true
	dl.timer.Stop()
	dl.cancel(cause)
}
