package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/redact"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

// open returns the store the command line names. The caller closes it.
func (a *app) open(ctx context.Context) (store.Store, error) {
	if a.storeAt == "" {
		return a.router()
	}
	scheme, rest, ok := strings.Cut(a.storeAt, ":")
	switch {
	case ok && scheme == "bolt":
		if _, err := os.Stat(rest); err != nil {
			// Opening would create it: a mistyped path must not look like an empty store.
			return nil, &exitError{code: exitFailed, err: fmt.Errorf("--store %s: %w", a.storeAt, err), hint: "a router creates its store at first start"}
		}
		return boltstore.Open(rest, &boltstore.Options{KeepFor: math.MaxInt64}) // what may be forgotten routers know
	case ok && (scheme == "mongodb" || scheme == "mongodb+srv"):
		st, err := mongostore.Open(ctx, a.storeAt, &mongostore.Options{KeepFor: math.MaxInt64, HeadTimeout: a.budget()})
		if err != nil {
			return nil, usagef("--store: %v", err)
		}
		return st, nil
	default:
		return nil, usagef("--store %q: want mongodb://... or bolt:PATH", redact.URL(a.storeAt))
	}
}

// budget is that of each call: drivers have small ones for those who have another layer to
// ask, while here somebody waits and has said for how long. It is more than that, so that
// what ends the wait is --timeout, and says so.
func (a *app) budget() time.Duration { return 2 * a.timeout }

// router returns the connection to the router; only it knows of clients.
func (a *app) router() (*grpcstore.Store, error) {
	target := a.server
	opts := &grpcstore.Options{APIKey: a.apiKey, Identity: grpcstore.Identity{Name: "flagctl"}, HeadTimeout: a.budget(), WriteTimeout: a.budget()}
	if err := a.credentials(opts); err != nil {
		return nil, err
	}
	if !strings.Contains(target, "://") {
		target = map[bool]string{false: "grpc://", true: "grpcs://"}[opts.TLSFrom != nil] + target
	}
	st, err := grpcstore.Open(target, opts)
	if err != nil {
		if errors.Is(err, flags.ErrInvalid) {
			return nil, usagef("--server %q: want HOST:PORT, such as localhost:8015, or grpcs://HOST:PORT", redact.URL(a.server))
		}
		return nil, usagef("--server: %v", err)
	}
	return st, nil
}

// with runs f on the store, within the command's time.
func (a *app) with(ctx context.Context, f func(ctx context.Context, st store.Store) error) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, a.timeout, fmt.Errorf("no answer within --timeout %v", a.timeout))
	defer cancel()
	st, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := st.Close(); err == nil {
			err = cerr
		}
	}()
	return a.hinted(ctx, st, f(ctx, st))
}

// contents loads the set as it is now.
func (a *app) contents(ctx context.Context, src flags.Source) (*flags.Contents, error) {
	u, err := src.Fetch(ctx, a.set, flags.Head{Set: a.set})
	if err != nil {
		return nil, err
	}
	if err := ended(u.Head); err != nil {
		return nil, err
	}
	return store.Assemble(a.set, u)
}

// ended is the error of reading a set that was deleted.
func ended(head flags.Head) error {
	if head.Status == flags.StatusDeleted {
		return notFoundf("`flagctl sets create "+head.Set+"` begins it again", "flag set %q was deleted at %s", head.Set, head.Token())
	}
	return nil
}

// entries is a set as far as it is looked at: *flags.Contents and *store.View.
type entries interface {
	Get(flags.EntryKey) (flags.Entry, bool)
	All() iter.Seq[flags.Entry]
}
