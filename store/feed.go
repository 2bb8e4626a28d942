package store

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/holdfast-flags/holdfast/flags"
)

// Bounds of what a Feed holds besides its checkpoint.
const (
	feedCommits = 256     // this many of the newest commits are kept at least, and twice as many at most
	feedBytes   = 4 << 20 // encoded bytes from which fewer are kept, and the checkpoint is renewed early
)

// Record is an accepted commit with its encoded form, so that a commit is
// encoded once however many readers it goes to.
type Record struct {
	Commit flags.Commit
	Bytes  []byte
}

// NewRecord encodes an accepted commit. The error wraps flags.ErrTooLarge.
func NewRecord(c flags.Commit) (Record, error) {
	b, err := c.MarshalBinary()
	return Record{c, b}, err
}

// Base is a checkpoint that is encoded at most once, when first asked for.
type Base struct {
	*flags.Checkpoint
	encode func() ([]byte, error)
}

func newBase(cp *flags.Checkpoint) *Base {
	return &Base{Checkpoint: cp, encode: sync.OnceValues(cp.MarshalBinary)}
}

// Encoded returns the encoded checkpoint, which nobody may change.
func (b *Base) Encoded() ([]byte, error) { return b.encode() }

// Feed is the newest part of one set's journal in memory, together with whoever
// waits for it to grow: a checkpoint, the commits since, and some before it for
// those that come back after a pause.
//
// It has one writer and any number of readers. Readers take no lock and hold no
// queue: each only remembers where it is and asks what leads on from there. So a
// slow watcher costs what an idle one does and cannot delay the writer; when it
// comes back it gets all it missed in one piece.
type Feed struct{ state atomic.Pointer[feedState] }

// feedState is immutable; the writer replaces it. The backing array of recent is
// shared between states: the writer only ever appends behind what readers see.
type feedState struct {
	head    flags.Head
	base    *Base
	before  flags.Head // head before recent[0]
	recent  []Record   // dense, oldest first; those after base lead from it to head
	size    int        // bytes in recent
	changed chan struct{}
	closed  bool
}

// NewFeed returns a feed that stands at a checkpoint. earlier are the records that
// lead up to it densely, for readers that are a little behind; none is fine.
func NewFeed(cp *flags.Checkpoint, earlier ...Record) *Feed {
	f := &Feed{}
	f.state.Store(newFeedState(cp, earlier))
	return f
}

func newFeedState(cp *flags.Checkpoint, earlier []Record) *feedState {
	s := &feedState{head: cp.Head, base: newBase(cp), before: cp.Head, changed: make(chan struct{})}
	if len(earlier) == 0 {
		return s
	}
	// Where the first one began is not known, only where it led.
	s.before, s.recent = earlier[0].Commit.Head(), slices.Clone(earlier[1:])
	for _, r := range s.recent {
		s.size += len(r.Bytes)
	}
	s.trim()
	return s
}

// Head returns the newest head.
func (f *Feed) Head() flags.Head { return f.state.Load().head }

// At returns the head that the set had at v, where the feed still knows it.
func (f *Feed) At(v flags.Version) (flags.Head, bool) { return f.state.Load().headAt(v) }

// Base returns the checkpoint that the feed starts cold readers from: at most a
// few hundred commits behind the head.
func (f *Feed) Base() *Base { return f.state.Load().base }

// Publish appends records, which must follow the head densely, and wakes the
// watchers. contents are those after the last record; they are read only now and
// then, to renew the checkpoint. For the writer only.
func (f *Feed) Publish(contents *flags.Contents, records ...Record) {
	if len(records) == 0 {
		return
	}
	old := f.state.Load()
	next := *old
	next.changed = make(chan struct{})
	next.recent = append(old.recent, records...) //nolint:gocritic // shared on purpose, see feedState
	next.head = records[len(records)-1].Commit.Head()
	for _, r := range records {
		next.size += len(r.Bytes)
	}
	if len(next.after(next.base.Version)) >= feedCommits || next.size > feedBytes {
		next.base = newBase(contents.Checkpoint())
		next.trim()
	}
	f.replace(old, &next)
}

// Restart replaces everything by a checkpoint. Watchers are reset to it. For the
// writer only.
func (f *Feed) Restart(cp *flags.Checkpoint) {
	f.replace(f.state.Load(), newFeedState(cp, nil))
}

