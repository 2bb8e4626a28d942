package mongostore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/remote"
	"github.com/holdfast-flags/holdfast/store"
)

// errBudget is the cause of a context that ran out of the store's own patience.
var errBudget = errors.New("no answer in time")

// call runs f within a budget of the store's own, ended early by the caller or
// by Close, and classifies its error.
func (s *Store) call(parent context.Context, op string, budget time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(parent, budget, errBudget)
	defer cancel()
	stop := context.AfterFunc(s.life, cancel)
	defer stop()
	var err error
	if err = s.life.Err(); err == nil {
		if err = ctx.Err(); err == nil {
			err = f(ctx)
		}
	}
	return s.classify(parent, ctx, op, err)
}

// promptly narrows ctx, that of a call with a larger budget, to the one for small
// requests: a server that hangs must not hold up a write for as long as a bulk
// may take.
func (s *Store) promptly(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.opts.HeadTimeout, errBudget)
}

// classify returns err as a *flags.SourceError. The order matters: a caller that
// gave up is no outage whatever the driver says, and the driver's own words for
// our budget running out are many.
func (s *Store) classify(parent, ctx context.Context, op string, err error) error {
	var done *flags.SourceError
	if err == nil || errors.As(err, &done) {
		return err
	}
	class := flags.ClassTransient
	switch {
	case errors.Is(err, store.ErrClosed), s.life.Err() != nil:
		class, err = flags.ClassCanceled, joined(store.ErrClosed, err)
	case gaveUp(parent) && !answered(err):
		class, err = flags.ClassCanceled, joined(parent.Err(), err)
	case ctx.Err() != nil && !answered(err): // our budget, or one of the caller's for this layer
		err = joined(context.Cause(ctx), err)
	default:
		class = classOf(err)
	}
	return &flags.SourceError{Class: class, Op: "mongostore: " + op, Err: err}
}

// gaveUp reports whether the caller ended the call. A deadline with a cause of its
// own is a budget that somebody gave this layer, and so is the layer's fault.
func gaveUp(ctx context.Context) bool {
	return ctx.Err() == context.Canceled || context.Cause(ctx) == context.DeadlineExceeded //nolint:errorlint // identity is the question
}

// joined wraps both errors, on one line.
func joined(why, err error) error {
	if errors.Is(err, why) {
		return err
	}
	return fmt.Errorf("%w: %w", why, err)
}

// answered reports whether err is what the data say, however late they came.
func answered(err error) bool {
	return store.Class(err) != flags.ClassTransient && !errors.Is(err, context.Canceled) || isFault(err)
}

// Codes of servers that cannot serve anybody now. Old servers send them without
// any label, and neither mongo.IsTimeout nor mongo.IsNetworkError knows them.
var transientCodes = []int{
	6, 7, 89, 91, 133, 134, 189, 262, 462, 9001, 10058, 10107, 11600, 11602, 13435, 13436,
	50, // MaxTimeMSExpired: slow
}

var deniedCodes = []int{13, 18, 8000} // Unauthorized, AuthenticationFailed, AtlasError

// classOf returns the class of an error of the driver, or of what it delivered.
// Unknown errors are transient: they must never be able to hide an outage. So are
// contents that do not add up; another layer may have them whole.
func classOf(err error) flags.Class {
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return flags.ClassNotFound
	case errors.Is(err, mongo.ErrClientDisconnected):
		return flags.ClassCanceled
	case store.Class(err) != flags.ClassTransient:
		return store.Class(err)
	}
	// A refused login comes wrapped as a network error: the code goes first.
	if class, known := classOfCode(err); known {
		return class
	}
	return remote.ConnClass(err)
}

// classOfCode classifies what the server itself said. Only a code with no sign of
// an outage is the request's own fault.
func classOfCode(err error) (flags.Class, bool) {
	var said mongo.ServerError
	if !errors.As(err, &said) {
		return 0, false
	}
	codes := mongo.ErrorCodes(err)
	has := func(list []int) bool {
		return slices.ContainsFunc(codes, func(c int) bool { return slices.Contains(list, c) })
	}
	switch {
	case has(deniedCodes):
		return flags.ClassDenied, true
	case has(transientCodes), mongo.IsTimeout(err), mongo.IsNetworkError(err), saysTryAgain(said):
		return flags.ClassTransient, true
	case slices.ContainsFunc(codes, func(c int) bool { return c != 0 }):
		return flags.ClassPermanent, true
	default:
		return 0, false
	}
}

func saysTryAgain(said mongo.ServerError) bool {
	return slices.ContainsFunc([]string{
		"RetryableWriteError", "TransientTransactionError", "ResumableChangeStreamError",
		"UnknownTransactionCommitResult", "SystemOverloadedError", "RetryableError",
	}, said.HasErrorLabel)
}
