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
	sets     *otter.Cache[string, *cachestrategy.Holding]
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
		sets: otter.Must(&otter.Options[string, *cachestrategy.Holding]{
			MaximumWeight: maxBytes,
			Weigher: func(_ string, h *cachestrategy.Holding) uint32 {
				return uint32(min(max(least, uint64(h.Bytes())), math.MaxUint32))
			},
			// The hard bound counts from the last write; who wants an entry for longer has it for longer.
			ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, *cachestrategy.Holding]) time.Duration {
				return max(hard, time.Until(e.Value.ExpiresAt()))
			}),
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
	return h.Entry(q), nil
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
	outcome, err := c.install(&o)
	if outcome != cachestrategy.Gap || err != nil {
		return outcome, err
	}
	// Assembling costs the size of the set, so it is not done under the key's lock.
	whole, ok, err := o.WithWhole()
	if !ok {
		return outcome, err
	}
	return c.install(&whole)
}

// install decides about an offer and carries it out under the lock of its key.
func (c *Cache) install(o *cachestrategy.Offer) (outcome cachestrategy.Outcome, err error) {
	c.sets.Compute(o.Head.Set, func(old *cachestrategy.Holding, _ bool) (*cachestrategy.Holding, otter.ComputeOp) {
		var next *cachestrategy.Holding
		next, outcome = o.Onto(old, c.mark(o.Head.Set))
		if outcome != cachestrategy.Stored && outcome != cachestrategy.Renewed {
			return old, otter.CancelOp
		}
		if uint64(next.Bytes()) > c.maxBytes {
			err = sourceError(flags.ClassPermanent, "put", o.Head.Set,
				fmt.Errorf("%w: about %d bytes, at most %d; raise max-bytes", flags.ErrTooLarge, next.Bytes(), c.maxBytes))
			return old, otter.CancelOp
		}
		c.marks.raise(o.Head)
		return next, otter.WriteOp
	})
	return outcome, err
}

// mark returns the newest version that the cache had of a set.
func (c *Cache) mark(set string) flags.Head {
	if c.unguarded {
		return flags.Head{}
	}
	return c.marks.get(set)
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
