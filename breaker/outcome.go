package breaker

import (
	"context"
	"errors"
	"time"
)

// Outcome is what one call says about the health of the dependency. The zero value is Failure, so that a case that
// a classifier forgot cannot hide an outage.
type Outcome uint8

// The three outcomes.
const (
	Failure Outcome = iota // transient: unreachable, overloaded, too slow, or unknown
	Success                // an authoritative answer, "not found" included
	Ignored                // says nothing about the dependency: bad argument, no permission, refused locally
)

// String returns "failure", "success" or "ignored".
func (o Outcome) String() string {
	switch o {
	case Success:
		return "success"
	case Ignored:
		return "ignored"
	default:
		return "failure"
	}
}

// Classifier decides the outcome of a call from its error, which is never nil. It is not asked about errors that
// have only one reading: those of a caller that went away, of an ended budget, or of another open breaker. It must be
// safe for concurrent use and must not block.
type Classifier func(error) Outcome

// verdict turns the end of a call into what gobreaker counts: nil for a success, errIgnored, or the failure itself.
// The order matters. The budget's context is a child of the caller's and remembers which of the two ended first, so a
// caller that leaves late cannot excuse a dependency that was already too slow; and a caller that left is found
// in its own context, because the error of a cancelled call often is a bare timeout.
func (b *Breaker) verdict(caller, budget context.Context, err error) error {
	switch {
	case budget != caller && ended(budget) && !ended(caller):
		if err == nil {
			return ErrBudget // the answer is good and is returned, but it came too late to call this healthy
		}
		return err
	case err == nil:
		return nil
	case errors.Is(err, ErrOpen), !b.sabotage.countCallers && gone(caller):
		return errIgnored
	case b.classify == nil, errors.Is(err, ErrBudget):
		return err
	}
	switch b.classify(err) {
	case Success:
		return nil
	case Ignored:
		return errIgnored
	default:
		return err
	}
}

// ended reports whether a budget ended ctx. A budget may lie around the caller too, that of a breaker further up; its
// end is no verdict on this dependency.
func ended(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ErrBudget) }

// gone reports whether the caller stopped waiting. Its deadline is compared with the clock too: a socket deadline
// derived from it may end the call just before the context's own timer fires.
func gone(caller context.Context) bool {
	if caller.Err() != nil {
		return true
	}
	deadline, ok := caller.Deadline()
	return ok && !time.Now().Before(deadline)
}
