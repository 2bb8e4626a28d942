package reststore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/remote"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/store"
)

// Which of our own limits ended a call.
var (
	errHeadBudget = errors.New("no answer within the budget")
	errBulkBudget = errors.New("not complete within the bulk deadline")
	errSilence    = errors.New("nothing heard on the watch")
	errClosedHere = errors.New("watch was closed")
)

// errPaused is why nothing was sent: the router has asked for it.
var errPaused = errors.New("the router asked to be left alone")

// longestPause bounds how long a router may send its clients away for.
const longestPause = time.Minute

// statusError is an answer other than 200.
type statusError struct {
	status  int
	problem restwire.Problem
	kind    restwire.Kind // zero: none of the router's own problems
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("HTTP %d %s", e.status, http.StatusText(e.status))
	if e.problem.Detail != "" {
		text += ": " + e.problem.Detail
	}
	return text
}

func (e *statusError) Unwrap() error { return e.kind.Err }

// refused reads an answer other than 200, and heeds Retry-After.
func (s *Store) refused(resp *http.Response) error {
	const most = 64 << 10
	e := &statusError{status: resp.StatusCode}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if problem, ok := restwire.ParseProblem(resp.Header.Get("Content-Type"), body); ok && err == nil && problem.Status == resp.StatusCode {
		e.problem = problem
		e.kind, _ = problem.Kind()
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		if wait := retryAfter(resp.Header.Get("Retry-After"), time.Now()); wait > 0 {
			until := time.Now().Add(wait)
			s.pause.Store(&until)
		}
	}
	return e
}

// retryAfter reads the header's two forms; 0 where it says nothing of use.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longestPause)
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, min(at.Sub(now), longestPause))
	}
	return 0
}

// classify turns err, which ended a call made with the context call on behalf of
// parent, into a *flags.SourceError. nil stays nil.
//
// The order matters: the text of an error does not tell a caller that gave up from
// a router that is slow, so the caller's context is looked at first, then our own
// budgets, and only then what net/http says.
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
	case errors.Is(err, store.ErrClosed):
		return fail(flags.ClassCanceled, err)
	case s.closed.Load():
		return fail(flags.ClassCanceled, fmt.Errorf("%w: %w", store.ErrClosed, err))
	}
	switch cause := context.Cause(call); {
	case errors.Is(cause, errClosedHere):
		return fail(flags.ClassCanceled, cause)
	case cause != nil:
		return fail(flags.ClassTransient, cause)
	}
	var status *statusError
	if errors.As(err, &status) {
		return fail(status.class(), err)
	}
	return fail(remote.ConnClass(err), err)
}

// class is what an answer means for whoever has other layers to ask. What says
// that the router can serve nobody is an outage, whatever the first digit: a
// redirect, a route that is not ours, a method that is not implemented.
func (e *statusError) class() flags.Class {
	switch e.status {
	case http.StatusNotFound:
		if errors.Is(e.kind.Err, store.ErrNotFound) {
			return flags.ClassNotFound
		}
		return flags.ClassTransient // a proxy's, or another server's: no route to the router
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return flags.ClassDenied
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusConflict, http.StatusGone,
		http.StatusLengthRequired, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
		http.StatusUnsupportedMediaType, http.StatusRequestedRangeNotSatisfiable, http.StatusExpectationFailed,
		http.StatusUnprocessableEntity, http.StatusPreconditionRequired, http.StatusRequestHeaderFieldsTooLarge:
		return flags.ClassPermanent
	default:
		return flags.ClassTransient
	}
}
