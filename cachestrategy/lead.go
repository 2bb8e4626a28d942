package cachestrategy

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// leadPoll is how often a process looks whether the one that has the lease has
// filled the cache.
const leadPoll = 50 * time.Millisecond

// lead is a cache whose processes fill it one at a time.
type lead struct {
	Strategy
	wait time.Duration
	led  sync.Map // sets whose first miss is past

	denied atomic.Bool // this user may not write, not even a lease
}

// Lead returns s for a fleet that starts together with nothing in the cache: the
// first process to miss a set takes a lease and goes on to the origin; the others wait
// for what it puts, at most for wait, and find it in the cache. Only the first miss of
// a set in a process waits. Where leases cannot be had, nobody waits.
func Lead(s Strategy, wait time.Duration) Strategy { return &lead{Strategy: s, wait: wait} }

// Get implements Strategy.
func (l *lead) Get(ctx context.Context, q Query) (Entry, error) {
	e, err := l.Strategy.Get(ctx, q)
	if !errors.Is(err, ErrMiss) {
		return e, err
	}
	if _, past := l.led.LoadOrStore(q.Set, struct{}{}); past {
		return e, err
	}
	granted, leaseErr := Lease(ctx, l.Strategy, q.Set, l.wait)
	if errors.Is(leaseErr, ErrReadOnly) {
		l.denied.Store(true)
	}
	if granted || leaseErr != nil {
		return e, err
	}
	wait, cancel := context.WithTimeout(ctx, l.wait)
	defer cancel()
	tick := time.NewTicker(leadPoll)
	defer tick.Stop()
	for errors.Is(err, ErrMiss) {
		select {
		case <-tick.C:
			e, err = l.Strategy.Get(ctx, q)
		case <-wait.Done():
			return e, err
		}
	}
	return e, err
}

// Put implements Strategy. Whoever has put a set has no need to wait for it.
func (l *lead) Put(ctx context.Context, o Offer) (Outcome, error) {
	l.led.Store(o.Head.Set, struct{}{})
	if l.denied.Load() && !l.ReadOnly() { // what knows it itself has a tier that takes the offer
		return Unchanged, &flags.SourceError{Class: flags.ClassDenied, Op: "cachestrategy: put " + o.Head.Set, Err: ErrReadOnly}
	}
	return l.Strategy.Put(ctx, o)
}

// ReadOnly reports whether what it leads to is.
func (l *lead) ReadOnly() bool { return IsReadOnly(l.Strategy) }
