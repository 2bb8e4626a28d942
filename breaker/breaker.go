package breaker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Breaker guards one dependency. Make it with [New] and share it between all calls to that dependency; it is safe
// for concurrent use and starts no goroutine but the one that watches a running probe.
type Breaker struct {
	inner    *gobreaker.CircuitBreaker[struct{}]
	classify Classifier
	sabotage sabotage
	gate     gate
	refused  atomic.Uint64
}

// New returns a closed breaker.
func New(o Options) *Breaker {
	o = o.withDefaults()
	b := &Breaker{classify: o.Classify, sabotage: o.sabotage, gate: gate{opts: o}}
	b.inner = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:        o.Name,
		MaxRequests: o.sabotage.probes,
		// gobreaker waits for strictly more than this. The gate in front holds the real, never shorter, cooldown.
		Timeout:       max(o.Cooldown-1, 1),
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= uint32(o.Failures) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errIgnored) },
		IsSuccessful:  b.gate.successful,
		OnStateChange: b.gate.changed,
	})
	return b
}

// Do calls fn if the breaker lets it through, and returns what fn returned. While open it returns an error that
// matches [ErrOpen] without calling fn; a context that is already done is returned as its own error.
//
// Budget bounds fn through its context and counts as a failure when it ends, with [ErrBudget] as the context's cause.
// Zero leaves the bound to fn. What fn returns must not depend on its context, which ends with the call.
//
// A panic in fn is counted as a failure and goes on to the caller. So does runtime.Goexit, which counts only in a probe.
func Do[T any](ctx context.Context, b *Breaker, budget time.Duration, fn func(context.Context) (T, error)) (T, error) {
	if b.gate.tripped.Load() {
		return probe(ctx, b, budget, fn)
	}
	return whileClosed(ctx, b, budget, fn)
}

// Run is [Do] for a function without a value.
func (b *Breaker) Run(ctx context.Context, budget time.Duration, fn func(context.Context) error) error {
	_, err := Do(ctx, b, budget, func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) })
	return err
}

// RunIfClosed is [Breaker.Run] for work that must never be the probe, such as opening a stream: unless the breaker
// is closed it returns an error that matches [ErrOpen]. fn is given ctx itself, so that what it opens may outlive the
// call, and keeps its own budget; it may return [ErrBudget] when that ends.
func (b *Breaker) RunIfClosed(ctx context.Context, fn func(context.Context) error) error {
	_, err := whileClosed(ctx, b, 0, func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) })
	return err
}

// Report counts one outcome that was seen outside a call: a stream that was lost, or with nil one that delivered. ctx
// is the context the stream was opened with; if it is done the outcome is Ignored. Unless the breaker is closed Report
// does nothing, so that only a probe can end or extend an outage.
func (b *Breaker) Report(ctx context.Context, err error) {
	if b.gate.tripped.Load() {
		return
	}
	defer b.gate.deliver()
	_, _ = b.inner.Execute(func() (struct{}, error) {
		if b.gate.tripped.Load() {
			return struct{}{}, errIgnored
		}
		return struct{}{}, b.verdict(ctx, ctx, err)
	})
}

// whileClosed runs fn on the caller's goroutine. gobreaker is asked even though tripped was false a moment ago, and
// tripped is asked again inside, so that neither a trip nor the end of a cooldown in between lets fn through.
func whileClosed[T any](ctx context.Context, b *Breaker, budget time.Duration, fn func(context.Context) (T, error)) (v T, err error) {
	if err = ctx.Err(); err != nil {
		return v, err
	}
	if b.gate.tripped.Load() {
		return v, b.refuse()
	}
	defer b.gate.deliver()
	ran := false
	_, _ = b.inner.Execute(func() (struct{}, error) {
		if b.gate.tripped.Load() {
			return struct{}{}, errIgnored
		}
		ran = true
		if budget <= 0 {
			v, err = fn(ctx)
			return struct{}{}, b.verdict(ctx, ctx, err)
		}
		bounded, cancel := context.WithTimeoutCause(ctx, budget, ErrBudget)
		defer cancel()
		v, err = fn(bounded)
		return struct{}{}, b.verdict(ctx, bounded, err)
	})
	if !ran {
		return v, b.refuse()
	}
	return v, err
}
