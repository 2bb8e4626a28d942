package breaker

import (
	"context"
	"time"
)

// probe asks for the single half-open slot and runs fn in it. fn stays on the caller's goroutine, where a panic keeps
// its stack; what runs beside it is the holder of the slot, which gives it back when the probe's context ends even
// if fn never does.
func probe[T any](ctx context.Context, b *Breaker, budget time.Duration, fn func(context.Context) (T, error)) (v T, err error) {
	if err = ctx.Err(); err != nil {
		return v, err
	}
	if budget <= 0 {
		budget = b.gate.opts.ProbeBudget
	}
	if !b.gate.due() {
		return v, b.refuse()
	}
	bounded, cancel := context.WithTimeoutCause(ctx, budget, ErrBudget)
	defer cancel()
	s := b.takeSlot(ctx, bounded)
	if s == nil {
		return v, b.refuse()
	}
	defer s.release() // on every way out, so that panic and Goexit count as failures
	v, err = fn(bounded)
	s.verdict <- b.verdict(ctx, bounded, err)
	return v, err
}

// slot is the right to be the probe.
type slot struct {
	verdict chan error    // buffered: the probe never waits for a holder that has given up
	done    chan struct{} // closed once the outcome is counted and its callbacks have run
}

// takeSlot returns nil if the slot is taken or not yet to be had.
func (b *Breaker) takeSlot(caller, bounded context.Context) *slot {
	s := &slot{verdict: make(chan error, 2), done: make(chan struct{})}
	admitted := make(chan struct{})
	go func() {
		defer close(s.done)
		defer b.gate.deliver()
		_, _ = b.inner.Execute(func() (struct{}, error) {
			deadline, _ := bounded.Deadline()
			if !b.gate.begin(deadline) {
				return struct{}{}, errIgnored
			}
			defer b.gate.end()
			close(admitted)
			return struct{}{}, b.await(s, caller, bounded)
		})
	}()
	select {
	case <-admitted:
		return s
	case <-s.done:
		return nil
	}
}

// await returns the probe's verdict, or at the end of its context the one that follows from that alone.
//
//nolint:revive // of two contexts one is not first
func (b *Breaker) await(s *slot, caller, bounded context.Context) error {
	if b.sabotage.keepSlot {
		return <-s.verdict
	}
	select {
	case err := <-s.verdict:
		return err
	case <-bounded.Done():
		return b.verdict(caller, bounded, context.Cause(bounded))
	}
}

// release reports a probe that did not finish, and waits until its outcome is counted. After a verdict the extra
// value stays in the buffer unread.
func (s *slot) release() {
	s.verdict <- errUnfinished
	<-s.done
}
