package grpcstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/internal/remote"
	"github.com/holdfast-flags/holdfast/store"
)

// classify turns err, which ended a call made with the context call on behalf of
// parent, into a *flags.SourceError. nil stays nil.
//
// The order matters: gRPC's text and code do not tell a caller that gave up
// from a router that is slow, so the caller's context is looked at first, then
// our own budgets, and only then what gRPC says.
func (s *Store) classify(parent, call context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	fail := func(class flags.Class, err error) error {
		return &flags.SourceError{Class: class, Op: op, Err: err}
	}
	switch {
	case parent.Err() != nil:
		return fail(flags.ClassCanceled, fmt.Errorf("%w: %w", context.Cause(parent), err))
	case s.closed.Load():
		return fail(flags.ClassCanceled, fmt.Errorf("%w: %w", store.ErrClosed, err))
	}
	switch cause := context.Cause(call); {
	case errors.Is(cause, errClosedHere):
		return fail(flags.ClassCanceled, cause)
	case cause != nil:
		return fail(flags.ClassTransient, cause)
	}
	st, ok := status.FromError(err)
	if !ok {
		return fail(ownClass(err), err)
	}
	if known := wire.Sentinels(st); len(known) > 0 {
		err := &remoteError{message: st.Message(), is: known}
		return fail(sentinelClass(st.Code(), known), err)
	}
	if st.Code() == codes.DeadlineExceeded && due(parent) {
		// The router was told the caller's deadline, and its clock was the faster one.
		return fail(flags.ClassCanceled, fmt.Errorf("%w: %w", context.DeadlineExceeded, err))
	}
	if st.Code() == codes.Unavailable {
		if cause := s.cause.load(); cause != nil {
			return fail(remote.ConnClass(cause), fmt.Errorf("no connection: %w", cause)) // gRPC's text would only repeat it
		}
	}
	if st.Code() == codes.NotFound {
		err = fmt.Errorf("%w: %w", store.ErrNotFound, err)
	}
	return fail(codeClass(st), err)
}

// due reports whether a context is about to run into its deadline.
func due(ctx context.Context) bool {
	const skew = 50 * time.Millisecond
	at, ok := ctx.Deadline()
	return ok && time.Until(at) < skew
}

// remoteError is an error of the router that kept its identity.
type remoteError struct {
	message string
	is      []error
}

func (e *remoteError) Error() string   { return e.message }
func (e *remoteError) Unwrap() []error { return e.is }

// ownClass is for what this end found wrong with an answer. The router that
// sends it can serve nobody, so it counts as an outage.
func ownClass(error) flags.Class { return flags.ClassTransient }

// sentinelClass is the class of an error by what it was at the other end. A
// router that trips over its own store's bytes is out of order, though.
func sentinelClass(code codes.Code, known []error) flags.Class {
	if code == codes.DataLoss || code == codes.Internal || code == codes.Unavailable {
		return flags.ClassTransient
	}
	return store.Class(errors.Join(known...))
}

// codeClass is the class of an error that has only its code to show.
func codeClass(st *status.Status) flags.Class {
	switch st.Code() {
	case codes.NotFound:
		return flags.ClassNotFound
	case codes.PermissionDenied, codes.Unauthenticated:
		return flags.ClassDenied
	case codes.InvalidArgument, codes.OutOfRange, codes.FailedPrecondition, codes.AlreadyExists:
		return flags.ClassPermanent
	case codes.ResourceExhausted:
		// Overload, except for a message over our own limit, which stays too large.
		if strings.Contains(st.Message(), "larger than max") {
			return flags.ClassPermanent
		}
		return flags.ClassTransient
	default:
		// Unimplemented among them: a wrong route or an old router serves nobody.
		return flags.ClassTransient
	}
}

// ended is what a stream that was closed in good order means to its reader.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return status.Error(codes.Unavailable, "router closed the stream")
	}
	return err
}
