package cachestrategy

import (
	"context"
	"time"
)

// Leaser is a Strategy through which the processes that share it agree on who of
// them asks the origin.
type Leaser interface {
	// Lease grants the caller a set for a while, unless somebody has it already. It
	// ends by itself: a holder that dies keeps nobody for longer.
	Lease(ctx context.Context, set string, d time.Duration) (granted bool, err error)
}

// Lease asks a strategy for a lease. One that has none grants it to everybody.
func Lease(ctx context.Context, s Strategy, set string, d time.Duration) (bool, error) {
	if l, ok := s.(Leaser); ok {
		return l.Lease(ctx, set, d)
	}
	return true, nil
}
