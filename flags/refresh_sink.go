package flags

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	sinkRetry    = 5 * time.Second
	maxSinkQueue = 1024 // commits kept for a sink that is behind; beyond, it gets the whole set
	// confirmDisk is how often the file is told that what it has is still so. It is written
	// whole each time, so not at each heartbeat.
	confirmDisk = 10 * time.Minute
)

// outlet brings every installed set out to one layer's sink, off the read path
// and off the path of whoever delivered it. While a put is under way all that
// arrives becomes one update, so a slow sink is never more than one put behind.
type outlet struct {
	*layer
	renew func(*Snapshot) time.Duration // when to put without news, to keep the entry alive
	fresh time.Duration                 // disk only: how much newer than it says is worth a last put

	mu      sync.Mutex
	pending Update // Head zero: nothing
	snap    *Snapshot
	last    *Snapshot     // that was put
	asOf    time.Time     // of that put
	age     time.Duration // of what it told, where that was news
	wake    chan struct{}
}

func newOutlet(l *layer, renew func(*Snapshot) time.Duration) *outlet {
	return &outlet{layer: l, renew: renew, wake: make(chan struct{}, 1)}
}

// take notes an installed update for the next put.
func (o *outlet) take(u Update, snap *Snapshot) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending, o.snap = merge(o.pending, u), snap
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// merge makes one update of two that follow each other. Where they do not, what
// remains says only the head, and the sink asks for the whole set.
func merge(a, b Update) Update {
	m := Update{Head: b.Head, AsOf: b.AsOf}
	switch {
	case b.Checkpoint != nil:
		m.Checkpoint, m.Commits = b.Checkpoint, b.Commits
	case a.Head.Version.IsZero():
		m.Commits = b.Commits
	case len(b.Commits) == 0 && a.Head.Version == b.Head.Version,
		len(b.Commits) > 0 && follows(a.Head, &b.Commits[0]):
		m.Checkpoint = a.Checkpoint
		m.Commits = slices.Concat(a.Commits, b.Commits)
	}
	if len(m.Commits) > maxSinkQueue {
		m.Checkpoint, m.Commits = nil, nil
	}
	return m
}

func follows(h Head, c *Commit) bool {
	next, err := h.NextVersion(c.Op)
	return err == nil && next == c.Version && h.Lineage == c.Lineage
}

// run puts what was taken until ctx ends, and once more then, so that the next
// start finds what this process answered from.
func (o *outlet) run(ctx context.Context, latest func() (*Snapshot, time.Time)) {
	renew := time.NewTimer(o.renewal())
	defer renew.Stop()
	for {
		select {
		case <-ctx.Done():
			o.confirm(latest)
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Timeout)
			o.put(last)
			cancel()
			return
		case <-o.wake:
		case <-renew.C:
			o.again(latest)
		}
		if !o.put(ctx) {
			_, refused := o.Gate.State()
			o.again(latest)
			sleep(ctx, max(refused, jitter(sinkRetry)))
		}
		renew.Reset(o.renewal()) // counted from the put, each time at another instant
	}
}

// renewal returns when the entry is to be put again if there is no news.
func (o *outlet) renewal() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return max(o.renew(o.last)-o.age, leastRenewal)
}

// again makes the next put one of whatever is newest then.
func (o *outlet) again(latest func() (*Snapshot, time.Time)) {
	snap, asOf := latest()
	if snap != nil {
		o.take(Update{Head: snap.head, AsOf: asOf}, snap)
	}
}

// confirm makes the last put tell how things are known to be now, where the put before
// would leave the next start with an age that is stale though this process' was not.
func (o *outlet) confirm(latest func() (*Snapshot, time.Time)) {
	o.mu.Lock()
	told := o.asOf
	o.mu.Unlock()
	if _, asOf := latest(); o.disk && asOf.Sub(told) > o.fresh {
		o.again(latest)
	}
}

// put offers what is pending. False: the sink could not take it now, or was not let by Close.
func (o *outlet) put(ctx context.Context) bool {
	o.mu.Lock()
	u, snap := o.pending, o.snap
	o.pending, o.snap = Update{}, nil
	if snap == nil {
		o.mu.Unlock()
		return true
	}
	o.last, o.age = snap, 0
	if u.AsOf.After(o.asOf) { // the entry's lifetime counts from there; an old confirmation renews nothing
		o.asOf, o.age = u.AsOf, time.Since(u.AsOf)
	}
	o.mu.Unlock()
	// The sink itself knows how long its first answer may take; the whole set may take longer.
	err := o.guard(ctx, bulkTimeout, func(ctx context.Context) error {
		return o.exchange(ctx, bulkTimeout, "put", func(ctx context.Context) error { return o.Sink.Put(ctx, u, snap.Checkpoint) })
	})
	if err == nil {
		o.stats.update(func(s *LayerStatus) { s.Written++ })
	}
	return err == nil || !fallsThrough(err) && ClassOf(err) != ClassCanceled
}
