package cachestrategy

import (
	"slices"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Bounds of the tail of a Holding. Beyond them the set is assembled anew, so that cold
// readers do not apply ever more commits.
const (
	maxTail      = 256
	maxTailBytes = 1 << 20
)

// Holding is one set as a cache keeps it: a checkpoint, the commits after it, and
// the instants. A strategy is little more than a place for holdings: the rules are
// here. It is immutable, so readers share it without a lock. The nil Holding is that
// of a set that the cache does not have.
type Holding struct {
	head      flags.Head
	base      *flags.Checkpoint
	tail      []flags.Commit // shared between generations; only ever appended to
	tailBytes int
	bytes     int // of both, roughly
	asOf, end time.Time
	margin    time.Duration
}

// Onto returns what takes the place of old, which may be nil, and what became of
// the offer; next is old unless the outcome is Stored or Renewed. The mark is the
// newest version that the cache has or had of the set. At Gap the caller tries again
// with what WithWhole returns, where that is ok. The offer is a prepared one.
func (o *Offer) Onto(old *Holding, mark flags.Head) (next *Holding, outcome Outcome) {
	if outcome, refused := o.Refused(mark); refused {
		return old, outcome
	}
	if old != nil && SameHead(old.head, o.Head) {
		return old.renewed(o)
	}
	ok := o.Checkpoint != nil
	if ok {
		next = newHolding(o)
	} else if old != nil {
		next, ok = old.followed(o)
	}
	if !ok || !next.bounded() {
		return old, Gap
	}
	return next, Stored
}

// WithWhole returns the offer as one of a checkpoint alone, or ok false where it has
// neither a checkpoint to begin with nor a Full. The error is of ClassPermanent.
func (o Offer) WithWhole() (whole Offer, ok bool, err error) {
	switch {
	case o.Checkpoint != nil && len(o.Commits) == 0:
	case o.Full != nil:
		o.Checkpoint, err = o.whole()
	case o.Checkpoint == nil:
		return o, false, nil
	default:
		o.Checkpoint, err = o.joined()
	}
	o.Commits = nil
	return o, err == nil, err
}

// Head returns the version the holding has.
func (h *Holding) Head() flags.Head { return h.head }

// Bytes returns about how much memory the holding takes.
func (h *Holding) Bytes() int { return h.bytes }

// ExpiresAt returns when the holding expires.
func (h *Holding) ExpiresAt() time.Time { return h.end }

func newHolding(o *Offer) *Holding {
	h := &Holding{head: o.Head, base: o.Checkpoint, asOf: o.AsOf, end: o.AsOf.Add(o.TTL), margin: o.Margin}
	for _, e := range h.base.Entries {
		h.bytes += mutationBytes(e.Key, e.Bytes)
	}
	h.extend(o.Commits)
	return h
}

// extend appends commits to a holding that nobody reads yet. The array behind the
// tail is shared with the holding before: only the newest one is ever extended,
// under the lock of its key, and readers of older ones see only their own length.
func (h *Holding) extend(commits []flags.Commit) {
	h.tail = append(h.tail, commits...)
	for i := range commits {
		for _, m := range commits[i].Changes {
			h.tailBytes += mutationBytes(m.Key, m.Bytes)
			h.bytes += mutationBytes(m.Key, m.Bytes)
		}
	}
}

// mutationBytes estimates what an entry or a change takes in memory.
func mutationBytes(k flags.EntryKey, data []byte) int {
	const overhead = 96
	return overhead + len(k.Name) + len(k.Entity) + len(data)
}

// renewed returns the holding with the instants of an offer of its own version.
// An older confirmation changes nothing; a newer one brings nothing forward, neither
// the end nor the beginning of the margin.
func (h *Holding) renewed(o *Offer) (*Holding, Outcome) {
	// Stored forms keep microseconds of a wall clock, and one that is being put right moves
	// against ours between two looks at it.
	if o.AsOf.Sub(h.asOf) <= time.Millisecond {
		return h, Unchanged
	}
	next := *h
	next.asOf = o.AsOf
	usable := h.end.Add(-h.margin)
	if end := o.AsOf.Add(o.TTL); end.After(next.end) {
		next.end = end
	}
	if until := o.AsOf.Add(o.TTL - o.Margin); until.After(usable) {
		usable = until
	}
	next.margin = next.end.Sub(usable)
	return &next, Renewed
}

// followed returns the holding led on by those commits of an offer that are news
// to it, or ok false where they do not follow.
func (h *Holding) followed(o *Offer) (next *Holding, ok bool) {
	news := o.Commits
	if i := slices.IndexFunc(news, func(c flags.Commit) bool { return h.head.Version.Before(c.Version) }); i > 0 {
		if !SameHead(news[i-1].Head(), h.head) {
			return nil, false
		}
		news = news[i:]
	}
	if len(news) == 0 || o.Head.Lineage != h.head.Lineage {
		return nil, false
	}
	version, err := h.head.NextVersion(news[0].Op)
	if err != nil || version != news[0].Version {
		return nil, false
	}
	next = &Holding{
		head: o.Head, base: h.base, tail: h.tail, tailBytes: h.tailBytes, bytes: h.bytes,
		asOf: o.AsOf, end: o.AsOf.Add(o.TTL), margin: o.Margin,
	}
	next.extend(news)
	return next, true
}

// bounded reports whether the tail is one that readers, and its stored form, can take.
func (h *Holding) bounded() bool { return len(h.tail) <= maxTail && h.tailBytes <= maxTailBytes }

// Entry answers a query. It is for h that is not nil.
func (h *Holding) Entry(q Query) Entry {
	e := Entry{Update: flags.Update{Head: h.head, AsOf: h.asOf}, ExpiresAt: h.end, Margin: h.margin}
	// The clock of the machine that wrote it may be ahead of ours; the entry is no
	// younger than now, and lives no longer than it was meant to.
	if time.Until(h.asOf) > 0 {
		e.AsOf = time.Now().Add(-AgeOf(h.asOf))
		e.ExpiresAt = e.AsOf.Add(h.end.Sub(h.asOf))
	}
	past := q.Have.Lineage == h.head.Lineage && h.head.Version.Before(q.Have.Version)
	if q.HeadOnly || past || SameHead(q.Have, h.head) {
		return e
	}
	if i, known := h.after(q.Have); known {
		e.Commits = h.tail[i:len(h.tail):len(h.tail)]
		return e
	}
	e.Checkpoint, e.Commits = h.base, h.tail[:len(h.tail):len(h.tail)]
	return e
}

// after returns the index in the tail of the commit after have, if have is a
// version that the holding went through.
func (h *Holding) after(have flags.Head) (int, bool) {
	if SameHead(have, h.base.Head) {
		return 0, true
	}
	i, found := slices.BinarySearchFunc(h.tail, have.Version, func(c flags.Commit, v flags.Version) int { return c.Compare(v) })
	return i + 1, found && SameHead(have, h.tail[i].Head())
}
