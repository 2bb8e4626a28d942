package cachestrategy

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/holdfast-flags/holdfast/flags"
)

// Layer makes a cache a layer of a client's chain, or the place that a router
// publishes into: a flags.Source of what the cache has and a flags.Sink for what
// goes in. Safe for concurrent use.
type Layer struct {
	strategy Strategy
	opts     LayerOptions
	said     said
	readOnly atomic.Bool
}

// LayerOptions change how a Layer works. The zero value is for production.
type LayerOptions struct {
	// Lifetimes of the entries it writes. Default 60 s with a margin of 10 %, or
	// what the metadata of a set say.
	Lifetimes Lifetimes
	// Authoritative reports whether a lineage is known to be the right one, so that
	// entries of another may be replaced: for a router always, for a client once its
	// primary or secondary has answered. Nil: never.
	Authoritative func(flags.Lineage) bool
	// Origin says that the layer belongs to the writer of the sets, a router: what it
	// has at a version replaces other contents at that version.
	Origin bool
	// YieldToDenial makes the layer stop writing, without an error, once the cache
	// says that this user may not. For clients; to a router it is an error.
	YieldToDenial bool
	// Logger is told when YieldToDenial takes effect. Default slog.Default().
	Logger *slog.Logger
}

var (
	_ flags.Source = (*Layer)(nil)
	_ flags.Sink   = (*Layer)(nil)
)

// NewLayer returns the layer over s. Closing s remains with whoever opened it.
func NewLayer(s Strategy, o *LayerOptions) *Layer {
	l := &Layer{strategy: s}
	if o != nil {
		l.opts = *o
	}
	if l.opts.Logger == nil {
		l.opts.Logger = slog.Default()
	}
	return l
}

// Head returns the version the cache has, expired or not. The error wraps
// ErrMiss where there is none.
func (l *Layer) Head(ctx context.Context, set string) (flags.Head, error) {
	e, err := l.strategy.Get(ctx, Query{Set: set, HeadOnly: true})
	return e.Head, err
}

// Fetch returns what leads from have to the version the cache has, expired or
// not: even an old entry saves its reader most of the way, and AsOf tells its age.
func (l *Layer) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	e, err := l.strategy.Get(ctx, Query{Set: set, Have: have})
	return e.Update, err
}

// Lookup is Fetch with the entry's instants; Entry.Usable says whether it may be
// used without asking its origin.
func (l *Layer) Lookup(ctx context.Context, set string, have flags.Head) (Entry, error) {
	return l.strategy.Get(ctx, Query{Set: set, Have: have})
}

// Put offers an installed update to the cache. Being refused is no error: then
// the cache has something newer, or of a lineage that may well be the right one.
func (l *Layer) Put(ctx context.Context, u flags.Update, full func() *flags.Checkpoint) error {
	if l.readOnly.Load() {
		return nil
	}
	_, err := l.Offer(ctx, u, full)
	if l.opts.YieldToDenial && errors.Is(err, ErrReadOnly) {
		if !l.readOnly.Swap(true) {
			l.opts.Logger.InfoContext(ctx, "cache is read-only for this process, which goes on without writing to it", "cause", err)
		}
		return nil
	}
	return err
}

// Offer is Put that tells what became of the offer, and takes being denied for an
// error.
func (l *Layer) Offer(ctx context.Context, u flags.Update, full func() *flags.Checkpoint) (Outcome, error) {
	if full != nil {
		full = sync.OnceValue(full)
	}
	life := l.opts.Lifetimes.Of(u.Head.Set, l.said.of(&u, full))
	return l.strategy.Put(ctx, Offer{
		Update: u, TTL: life.TTL, Margin: life.Margin, Full: full, Origin: l.opts.Origin,
		Authoritative: l.opts.Authoritative != nil && l.opts.Authoritative(u.Head.Lineage),
	})
}
