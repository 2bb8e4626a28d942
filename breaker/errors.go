package breaker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrOpen says that the breaker refused the call and nothing was sent: it is open, or half-open with its one probe
// already out. Match it with errors.Is; errors.As with *[OpenError] gives the time to wait.
var ErrOpen = errors.New("breaker: open")

// ErrBudget is the cause of a context whose budget ended, and the error of a call that was cut by it. It matches
// context.DeadlineExceeded and, like other timeouts, has a Timeout method that returns true.
var ErrBudget error = budgetError{}

// OpenError is the error of a refused call. It matches [ErrOpen].
type OpenError struct {
	Name       string        // the breaker's name
	RetryAfter time.Duration // earliest time at which a call may be let through; 0 when it may be tried at once
	Last       error         // the failure that opened it. Not unwrapped: it belongs to another call
}

// Error names the breaker, the wait and the failure behind it.
func (e *OpenError) Error() string {
	return fmt.Sprintf("breaker: %s is open, next try in %v (last failure: %v)",
		e.Name, e.RetryAfter.Round(time.Millisecond), e.Last)
}

// Is reports whether target is [ErrOpen].
func (e *OpenError) Is(target error) bool { return target == ErrOpen }

type budgetError struct{}

func (budgetError) Error() string        { return "breaker: no answer within the budget" }
func (budgetError) Timeout() bool        { return true }
func (budgetError) Is(target error) bool { return target == context.DeadlineExceeded }

var (
	// errIgnored carries the neutral outcome into gobreaker.
	errIgnored = errors.New("breaker: ignored")
	// errUnfinished is the outcome of a probe that never returned: a panic or runtime.Goexit.
	errUnfinished = errors.New("breaker: the call did not return (panic or goroutine exit)")
)
