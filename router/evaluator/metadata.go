package evaluator

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/holdfast-flags/holdfast/flags"
)

// Keys that the router adds to the metadata of answers. They win over the flags' own.
const (
	RevisionKey  = "holdfastRevision" // token of the snapshot, as text
	FreshnessKey = "freshness"        // "stale" or "not fresh"; left out where fresh
)

// Metadata returns what an answer says beside the value, an object: the set's
// metadata, the flag's over it, and the router's keys.
func Metadata[T any](c *Call, d *flags.Details[T]) flags.Value {
	return c.with(d.Metadata(), d.Freshness)
}

// Metadata returns what an answer about the set as a whole says: the set's metadata,
// the selector as it was said, and the router's keys.
func (c *Call) Metadata() flags.Value {
	own := flags.Value{}
	if s := c.View.Snapshot(); s != nil {
		own = s.Metadata()
	}
	if c.Selector.Key == "" {
		return c.with(own, c.View.Freshness())
	}
	return c.with(own, c.View.Freshness(), flags.String(c.Selector.Key, c.Selector.Value))
}

func (c *Call) with(own flags.Value, f flags.Freshness, more ...flags.Attr) flags.Value {
	if c.Revision != "" {
		more = append(more, flags.String(RevisionKey, c.Revision))
	}
	switch f {
	case flags.FreshnessStale:
		more = append(more, flags.String(FreshnessKey, "stale"))
	case flags.FreshnessNotFresh:
		more = append(more, flags.String(FreshnessKey, "not fresh"))
	}
	return flags.FromValue(own).With(more...).Value()
}

// memoSlots bounds what a Memo holds. A flag that shares its slot with one as busy
// is made anew each time, which is what it would cost without a Memo.
const memoSlots = 4096

// Memo keeps what a protocol made of a flag at a revision, the metadata of its answers
// above all, so that it is made once and not for every request. It needs no lock, and
// nothing is to be done when a set changes: what is of another revision does not count.
// The zero Memo is ready.
type Memo[T any] struct {
	slots [memoSlots]atomic.Pointer[memo[T]]
}

type memo[T any] struct {
	revision, key string
	freshness     flags.Freshness
	value         T
}

var memoSeed = maphash.MakeSeed()

// Get returns what was put for the flag key at a revision (Call.Revision) and freshness.
func (m *Memo[T]) Get(revision, key string, f flags.Freshness) (value T, ok bool) {
	// The revision of busy sets is the same pointer, so comparing it costs nothing.
	e := m.slot(key).Load()
	if e == nil || e.key != key || e.revision != revision || e.freshness != f {
		return value, false
	}
	return e.value, true
}

// Put keeps value, which must not change any more.
func (m *Memo[T]) Put(revision, key string, f flags.Freshness, value T) {
	m.slot(key).Store(&memo[T]{revision, key, f, value})
}

func (m *Memo[T]) slot(key string) *atomic.Pointer[memo[T]] {
	return &m.slots[maphash.String(memoSeed, key)%memoSlots]
}
