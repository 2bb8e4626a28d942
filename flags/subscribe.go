package flags

import (
	"bytes"
	"slices"
	"sync"
)

// Change tells that what a flag resolves to may have changed.
type Change struct {
	Key  string // of the flag; "" where the set as a whole is meant: evaluators, metadata
	From Token  // what reads were answered from before; zero: nothing
	To   Token  // what they are answered from now, or newer
}

// OnChange calls fn after a flag, one of its overrides or an evaluator has changed;
// with key "" after any change, once for each flag. It returns a function that
// ends the subscription.
//
// Calls come one at a time and in order, on a goroutine of the subscription's own. Changes
// that happen while fn runs become one for each flag, from the first version to the
// last: a slow fn skips versions, but never misses the newest. fn may read flags and
// may unsubscribe; it should not block for ever. Its panics are not caught. Neither the end
// of the subscription nor Close waits for a call that has begun.
func (c *Client) OnChange(key string, fn func(Change)) (unsubscribe func()) {
	return c.subscribers.add(key, fn)
}

type subscribers struct {
	mu  sync.Mutex
	all map[*subscriber]struct{}
}

func (s *subscribers) add(key string, fn func(Change)) func() {
	sub := &subscriber{key: key, fn: fn, pending: map[string]int{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*subscriber]struct{}{}
	}
	s.all[sub] = struct{}{}
	return func() {
		s.mu.Lock()
		delete(s.all, sub)
		s.mu.Unlock()
		sub.end()
	}
}

// tell hands the difference between two snapshots to those who asked for it.
func (s *subscribers) tell(u *Update, old, now *Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 || old == now {
		return
	}
	d := difference(u, old, now)
	for sub := range s.all {
		sub.take(d)
	}
}

func (s *subscribers) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.all {
		sub.end()
	}
	s.all = nil
}

// diff says which flags two versions differ in.
type diff struct {
	from, to Token
	keys     []string            // in the order they changed, each once
	has      map[string]struct{} // the same
	whole    bool                // an evaluator or metadata changed: any flag may be meant
}

// difference costs what changed where commits say so, else the size of the set.
func difference(u *Update, old, now *Snapshot) *diff {
	d := &diff{to: now.Token(), has: map[string]struct{}{}}
	if old != nil {
		d.from = old.Token()
	}
	if u.Checkpoint != nil || old == nil || old.head.Lineage != now.head.Lineage || slices.ContainsFunc(u.Commits, replacesAll) {
		d.compare(old, now)
		return d
	}
	for i := range u.Commits {
		for _, m := range u.Commits[i].Changes {
			if !bytes.Equal(old.bytes(m.Key), now.bytes(m.Key)) {
				d.add(m.Key)
			}
		}
	}
	return d
}

func replacesAll(c Commit) bool { return c.Op == OpCreate || c.Op == OpDelete }

func (d *diff) compare(old, now *Snapshot) {
	if old == nil {
		old = NewSnapshot(&Checkpoint{})
	}
	for e := range now.Entries() {
		if !bytes.Equal(old.bytes(e.Key), e.Bytes) {
			d.add(e.Key)
		}
	}
	for e := range old.Entries() {
		if now.bytes(e.Key) == nil {
			d.add(e.Key)
		}
	}
	slices.Sort(d.keys) // entries come in no order; callbacks should
}

func (d *diff) add(k EntryKey) {
	if k.Kind != KindFlag && k.Kind != KindOverride {
		d.whole = true
		return
	}
	if _, ok := d.has[k.Name]; !ok {
		d.has[k.Name] = struct{}{}
		d.keys = append(d.keys, k.Name)
	}
}

// subscriber collects changes while its function runs.
type subscriber struct {
	key string
	fn  func(Change)

	mu      sync.Mutex
	queue   []Change
	pending map[string]int // key -> place in queue
	running bool
	ended   bool
}

func (s *subscriber) take(d *diff) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	_, named := d.has[s.key]
	switch {
	case s.key != "" && (named || d.whole):
		s.push(s.key, d)
	case s.key == "":
		for _, key := range d.keys {
			s.push(key, d)
		}
		if d.whole {
			s.push("", d)
		}
	}
	if len(s.queue) > 0 && !s.running {
		s.running = true
		go s.deliver()
	}
}

func (s *subscriber) push(key string, d *diff) {
	if i, ok := s.pending[key]; ok {
		s.queue[i].To = d.to
		return
	}
	s.pending[key] = len(s.queue)
	s.queue = append(s.queue, Change{Key: key, From: d.from, To: d.to})
}

// deliver runs while there is something to deliver, so that a subscription at
// rest costs no goroutine.
func (s *subscriber) deliver() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 || s.ended {
			s.running = false
			s.mu.Unlock()
			return
		}
		batch := s.queue
		s.queue, s.pending = nil, map[string]int{}
		s.mu.Unlock()
		for _, change := range batch {
			if s.over() {
				break
			}
			s.fn(change)
		}
	}
}

func (s *subscriber) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *subscriber) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.queue = true, nil
}
