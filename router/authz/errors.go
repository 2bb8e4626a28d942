package authz

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Errors of this package.
var (
	// ErrUnauthenticated: no credentials where some are needed, or ones that are
	// malformed, not known, expired or revoked.
	ErrUnauthenticated = errors.New("authz: unauthenticated")
	// ErrDenied: the principal may not do this.
	ErrDenied = errors.New("authz: denied")
	// ErrLimited: too many requests of a key, or failed logins from an address. See LimitError.
	ErrLimited = errors.New("authz: too many requests")
)

// LimitError says when to try again. It matches ErrLimited.
type LimitError struct {
	What  string        // of which there were too many
	After time.Duration // until it makes sense to try again
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("authz: too many %s; try again in %s s", e.What, e.Seconds())
}

// Seconds returns After as a Retry-After header has it: whole seconds, one at least.
func (e *LimitError) Seconds() string {
	return strconv.Itoa(int(math.Ceil(max(e.After, time.Second).Seconds())))
}

// Is makes errors.Is(err, ErrLimited) true.
func (e *LimitError) Is(target error) bool { return target == ErrLimited }
