package flags

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// errOlder: an update that would take reads back in time.
var errOlder = errors.New("flags: older than what is held")

// keeper holds the newest set and is the only one to publish it. Everything that
// may become visible to reads passes through install or confirm, in any order
// and from any goroutine, and only ever moves forward.
type keeper struct {
	opts    *Options
	current *atomic.Pointer[published]
	offer   func(l *layer, u Update, old, now *Snapshot) // told of every install, under mu
	states  stateWatches

	mu      sync.Mutex
	held    *Snapshot
	layer   *layer // delivered or last confirmed held
	asOf    time.Time
	proved  bool    // a confirmed asOf: that of the disk is only a memory
	lineage Lineage // fixed by the first answer of an origin
	changed chan struct{}
	timer   *time.Timer
	closed  bool
}

func newKeeper(opts *Options, current *atomic.Pointer[published]) *keeper {
	current.Store(&published{freshness: FreshnessNotFresh})
	return &keeper{opts: opts, current: current, changed: make(chan struct{})}
}

// have returns the head of what is held.
func (k *keeper) have() Head {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.haveLocked()
}

func (k *keeper) haveLocked() Head {
	if k.held == nil {
		return Head{Set: k.opts.Set}
	}
	return k.held.head
}

func (k *keeper) knownLineage() Lineage {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lineage
}

// bound returns the age from which what is held is stale.
func (k *keeper) bound() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	bound := k.opts.FreshFor
	if k.held != nil {
		bound = k.opts.freshFor(k.held)
	}
	if k.opts.MaxStaleness > 0 {
		bound = min(bound, k.opts.MaxStaleness)
	}
	return bound
}

// next returns a channel that is closed when the set that reads see changes.
func (k *keeper) next() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.changed
}

// install takes an update of a layer if it is newer and adds up. nil: it was
// installed, or confirmed what is held. Otherwise nothing has changed and the error
// wraps errOlder, ErrLineage, ErrDigest or ErrGap, or ErrClosed.
func (k *keeper) install(l *layer, u Update) error {
	k.mu.Lock()
	var err error = &SourceError{Class: ClassCanceled, Op: l.Name, Err: ErrClosed}
	held := k.haveLocked()
	if !k.closed {
		err = k.installLocked(l, &u)
	}
	k.mu.Unlock()
	switch {
	case err == nil:
		l.stats.update(func(s *LayerStatus) { s.Hits++; s.Lag = 0 })
	case !errors.Is(err, ErrClosed):
		l.refused(u.Head, held, err, true)
	}
	return err
}

func (k *keeper) installLocked(l *layer, u *Update) error {
	if u.Head.IsZero() {
		return noSuchSet(l.Name, k.opts.Set)
	}
	foreign, err := k.checkLineage(l, u.Head)
	if err != nil {
		return err
	}
	if !foreign {
		if k.held != nil {
			k.fix(l, u.Head)
		}
		if done, err := k.compare(l, u.Head); done || err != nil {
			if err == nil {
				k.settle(l, u.Head, u.AsOf)
			}
			return err
		}
	}
	snap, err := k.build(u, foreign)
	if err != nil {
		return err
	}
	old := k.held
	k.held, k.layer, k.asOf, k.proved = snap, l, u.AsOf, false
	if l.origin && k.lineage == "" {
		k.lineage = snap.head.Lineage // here, since fix would offer the set as well
	}
	k.settle(l, u.Head, u.AsOf)
	k.offer(l, *u, old, snap)
	if l.observe.Installed != nil {
		l.observe.Installed(l.Name, snap.Token())
	}
	return nil
}

// checkLineage says whether what is held must give way because an origin now told
// which history is the right one.
func (k *keeper) checkLineage(l *layer, h Head) (foreign bool, err error) {
	if h.Set != k.opts.Set {
		return false, fmt.Errorf("%w: %s delivered set %q, not %q", ErrLineage, l.Name, h.Set, k.opts.Set)
	}
	if k.opts.guards.Lineage {
		return k.held != nil && k.held.head.Lineage != h.Lineage, nil
	}
	if k.lineage != "" && h.Lineage != k.lineage {
		return false, fmt.Errorf("%w: %s delivered %s, this process follows ~%s", ErrLineage, l.Name, h.Token(), k.lineage)
	}
	if k.held == nil || k.held.head.Lineage == h.Lineage {
		return false, nil
	}
	if !l.origin {
		return false, fmt.Errorf("%w: %s delivered %s, %s is held", ErrLineage, l.Name, h.Token(), k.held.Token())
	}
	return true, nil
}

// compare places h against what is held: done means it is the same.
func (k *keeper) compare(l *layer, h Head) (done bool, err error) {
	if k.held == nil {
		return false, nil
	}
	switch have := k.held.head; h.Compare(have.Version) {
	case -1:
		if k.opts.guards.Version {
			return false, nil
		}
		return false, fmt.Errorf("%w: %s delivered %s, %s is held", errOlder, l.Name, h.Token(), have.Token())
	case 0:
		if h.Digest == have.Digest && h.Count == have.Count {
			return true, nil
		}
		if l.origin && !k.layer.origin {
			return false, nil // the origin knows better than what was kept from it
		}
		return false, fmt.Errorf("%w: %s holds %s with digest %s, held is %s", ErrDigest, l.Name, h.Token(), h.Digest, have.Digest)
	default:
		return false, nil
	}
}

