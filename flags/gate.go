package flags

import (
	"context"
	"errors"
	"time"
)

// Gate decides whether a layer may be called now, and learns from how its calls
// end. A circuit breaker is one; breaker.Breaker needs only a State method of
// this form around it. Methods are safe for concurrent use.
type Gate interface {
	// Run calls fn with a context that ends after budget, or returns an error
	// without calling it. The call may be the probe that ends an outage.
	Run(ctx context.Context, budget time.Duration, fn func(context.Context) error) error
	// RunIfClosed calls fn, which may open something that outlives the call,
	// unless the gate is anything but closed.
	RunIfClosed(ctx context.Context, fn func(context.Context) error) error
	// Report tells of an outcome that was seen outside a call: a lost stream, or with nil one that
	// was of use for the first time. That RunIfClosed opened it is an outcome of ClassCanceled: neither good nor bad.
	Report(ctx context.Context, err error)
	// State returns the gate's state and for how long it is sure to refuse calls.
	State() (GateState, time.Duration)
}

// GateState says what a gate would do with a call.
type GateState uint8

// The states of a gate, in the order of breaker.State.
const (
	GateClosed   GateState = iota // calls go through
	GateOpen                      // calls are refused
	GateHalfOpen                  // one call is let through as the probe
)

func (s GateState) String() string { return [...]string{"closed", "open", "half-open"}[min(s, 2)] }

// errBudget is the cause of a context that ended because a layer took too long.
var errBudget = errors.New("flags: no answer within the layer's budget")

// ungated lets every call through and bounds it.
type ungated struct{}

func (ungated) Run(ctx context.Context, budget time.Duration, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, budget, errBudget)
	defer cancel()
	return fn(ctx)
}

func (ungated) RunIfClosed(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }
func (ungated) Report(context.Context, error)                                         {}
func (ungated) State() (GateState, time.Duration)                                     { return GateClosed, 0 }
