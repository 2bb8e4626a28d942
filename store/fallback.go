package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Gate lets calls through, or refuses them at once while it is open. A
// *breaker.Breaker is one.
type Gate interface {
	// Run calls fn with a context that ends after budget (0: fn bounds itself), and
	// returns fn's error, or one of its own without calling fn.
	Run(ctx context.Context, budget time.Duration, fn func(context.Context) error) error
}

// FallbackOptions configure Fallback. The zero value is ready for production.
type FallbackOptions struct {
	// Budget bounds each call of the primary. Default 0: the primary bounds itself.
	Budget time.Duration
	// Served is told of every answer that the secondary gave. It must be safe for
	// concurrent use. Default: nobody is told.
	Served func(Secondhand)
}

// Secondhand is an answer of the secondary.
type Secondhand struct {
	Head  flags.Head // where the secondary is
	Why   error      // what the primary said, or its gate
	Older bool       // the primary had something newer, or another history, when it last answered
}

// Fallback asks the primary through its gate. Where the primary cannot serve
// anybody now (a transient error, or the gate or a bulkhead refuses), the same call is
// served by the secondary. Otherwise never: neither what does not exist, nor what is
// denied, nor a caller who gave up is a reason to ask elsewhere.
//
// The secondary may be behind. That is no error, but Served is told; a caller
// that must not go back compares versions, as it does with any layer.
// If both fail the error is transient, whatever the secondary said: only the
// primary's "not found" counts. o may be nil.
func Fallback(primary, secondary flags.Source, gate Gate, o *FallbackOptions) flags.Source {
	if o == nil {
		o = &FallbackOptions{}
	}
	return &fallback{primary: primary, secondary: secondary, gate: gate, opts: *o, newest: map[string]flags.Head{}}
}

type fallback struct {
	primary, secondary flags.Source
	gate               Gate
	opts               FallbackOptions

	mu     sync.Mutex
	newest map[string]flags.Head // of the primary, by set
}

var _ flags.Source = (*fallback)(nil)

// Unwrap returns the primary.
func (f *fallback) Unwrap() flags.Source { return f.primary }

func (f *fallback) Head(ctx context.Context, set string) (flags.Head, error) {
	head := func(ctx context.Context, s flags.Source) (h flags.Head, at flags.Head, err error) {
		h, err = s.Head(ctx, set)
		return h, h, err
	}
	return serve(ctx, f, "store: head "+set, head)
}

func (f *fallback) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	fetch := func(ctx context.Context, s flags.Source) (u flags.Update, at flags.Head, err error) {
		u, err = s.Fetch(ctx, set, have)
		return u, u.Head, err
	}
	return serve(ctx, f, "store: fetch "+set, fetch)
}

// serve asks one, then perhaps the other. ask returns the answer and the head it is at.
func serve[V any](ctx context.Context, f *fallback, op string, ask func(context.Context, flags.Source) (V, flags.Head, error)) (V, error) {
	var v V
	var at flags.Head
	why := f.gate.Run(ctx, f.opts.Budget, func(ctx context.Context) (err error) {
		v, at, err = ask(ctx, f.primary)
		return err
	})
	if why == nil {
		f.saw(at)
		return v, nil
	}
	if err := ctx.Err(); err != nil {
		// The caller's end looks like an outage to some drivers.
		return v, &flags.SourceError{Class: Class(err), Op: op, Err: fmt.Errorf("%w (%w)", err, why)}
	}
	if class := flags.ClassOf(why); class != flags.ClassTransient && class != flags.ClassRefused {
		return v, Classify(op, why)
	}
	v, at, err := ask(ctx, f.secondary)
	if err != nil {
		return v, bothFailed(ctx, op, why, err)
	}
	if f.opts.Served != nil {
		f.opts.Served(Secondhand{Head: at, Why: why, Older: f.older(at)})
	}
	return v, nil
}

func bothFailed(ctx context.Context, op string, why, err error) error {
	class := flags.ClassTransient
	if errors.Is(ctx.Err(), context.Canceled) {
		class = flags.ClassCanceled
	}
	// The secondary's error is told but not wrapped: its "not found" must not be
	// taken for an answer.
	return &flags.SourceError{Class: class, Op: op, Err: fmt.Errorf("primary: %w; secondary: %s", why, err.Error())}
}

func (f *fallback) saw(h flags.Head) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.newest[h.Set]; old.Lineage != h.Lineage || old.Version.Before(h.Version) {
		f.newest[h.Set] = h
	}
}

func (f *fallback) older(h flags.Head) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	newest, known := f.newest[h.Set]
	return known && (newest.Lineage != h.Lineage || h.Version.Before(newest.Version))
}