// Close ends all streams with ErrClosed. For the writer only.
func (f *Feed) Close() {
	old := f.state.Load()
	if old.closed {
		return
	}
	next := *old
	next.closed, next.changed = true, make(chan struct{})
	f.replace(old, &next)
}

func (f *Feed) replace(old, next *feedState) {
	f.state.Store(next)
	close(old.changed)
}

// Contents puts the newest contents together afresh. It costs the size of the
// set: for a writer that must take back what it applied but could not store.
func (f *Feed) Contents() (*flags.Contents, error) {
	s := f.state.Load()
	c := flags.ContentsOf(s.base.Checkpoint)
	for _, r := range s.after(s.base.Version) {
		if err := c.Apply(&r.Commit); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// trim forgets the oldest records, except those that lead on from the base. It
// copies, so that the forgotten ones can be freed.
func (s *feedState) trim() {
	drop := 0
	spare := len(s.recent) - len(s.after(s.base.Version))
	for drop < spare && (len(s.recent)-drop > feedCommits || s.size > feedBytes) {
		s.size -= len(s.recent[drop].Bytes)
		drop++
	}
	if drop > 0 {
		s.before = s.recent[drop-1].Commit.Head()
		s.recent = slices.Clone(s.recent[drop:])
	}
}

// after returns the records newer than v.
func (s *feedState) after(v flags.Version) []Record {
	i, found := slices.BinarySearchFunc(s.recent, v, func(r Record, v flags.Version) int { return r.Commit.Compare(v) })
	if found {
		i++
	}
	return s.recent[i:len(s.recent):len(s.recent)]
}

// headAt returns the head that the set had at v, where the feed still knows it.
func (s *feedState) headAt(v flags.Version) (flags.Head, bool) {
	if v == s.before.Version {
		return s.before, true
	}
	i, found := slices.BinarySearchFunc(s.recent, v, func(r Record, v flags.Version) int { return r.Commit.Compare(v) })
	if !found {
		return flags.Head{}, false
	}
	return s.recent[i].Commit.Head(), true
}

// Lead is what leads a reader to Head: nothing, records, or a base and the
// records after it.
type Lead struct {
	Head    flags.Head
	Base    *Base
	Records []Record
	Reset   string          // why there is a base although the reader had something
	Changed <-chan struct{} // closed once there is more
	Closed  bool            // the feed was closed: there will never be more
}

// Lead returns what leads from have to the newest head. It never blocks.
func (f *Feed) Lead(have flags.Head) Lead {
	s := f.state.Load()
	l := Lead{Head: s.head, Changed: s.changed, Closed: s.closed}
	if l.Reset = s.refuse(have); l.Reset == "" && !have.Version.IsZero() {
		l.Records = s.after(have.Version)
		return l
	}
	l.Base, l.Records = s.base, s.after(s.base.Version)
	return l
}

// refuse says why a reader that has something cannot go on from there.
func (s *feedState) refuse(have flags.Head) string {
	if have.Version.IsZero() {
		return ""
	}
	if have.Lineage != s.head.Lineage {
		return "another lineage"
	}
	if s.head.Version.Before(have.Version) {
		return "ahead of the journal"
	}
	at, known := s.headAt(have.Version)
	switch {
	case !known:
		return "too old"
	case at.Digest != have.Digest || at.Count != have.Count:
		return "digest differs"
	default:
		return ""
	}
}

// Moves reports whether there is anything to deliver.
func (l *Lead) Moves() bool { return l.Base != nil || len(l.Records) > 0 }

// Update returns the lead in the form that sources deliver.
func (l *Lead) Update() flags.Update {
	u := flags.Update{Head: l.Head}
	if l.Base != nil {
		u.Checkpoint = l.Base.Checkpoint
	}
	if len(l.Records) > 0 {
		u.Commits = make([]flags.Commit, len(l.Records))
		for i, r := range l.Records {
			u.Commits[i] = r.Commit
		}
	}
	return u
}

// Watch opens a stream over the feed. op names it in errors.
func (f *Feed) Watch(ctx context.Context, op string, have flags.Head) flags.Stream {
	s := newFeedStream(ctx, op, have)
	s.feed = f
	return s
}
