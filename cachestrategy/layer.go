package cachestrategy

import (
	"context"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Layer makes a cache a layer of a client's chain, or the place that a router
// publishes into: a flags.Source of what the cache has and a flags.Sink for what
// goes in. Safe for concurrent use; it adds no state to the strategy's.
type Layer struct {
	strategy      Strategy
	ttl           time.Duration
	margin        float64
	authoritative func(flags.Lineage) bool
}

// LayerOptions change how a Layer works. The zero value is for production.
type LayerOptions struct {
	// TTL is the lifetime of the entries it writes. Default DefaultTTL (60 s).
	TTL time.Duration
	// Margin is the last part of an entry's lifetime in which it is not used
	// without asking its origin. Default DefaultMargin (10 %, at most 30 s).
	Margin float64
	// Authoritative reports whether a lineage is known to be the right one, so that
	// entries of another may be replaced: for a router always, for a client once its
	// primary or secondary has answered. Nil: never.
	Authoritative func(flags.Lineage) bool
}

var (
	_ flags.Source = (*Layer)(nil)
	_ flags.Sink   = (*Layer)(nil)
)

// NewLayer returns the layer over s. Closing s remains with whoever opened it.
func NewLayer(s Strategy, o *LayerOptions) *Layer {
	if o == nil {
		o = &LayerOptions{}
	}
	l := &Layer{strategy: s, ttl: o.TTL, margin: o.Margin, authoritative: o.Authoritative}
	if l.ttl <= 0 {
		l.ttl = DefaultTTL
	}
	if l.margin <= 0 {
		l.margin = DefaultMargin
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

// Lookup is Fetch with the entry's expiry, and whether it may be used without
// asking its origin: now, and for the margin of its lifetime to come.
func (l *Layer) Lookup(ctx context.Context, set string, have flags.Head) (e Entry, usable bool, err error) {
	e, err = l.strategy.Get(ctx, Query{Set: set, Have: have})
	return e, err == nil && e.Usable(time.Now(), Margin(e.TTL(), l.margin)), err
}

// Put offers an installed update to the cache. Being refused is no error: then
// the cache has something newer, or of a lineage that may well be the right one.
func (l *Layer) Put(ctx context.Context, u flags.Update, full func() *flags.Checkpoint) error {
	_, err := l.strategy.Put(ctx, Offer{
		Update: u, TTL: l.ttl, Full: full,
		Authoritative: l.authoritative != nil && l.authoritative(u.Head.Lineage),
	})
	return err
}
