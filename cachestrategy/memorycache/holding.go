package memorycache

import (
	"slices"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// Bounds of a holding's tail. Beyond them the set is assembled anew, so that cold
// readers do not apply ever more commits.
const (
	maxTail      = 256
	maxTailBytes = 1 << 20
)

// holding is one set as the cache has it: a checkpoint and the commits after it.
// It is immutable, so that readers share it without a lock.
type holding struct {
	head      flags.Head
	base      *flags.Checkpoint
	tail      []flags.Commit // shared between generations; only ever appended to
	tailBytes int
	bytes     int // of both, roughly
	asOf, end time.Time
}

func newHolding(o *cachestrategy.Offer, base *flags.Checkpoint) *holding {
	h := &holding{head: o.Head, base: base, asOf: o.AsOf, end: o.AsOf.Add(o.TTL)}
	for _, e := range base.Entries {
		h.bytes += mutationBytes(e.Key, e.Bytes)
	}
	if base == o.Checkpoint {
		h.extend(o.Commits)
	}
	return h
}

// extend appends commits to a holding that nobody reads yet. The array behind the
// tail is shared with the holding before: only the newest one is ever extended,
// under the lock of its key, and readers of older ones see only their own length.
func (h *holding) extend(commits []flags.Commit) {
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
// An older confirmation changes nothing, and a shorter lifetime shortens nothing.
func (h *holding) renewed(o *cachestrategy.Offer) (*holding, cachestrategy.Outcome) {
	if !o.AsOf.After(h.asOf) {
		return h, cachestrategy.Unchanged
	}
	next := *h
	next.asOf = o.AsOf
	if end := o.AsOf.Add(o.TTL); end.After(next.end) {
		next.end = end
	}
	return &next, cachestrategy.Renewed
}

// followed returns the holding led on by those commits of an offer that are news
// to it, or ok false where they do not follow.
func (h *holding) followed(o *cachestrategy.Offer) (next *holding, ok bool) {
	news := o.Commits
	if i := slices.IndexFunc(news, func(c flags.Commit) bool { return h.head.Version.Before(c.Version) }); i > 0 {
		if !cachestrategy.SameHead(news[i-1].Head(), h.head) {
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
	next = &holding{
		head: o.Head, base: h.base, tail: h.tail, tailBytes: h.tailBytes, bytes: h.bytes,
		asOf: o.AsOf, end: o.AsOf.Add(o.TTL),
	}
	next.extend(news)
	return next, len(next.tail) <= maxTail && next.tailBytes <= maxTailBytes
}

// entry answers a query.
func (h *holding) entry(q cachestrategy.Query) cachestrategy.Entry {
	e := cachestrategy.Entry{Update: flags.Update{Head: h.head, AsOf: h.asOf}, ExpiresAt: h.end}
	past := q.Have.Lineage == h.head.Lineage && h.head.Version.Before(q.Have.Version)
	if q.HeadOnly || past || cachestrategy.SameHead(q.Have, h.head) {
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
func (h *holding) after(have flags.Head) (int, bool) {
	if cachestrategy.SameHead(have, h.base.Head) {
		return 0, true
	}
	i, found := slices.BinarySearchFunc(h.tail, have.Version, func(c flags.Commit, v flags.Version) int { return c.Compare(v) })
	return i + 1, found && cachestrategy.SameHead(have, h.tail[i].Head())
}
