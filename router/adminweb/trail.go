package adminweb

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Bounds of what a trail keeps in memory.
const (
	mostStamps = 64              // newest changes of one entry
	mostPast   = 4096            // earlier forms of entries that were asked for lately
	mostBytes  = 16 << 20        // of them
	trailPause = 1 * time.Second // how long a page waits for the journal to be read; the next one goes on from there
	firstTrail = 256             // commits read at a time
)

// trail is the index of a set's journal: who changed which entry when. Commits are
// read once; the earlier forms of an entry are fetched when somebody looks at them.
type trail struct {
	set  string
	turn chan struct{} // holds a token while somebody reads the journal

	mu      sync.RWMutex
	next    flags.Version // the first commit that was not read yet
	partial bool          // older commits are no longer kept
	entries map[flags.EntryKey]*past
	forms   map[shape][]byte
	held    int // bytes of forms
}

// past is what the trail knows of one entry.
type past struct {
	created *stamp // nil: before the oldest commit that is kept
	stamps  []*stamp
	live    bool
}

// stamp is one commit, as far as lists show it.
type stamp struct {
	flags.Version
	Time   time.Time
	Actor  flags.Actor
	Reason string
}

func stampOf(c *flags.Commit) *stamp {
	return &stamp{Version: c.Version, Time: c.Time, Actor: c.Actor, Reason: c.Reason}
}

// shape is an entry as a commit left it.
type shape struct {
	key flags.EntryKey
	at  flags.Version
}

func newTrail(set string) *trail {
	return &trail{set: set, turn: make(chan struct{}, 1), entries: map[flags.EntryKey]*past{}, forms: map[shape][]byte{}}
}

// catchUp reads what the journal has gained, until ctx ends.
func (t *trail) catchUp(ctx context.Context, journal store.History, head flags.Head) error {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for t.from().Compare(head.Version) <= 0 {
		commits, err := journal.Commits(ctx, t.set, t.from(), head.Version, firstTrail)
		if err != nil || len(commits) == 0 {
			return err
		}
		t.add(commits)
	}
	return nil
}

func (t *trail) from() flags.Version {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.next
}

func (t *trail) add(commits []flags.Commit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next.IsZero() {
		t.partial = commits[0].Op != flags.OpCreate
	}
	for i := range commits {
		c := &commits[i]
		t.next = flags.Version{Epoch: c.Epoch, Revision: c.Revision + 1}
		if c.Op != flags.OpChange {
			t.partial = false
			for _, p := range t.entries {
				p.live = false
			}
		}
		s := stampOf(c)
		for _, m := range c.Changes {
			t.note(m, s)
		}
	}
}

func (t *trail) note(m flags.Mutation, s *stamp) {
	p := t.entries[m.Key]
	if p == nil {
		p = &past{live: t.partial}
		t.entries[m.Key] = p
	}
	if !p.live {
		p.created = s
	}
	p.live = m.Bytes != nil
	p.stamps = append(p.stamps, s)
	if len(p.stamps) > 2*mostStamps {
		p.stamps = slices.Clone(p.stamps[len(p.stamps)-mostStamps:])
	}
}

// of returns when an entry was created, nil where that is not known, and its
// changes up to a version, oldest first.
func (t *trail) of(key flags.EntryKey, upTo flags.Version) (created *stamp, changes []*stamp) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	p := t.entries[key]
	if p == nil {
		return nil, nil
	}
	if created = p.created; created != nil && upTo.Before(created.Version) {
		created = nil // again, later
	}
	n, found := slices.BinarySearchFunc(p.stamps, upTo, func(s *stamp, v flags.Version) int { return s.Compare(v) })
	if found {
		n++
	}
	return created, p.stamps[:n:n]
}

// last returns the newest change of an entry up to a version, or nil.
func (t *trail) last(key flags.EntryKey, upTo flags.Version) *stamp {
	if _, changes := t.of(key, upTo); len(changes) > 0 {
		return changes[len(changes)-1]
	}
	return nil
}

// concerning returns the changes of a flag and of its overrides up to a version,
// newest first.
func (t *trail) concerning(flag string, upTo flags.Version) []*stamp {
	t.mu.RLock()
	defer t.mu.RUnlock()
	seen := map[flags.Version]*stamp{}
	for key, p := range t.entries {
		if key.Name == flag && (key.Kind == flags.KindFlag || key.Kind == flags.KindOverride) {
			for _, s := range p.stamps {
				if !upTo.Before(s.Version) {
					seen[s.Version] = s
				}
			}
		}
	}
	out := make([]*stamp, 0, len(seen))
	for _, s := range seen {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *stamp) int { return b.Compare(a.Version) })
	return out
}

// before returns an entry as it was before a commit: nil where it was not there.
// known is false where the journal does not go back that far.
func (t *trail) before(ctx context.Context, journal store.History, key flags.EntryKey, v flags.Version) (data []byte, known bool, err error) {
	_, changes := t.of(key, v)
	i, _ := slices.BinarySearchFunc(changes, v, func(s *stamp, v flags.Version) int { return s.Compare(v) })
	if i == 0 {
		t.mu.RLock()
		defer t.mu.RUnlock()
		p := t.entries[key]
		return nil, p != nil && p.created != nil && p.created.Compare(v) >= 0, nil
	}
	if changes[i-1].Epoch != v.Epoch {
		return nil, true, nil // another life of the set
	}
	data, err = t.at(ctx, journal, key, changes[i-1].Version)
	return data, err == nil, err
}

// at returns an entry as the commit v left it.
func (t *trail) at(ctx context.Context, journal store.History, key flags.EntryKey, v flags.Version) ([]byte, error) {
	f := shape{key, v}
	t.mu.RLock()
	data, ok := t.forms[f]
	t.mu.RUnlock()
	if ok {
		return data, nil
	}
	c, err := commitAt(ctx, journal, t.set, v)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(c.Changes, func(m flags.Mutation) bool { return m.Key == key })
	if i >= 0 {
		data = bytes.Clone(c.Changes[i].Bytes) // not to hold the whole commit for it
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.forms) >= mostPast || t.held+len(data) > mostBytes {
		clear(t.forms)
		t.held = 0
	}
	if _, there := t.forms[f]; !there {
		t.held += len(data)
	}
	t.forms[f] = data
	return data, nil
}

// commitAt returns one commit of the journal.
func commitAt(ctx context.Context, journal store.History, set string, v flags.Version) (flags.Commit, error) {
	commits, err := journal.Commits(ctx, set, v, v, 1)
	switch {
	case err != nil:
		return flags.Commit{}, err
	case len(commits) == 0 || commits[0].Version != v:
		return flags.Commit{}, store.ErrNotFound
	}
	return commits[0], nil
}

// who returns whom people are shown as the author of a commit.
func who(a flags.Actor) string { return cmp.Or(a.ID, a.Kind, "nobody") }
