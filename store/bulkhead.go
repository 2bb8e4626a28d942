package store

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// SlotsOptions configure Slots. The zero value is ready for production.
type SlotsOptions struct {
	// PerSet is how many calls about one flag set may be under way. Default 1.
	PerSet int
	// Total is how many calls may be under way in all. Default 4.
	Total int
	// Wait is how long a call may wait for its turn; well below the budget of a head,
	// so that what is waited for is never taken for a slow database. Default 100 ms.
	Wait time.Duration
	// Queue is how many calls may wait; further ones are refused at once. Default 16.
	Queue int

	unbounded bool // twin tests: let every call through
}

// Slots are the right to call one database. Whatever calls it in this process should
// share them. Methods are safe for concurrent use.
type Slots struct {
	opts SlotsOptions

	mu      sync.Mutex
	busy    map[string]int // calls under way, by set
	total   int
	waiting int
	freed   chan struct{} // closed when a slot was given back
}

// NewSlots returns free slots. o may be nil.
func NewSlots(o *SlotsOptions) *Slots {
	if o == nil {
		o = &SlotsOptions{}
	}
	return &Slots{busy: map[string]int{}, freed: make(chan struct{}), opts: SlotsOptions{
		PerSet: cmp.Or(o.PerSet, 1), Total: cmp.Or(o.Total, 4),
		Wait: cmp.Or(o.Wait, 100*time.Millisecond), Queue: cmp.Or(o.Queue, 16), unbounded: o.unbounded,
	}}
}

// Bulkhead lets a call of s through only while it has a slot, so that no number of
// callers becomes a number of calls. One that finds no slot in time is refused with
// ErrBusy of flags.ClassRefused: nothing was sent, so it says nothing about the
// health of s. The caller goes on with what it has.
//
// It belongs under Coalesce: callers who ask for the same share a call, and the call has a slot.
func Bulkhead(s flags.Source, slots *Slots) flags.Source { return &bulkhead{s, slots} }

type bulkhead struct {
	delegate flags.Source
	slots    *Slots
}

var _ flags.Source = (*bulkhead)(nil)

// Unwrap returns the source behind.
func (b *bulkhead) Unwrap() flags.Source { return b.delegate }

func (b *bulkhead) Head(ctx context.Context, set string) (h flags.Head, err error) {
	if err := b.slots.take(ctx, set); err != nil {
		return h, Classify("store: head "+set, err)
	}
	defer b.slots.giveBack(set) // also after a panic
	return b.delegate.Head(ctx, set)
}

func (b *bulkhead) Fetch(ctx context.Context, set string, have flags.Head) (u flags.Update, err error) {
	if err := b.slots.take(ctx, set); err != nil {
		return u, Classify("store: fetch "+set, err)
	}
	defer b.slots.giveBack(set)
	return b.delegate.Fetch(ctx, set, have)
}

// take returns once the caller has a slot, or with an error.
func (s *Slots) take(ctx context.Context, set string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.takeFree(set) {
		return nil
	}
	if s.waiting >= s.opts.Queue {
		return fmt.Errorf("%w: %d calls under way and %d waiting", ErrBusy, s.total, s.waiting)
	}
	s.waiting++
	defer func() { s.waiting-- }()
	over := time.NewTimer(s.opts.Wait)
	defer over.Stop()
	for {
		if err := s.await(ctx, over.C); err != nil {
			return err
		}
		if s.takeFree(set) {
			return nil
		}
	}
}

func (s *Slots) takeFree(set string) bool {
	if !s.opts.unbounded && (s.total >= s.opts.Total || s.busy[set] >= s.opts.PerSet) {
		return false
	}
	s.busy[set]++
	s.total++
	return true
}

// await lets go of the lock until a slot was given back.
func (s *Slots) await(ctx context.Context, over <-chan time.Time) error {
	freed := s.freed
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-freed:
		return nil
	case <-over:
		return fmt.Errorf("%w: no turn within %v", ErrBusy, s.opts.Wait)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Slots) giveBack(set string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.busy[set]--; s.busy[set] == 0 {
		delete(s.busy, set)
	}
	close(s.freed)
	s.freed = make(chan struct{})
}
