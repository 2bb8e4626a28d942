package rediscache

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/remote"
)

func permanent(op, set string, err error) error {
	return &flags.SourceError{Class: flags.ClassPermanent, Op: "rediscache: " + op + " " + set, Err: err}
}

// classify is the one place that looks at errors of the driver and the server.
func classify(ctx context.Context, op, set string, err error) error {
	if errors.Is(err, redis.ErrClosed) {
		err = fmt.Errorf("%w: %w", cachestrategy.ErrClosed, err)
	}
	if redis.IsPermissionError(err) && op != "get" {
		err = fmt.Errorf("%w: %w", cachestrategy.ErrReadOnly, err)
	}
	return &flags.SourceError{Class: classOf(ctx, op, err), Op: "rediscache: " + op + " " + set, Err: err}
}

func classOf(ctx context.Context, op string, err error) flags.Class {
	switch {
	case errors.Is(err, cachestrategy.ErrMiss):
		return flags.ClassTransient
	case errors.Is(err, cachestrategy.ErrDamaged), errors.Is(err, cachestrategy.ErrNewerFormat):
		return flags.ClassPermanent // asking again will not help; Redis itself is well
	case errors.Is(err, redis.ErrClosed), gaveUp(ctx):
		return flags.ClassCanceled
	case redis.IsAuthError(err), redis.IsPermissionError(err):
		return flags.ClassDenied
	case redis.IsOOMError(err) && op == "get":
		return flags.ClassPermanent // a full Redis still reads; this one is not about us
	case permanentReply(err):
		return flags.ClassPermanent
	default: // LOADING, READONLY, CLUSTERDOWN, BUSY, ..., time, and what nobody knows, pass by themselves
		return remote.ConnClass(err)
	}
}

// gaveUp reports whether the caller ended the call. It is asked before the error:
// the driver reports a cancelled caller as a bare timeout. A deadline with a cause
// of its own is a budget that somebody gave this layer, and so is the layer's fault;
// a cancellation is the caller's, whatever its cause.
func gaveUp(ctx context.Context) bool {
	return ctx.Err() == context.Canceled || context.Cause(ctx) == context.DeadlineExceeded //nolint:errorlint // identity is the question
}

// permanentReply reports errors of ours, or of whoever set up the server: the same
// command will always fail.
func permanentReply(err error) bool {
	if _, moved := redis.IsMovedError(err); moved {
		return true // a cluster, spoken to as if it were one server
	}
	if _, ask := redis.IsAskError(err); ask {
		return true
	}
	for _, prefix := range []string{"WRONGTYPE", "CROSSSLOT", "EXECABORT", "unknown command", "syntax error", "wrong number", "DB index", "invalid DB"} {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}
