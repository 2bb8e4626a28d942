package syncsvc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// How long a client that was further than this router waits for it, and how long
// the store may take to say where it is.
const (
	reachLimit = 5 * time.Second
	reachPause = 100 * time.Millisecond
	headLimit  = time.Second
)

var revisionHeader = strings.ToLower(evaluator.RevisionHeader)

// begin finds out which set a call means and whether it may have it, and waits until the
// set is where the client was before.
func (s *Service) begin(ctx context.Context, selector string) (*feed, error) {
	select {
	case <-s.drain:
		return nil, errDraining // before it is taken for a stream that lasts
	default:
	}
	header := headerOf(ctx)
	call, err := s.opts.Evaluator.Begin(ctx, header, authz.Sync, selector)
	if err != nil {
		no := statusOf(err)
		if status.Code(no) == codes.Unavailable {
			s.opts.Logger.WarnContext(ctx, "sync: cannot answer", "err", err)
		}
		return nil, no
	}
	want := s.wanted(ctx, header, call)
	for end := time.Now().Add(reachLimit); ; {
		view := call.Client.View(want)
		if view.Freshness() != flags.FreshnessNotFresh {
			if view.Snapshot().Head().Status == flags.StatusDeleted {
				return nil, status.Error(codes.NotFound, fmt.Sprintf("flag set %q was deleted", call.Set))
			}
			return s.feedOf(call.Set, call.Client), nil
		}
		if time.Now().After(end) {
			return nil, status.Error(codes.Unavailable, fmt.Sprintf("this router is behind: it has %s", view.Token()))
		}
		select {
		case <-time.After(reachPause):
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		case <-s.drain:
			return nil, errDraining
		}
	}
}

// wanted returns a context that demands what the client says it has seen, and where the
// store is now: from another router of it the client may have that.
func (s *Service) wanted(ctx context.Context, header http.Header, call evaluator.Call) context.Context {
	want := ctx
	for _, values := range header[evaluator.RevisionHeader] {
		for text := range strings.SplitSeq(values, ",") {
			if t, err := flags.ParseToken(strings.Trim(text, " \t")); err == nil { // which Begin has checked
				want = flags.AtLeast(want, t) //nolint:fatcontext // each token is a demand of its own
			}
		}
	}
	if s.opts.Heads == nil {
		return want
	}
	asking, cancel := context.WithTimeout(ctx, headLimit)
	defer cancel()
	head, err := s.opts.Heads.Head(asking, call.Set)
	if err == nil && head.Lineage == call.View.Token().Lineage {
		want = flags.AtLeast(want, head.Token())
	}
	return want
}

// headerOf returns the metadata of a call as the header that it is.
func headerOf(ctx context.Context) http.Header {
	in, _ := metadata.FromIncomingContext(ctx)
	header := make(http.Header, len(in))
	for key, values := range in {
		header[http.CanonicalHeaderKey(key)] = values
	}
	return header
}

// statusOf is the status of a call that did not get as far as a set. What a store says of
// itself is for the log: anybody may ask for sets that are public.
func statusOf(err error) error {
	var selector *evaluator.SelectorError
	switch {
	case errors.As(err, &selector):
		return status.Error(codes.InvalidArgument, selector.Error())
	case errors.Is(err, authz.ErrUnauthenticated):
		return status.Error(codes.Unauthenticated, err.Error())
	case errors.Is(err, authz.ErrDenied):
		return status.Error(codes.PermissionDenied, err.Error())
	case errors.Is(err, flags.ErrInvalid), flags.ClassOf(err) == flags.ClassNotFound, flags.ClassOf(err) == flags.ClassCanceled:
		return wire.FromError(err)
	default:
		return status.Error(codes.Unavailable, "the flag set cannot be had now")
	}
}