// build compiles an update and checks that it leads to the head it states.
func (k *keeper) build(u *Update, foreign bool) (*Snapshot, error) {
	base, commits := k.held, u.Commits
	switch {
	case u.Checkpoint != nil:
		if err := u.Checkpoint.Verify(); err != nil && !k.opts.guards.Digest {
			return nil, err
		}
		base = NewSnapshot(u.Checkpoint)
	case base == nil || foreign:
		if len(commits) == 0 || commits[0].Op != OpCreate {
			return nil, fmt.Errorf("%w: commits without a base to apply them to", ErrGap)
		}
		base = NewSnapshot(&Checkpoint{Head: Head{Set: k.opts.Set}})
	}
	for len(commits) > 0 && commits[0].Compare(base.head.Version) <= 0 {
		commits = commits[1:] // known already from another layer
	}
	if len(commits) > 0 {
		next, err := base.Apply(commits...)
		if err != nil {
			return nil, err
		}
		base = next
	}
	if h := base.head; h.Version != u.Head.Version || h.Lineage != u.Head.Lineage {
		return nil, fmt.Errorf("%w: the update leads to %s, it says %s", ErrGap, h.Token(), u.Head.Token())
	}
	if h := base.head; (h.Digest != u.Head.Digest || h.Count != u.Head.Count) && !k.opts.guards.Digest {
		return nil, fmt.Errorf("%w: %s adds up to %s, its head says %s", ErrDigest, h.Token(), h.Digest, u.Head.Digest)
	}
	return base, nil
}

// wants says whether an update to h would be installed, before anything is read:
// nil, or what install would say. A layer that is behind, or of another history, must
// not cost a whole set each time it is looked at.
func (k *keeper) wants(l *layer, h Head) error {
	k.mu.Lock()
	held := k.haveLocked()
	foreign, err := k.checkLineage(l, h)
	if err == nil && !foreign {
		if k.held != nil {
			k.fix(l, h)
		}
		_, err = k.compare(l, h)
	}
	k.mu.Unlock()
	if err != nil {
		l.refused(h, held, err, false)
	}
	return err
}

// confirm notes that the layer's head is h as of asOf, without an update. It
// reports whether that is what is held.
func (k *keeper) confirm(l *layer, h Head, asOf time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	same := k.held != nil && k.held.head.Lineage == h.Lineage && k.held.head.Version == h.Version && k.held.head.Digest == h.Digest
	if same {
		k.settle(l, h, asOf)
		l.stats.update(func(s *LayerStatus) { s.Hits++; s.Lag = 0 })
	}
	return same
}

// settle fixes the lineage and publishes what is held with its newest as-of.
func (k *keeper) settle(l *layer, h Head, asOf time.Time) {
	if k.opts.guards.Age {
		asOf = time.Now()
	}
	k.fix(l, h)
	if l.remembers() && !k.proved && k.layer == l {
		k.asOf = asOf
	} else if !l.remembers() && (!k.proved || !asOf.Before(k.asOf)) {
		k.layer, k.asOf, k.proved = l, asOf, true
	}
	k.publish()
}

// fix notes the first lineage that an origin spoke of.
func (k *keeper) fix(l *layer, h Head) {
	if !l.origin || k.lineage != "" {
		return
	}
	k.lineage = h.Lineage
	if k.held.head.Lineage == h.Lineage {
		// What was read from a cache or a file is only now known to be of the right history.
		k.offer(l, Update{Head: k.held.head, AsOf: k.asOf}, k.held, k.held)
	}
}

// publish makes what is held visible to reads and sets the timer for the next
// change of its freshness, so that no read ever looks at a clock.
func (k *keeper) publish() {
	if k.held == nil || k.closed {
		return
	}
	now := time.Now()
	p := &published{snap: k.held, layer: k.layer.Name, asOf: k.asOf, freshness: FreshnessStale, aged: now.Sub(k.asOf)}
	var next time.Duration
	if left := k.asOf.Add(k.opts.freshFor(k.held)).Sub(now); k.proved && left > 0 {
		p.freshness, next = FreshnessFresh, left
	}
	if bound := k.opts.MaxStaleness; bound > 0 {
		p.expires = k.asOf.Add(bound)
		left := p.expires.Sub(now)
		if left <= 0 {
			p.freshness, p.miss, next = FreshnessStale, &shortfall{what: missingAge, bound: bound}, 0
			if k.opts.Strict {
				p.snap = nil
			}
		} else if next == 0 || left < next {
			next = left
		}
	}
	if bound, ok := k.held.maxAges.after(p.aged); ok && p.freshness == FreshnessFresh {
		next = min(next, bound-p.aged) // beyond freshness all flags are stale anyway
	}
	before := k.current.Swap(p)
	if before.snap != p.snap { // also one that had expired and was confirmed
		close(k.changed)
		k.changed = make(chan struct{})
	}
	if before.freshness != p.freshness && k.opts.Observer.Freshness != nil {
		k.opts.Observer.Freshness(p.freshness)
	}
	if now := stateOf(p); now != stateOf(before) {
		k.states.tell(now)
	}
	k.schedule(next)
}

func (k *keeper) schedule(next time.Duration) {
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
	if next > 0 {
		k.timer = time.AfterFunc(next, func() {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.publish()
		})
	}
}

// close keeps what is published as it is, for reads after Close. cancel ends everything
// else at the same instant: once the sinks begin to write for the last time, reads see
// nothing newer than what they are given.
func (k *keeper) close(cancel func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.schedule(0)
	k.closed = true
	cancel()
}
