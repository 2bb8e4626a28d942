package memorycache

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// Cache is a cachestrategy.Strategy in memory. Its entries are handed out without
// copying; nobody may change them.
type Cache struct {
	sets     *otter.Cache[string, *holding]
	marks    marks
	maxBytes uint64
	closed   atomic.Bool

	unguarded bool
}

// Options bound a Cache. The zero value is for production.
type Options struct {
	// MaxEntries is the number of sets held at most. Default 10,000.
	MaxEntries int
	// MaxBytes is the memory they take at most, roughly: a set counts for at least
	// MaxBytes/MaxEntries. Default 64 MiB. A set that is larger alone is refused.
	MaxBytes int64
	// Hard is the time after its last write from which a set is dropped, expired or
	// not. Default 24 h.
	Hard time.Duration

	unguarded bool // twin tests: older versions replace newer ones
}

var _ cachestrategy.Strategy = (*Cache)(nil)

// New returns an empty cache.
func New(o *Options) *Cache {
	if o == nil {
		o = &Options{}
	}
	maxBytes := uint64(cmp.Or(max(o.MaxBytes, 0), 64<<20))
	maxEntries := uint64(cmp.Or(max(o.MaxEntries, 0), 10_000))
	hard := cmp.Or(max(o.Hard, 0), 24*time.Hour)
	// One weight keeps both bounds: with a least weight of bytes/entries, the bytes
	// are used up no later than the entries are.
	least := max(1, maxBytes/maxEntries)
	return &Cache{
		sets: otter.Must(&otter.Options[string, *holding]{
			MaximumWeight: maxBytes,
			Weigher: func(_ string, h *holding) uint32 {
				return uint32(min(max(least, uint64(h.bytes)), math.MaxUint32))
			},
			ExpiryCalculator: otter.ExpiryWriting[string, *holding](hard),
		}),
		marks:     marks{keep: 2 * hard},
		maxBytes:  maxBytes,
		unguarded: o.unguarded,
	}
}

// Get implements cachestrategy.Strategy.
func (c *Cache) Get(ctx context.Context, q cachestrategy.Query) (cachestrategy.Entry, error) {
	if err := c.check(ctx, "get", q.Set); err != nil {
		return cachestrategy.Entry{}, err
	}
	h, ok := c.sets.GetIfPresent(q.Set)
	if !ok {
		return cachestrategy.Entry{}, sourceError(flags.ClassTransient, "get", q.Set, cachestrategy.ErrMiss)
	}
	return h.entry(q), nil
}

// Put implements cachestrategy.Strategy.
func (c *Cache) Put(ctx context.Context, o cachestrategy.Offer) (cachestrategy.Outcome, error) {
	if err := c.check(ctx, "put", o.Head.Set); err != nil {
		return cachestrategy.Unchanged, err
	}
	o, err := o.Prepare()
	if err != nil {
		return cachestrategy.Unchanged, err
	}
	outcome, err := c.install(&o, o.Checkpoint)
	if outcome != cachestrategy.Gap || o.Full == nil || err != nil {
		return outcome, err
	}
	// Assembling costs the size of the set, so it is not done under the key's lock.
	full, err := o.Whole()
	if err != nil {
		return outcome, err
	}
	return c.install(&o, full)
}

// install decides about an offer and carries it out under the lock of its key.
func (c *Cache) install(o *cachestrategy.Offer, base *flags.Checkpoint) (outcome cachestrategy.Outcome, err error) {
	c.sets.Compute(o.Head.Set, func(old *holding, _ bool) (*holding, otter.ComputeOp) {
		var next *holding
		next, outcome = c.decide(old, o, base)
		if outcome != cachestrategy.Stored && outcome != cachestrategy.Renewed {
			return old, otter.CancelOp
		}
		if uint64(next.bytes) > c.maxBytes {
			err = sourceError(flags.ClassPermanent, "put", o.Head.Set,
				fmt.Errorf("%w: about %d bytes, at most %d; raise max-bytes", flags.ErrTooLarge, next.bytes, c.maxBytes))
			return old, otter.CancelOp
		}
		c.marks.raise(o.Head)
		return next, otter.WriteOp
	})
	return outcome, err
}

// decide returns what takes the place of old.
func (c *Cache) decide(old *holding, o *cachestrategy.Offer, base *flags.Checkpoint) (*holding, cachestrategy.Outcome) {
	mark, marked := c.marks.get(o.Head.Set)
	switch foreign := mark.Lineage != o.Head.Lineage; {
	case !marked || c.unguarded || foreign && o.Authoritative:
	case foreign:
		return nil, cachestrategy.Conflict
	case o.Head.Version.Before(mark.Version):
		return nil, cachestrategy.Older
	case o.Head.Version == mark.Version && !cachestrategy.SameHead(o.Head, mark) && !o.Authoritative:
		return nil, cachestrategy.Conflict
	}
	if old != nil && cachestrategy.SameHead(old.head, o.Head) {
		return old.renewed(o)
	}
	if base != nil {
		return newHolding(o, base), cachestrategy.Stored
	}
	if old != nil {
		if next, ok := old.followed(o); ok {
			return next, cachestrategy.Stored
		}
	}
	return nil, cachestrategy.Gap
}

// Invalidate implements cachestrategy.Strategy.
func (c *Cache) Invalidate(ctx context.Context, set string) error {
	if err := c.check(ctx, "invalidate", set); err != nil {
		return err
	}
	c.sets.Invalidate(set)
	return nil
}

// Close implements cachestrategy.Strategy.
func (c *Cache) Close() error {
	if !c.closed.Swap(true) {
		c.sets.InvalidateAll()
		c.sets.StopAllGoroutines()
	}
	return nil
}

func (c *Cache) check(ctx context.Context, op, set string) error {
	if c.closed.Load() {
		return sourceError(flags.ClassCanceled, op, set, cachestrategy.ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return sourceError(flags.ClassCanceled, op, set, err)
	}
	return nil
}

func sourceError(class flags.Class, op, set string, err error) error {
	return &flags.SourceError{Class: class, Op: "memorycache: " + op + " " + set, Err: err}
}
