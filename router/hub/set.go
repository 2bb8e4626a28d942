package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Pauses between attempts to follow a set again, and how recent a confirmation
// of the head has to be so that nobody asks the store for another.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
	absentPause  = time.Second
	confirmEvery = time.Second
	confirmLimit = time.Second
	reachLimit   = 500 * time.Millisecond // within the budget of a client that waits for its first answer
)

var errVanished = errors.New("the store does not have the set any more")

// Set is one followed flag set.
type Set struct {
	hub    *Hub
	name   string
	loaded chan struct{}
	feed   *store.Feed // written before loaded is closed, then fixed

	contents *flags.Contents           // the follower's own
	asOf     atomic.Pointer[time.Time] // when the store was last known to have the feed's head
	past     *past

	mu         sync.Mutex
	members    map[uint64]*Member
	confirming chan struct{} // closed when the question under way is answered
	moved      chan struct{} // holds a token when what is applied may have changed
}

func newSet(h *Hub, name string) *Set {
	return &Set{hub: h, name: name, loaded: make(chan struct{}), past: newPast(), members: map[uint64]*Member{}, moved: make(chan struct{}, 1)}
}

// Name returns the name of the set.
func (s *Set) Name() string { return s.name }

// Head returns the newest head.
func (s *Set) Head() flags.Head { return s.feed.Head() }

// Lead returns what leads from have to the newest head; see store.Feed.
func (s *Set) Lead(have flags.Head) store.Lead { return s.feed.Lead(have) }

// Reach waits until the feed is at have, which a client got from the store a
// moment ago, or until it is plain that the store does not have it. Without it
// such a client would be taken for one from another history.
func (s *Set) Reach(ctx context.Context, have flags.Head) {
	at := s.feed.Head()
	if have.Lineage != at.Lineage || !at.Version.Before(have.Version) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	head, err := s.hub.store.Head(ctx, s.name)
	if err != nil || head.Lineage != have.Lineage || head.Version.Before(have.Version) {
		return
	}
	s.reach(ctx, have)
}

// reach waits until the feed is at have, which the store is known to have.
func (s *Set) reach(ctx context.Context, have flags.Head) {
	ctx, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	for {
		lead := s.feed.Lead(have)
		if lead.Closed || !lead.Head.Version.Before(have.Version) {
			return
		}
		select {
		case <-lead.Changed:
		case <-ctx.Done():
			return
		}
	}
}

// AsOf returns when the store was last known to have the newest head.
func (s *Set) AsOf() time.Time { return *s.asOf.Load() }

func (s *Set) isLoaded() bool {
	select {
	case <-s.loaded:
		return true
	default:
		return false
	}
}

// run follows the set until ctx ends, whatever becomes of the store meanwhile.
func (s *Set) run(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		before := s.head()
		err := s.followOnce(ctx)
		if ctx.Err() != nil {
			break
		}
		if s.head().Version != before.Version {
			pause = firstPause
		}
		if s.isLoaded() || flags.ClassOf(err) != flags.ClassNotFound {
			s.hub.log.Warn("lost the store's stream of a set", "set", s.name, "err", err, "retry", pause)
		} else {
			pause = absentPause // of a store that cannot wait for the set to be created
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, longestPause)
	}
	if s.isLoaded() {
		s.feed.Close()
	}
}

func (s *Set) head() flags.Head {
	if s.contents == nil {
		return flags.Head{}
	}
	return s.contents.Head()
}

func (s *Set) followOnce(ctx context.Context) error {
	stream, err := s.hub.store.Watch(ctx, s.name, s.head())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var acknowledging sync.WaitGroup
	defer func() {
		cancel()
		_ = stream.Close() // nothing was written that could be lost
		acknowledging.Wait()
	}()
	if _, dated := s.hub.store.(flags.DatedSource); dated { // there is somebody behind it
		acknowledging.Go(func() { s.acknowledge(ctx, stream) })
	}
	for {
		ev, err := stream.Next()
		if err != nil {
			return err
		}
		switch {
		case ev.Absent && s.isLoaded():
			return errVanished
		case ev.Absent, ev.Queued:
			continue
		}
		if err := s.install(ev); err != nil {
			s.contents = nil // begin again with a checkpoint
			return err
		}
		s.move()
		if ev.RetryAfter > 0 {
			return fmt.Errorf("store is going away")
		}
	}
}

// install takes an event over into the contents, checking every digest, and
// publishes where that leads on from what was published.
func (s *Set) install(ev flags.Event) error {
	if ev.Checkpoint != nil {
		s.contents = flags.ContentsOf(ev.Checkpoint)
	}
	if s.contents == nil {
		return fmt.Errorf("%w: the store's stream of %q began without a checkpoint", flags.ErrGap, s.name)
	}
	from := s.contents.Head()
	records := make([]store.Record, 0, len(ev.Commits))
	for _, c := range ev.Commits {
		r, err := store.NewRecord(c)
		if err != nil {
			return err
		}
		if err := s.contents.Apply(&c); err != nil {
			return err
		}
		records = append(records, r)
	}
	if !s.isLoaded() {
		s.load(ev, records)
		return nil
	}
	// A stream that begins again may come by what was published long ago.
	settled := ev.Checkpoint == nil && len(records) == 0
	return s.publish(from, records, ev.AsOf, settled)
}

// load begins the feed. It takes the commits over as well: after a restart of the
// router its clients come back at once, each only some commits behind.
func (s *Set) load(ev flags.Event, records []store.Record) {
	if ev.Checkpoint == nil {
		s.feed = store.NewFeed(s.contents.Checkpoint())
	} else {
		s.feed = store.NewFeed(ev.Checkpoint)
		s.feed.Publish(s.contents, records...)
	}
	s.confirmed(ev.AsOf)
	close(s.loaded)
}

// publish moves the feed on to the contents. It refuses another history than the
// one being published, and an older place in it for good: whoever follows this
// router must not be led there.
func (s *Set) publish(from flags.Head, records []store.Record, asOf time.Time, settled bool) error {
	head, have := s.contents.Head(), s.feed.Head()
	order := head.Version.Compare(have.Version)
	switch {
	case have.Lineage != head.Lineage:
		return fmt.Errorf("%w: the store now has %s, this router published %s; restart it to accept the change",
			flags.ErrLineage, head.Token(), have.Token())
	case order == 0 && head.Digest != have.Digest:
		return fmt.Errorf("%w: the store has other contents at %s than this router published", flags.ErrDigest, head.Token())
	case order < 0 && settled:
		return fmt.Errorf("%w: the store went back to %s, this router published %s", flags.ErrGap, head.Token(), have.Token())
	case order < 0:
		return nil
	}
	if order > 0 {
		s.advance(have, from, records)
	}
	s.confirmed(asOf)
	return nil
}

// advance publishes the records after have, or everything where the way from
// there does not lead over have: at the same version, but with other contents.
func (s *Set) advance(have, from flags.Head, records []store.Record) {
	for i, r := range records {
		if from.Version == have.Version && from.Digest == have.Digest {
			s.feed.Publish(s.contents, records[i:]...)
			return
		}
		from = r.Commit.Head()
	}
	s.feed.Restart(s.contents.Checkpoint())
}

func (s *Set) confirmed(at time.Time) {
	if at.IsZero() {
		at = time.Now()
	}
	for {
		old := s.asOf.Load()
		if old != nil && !at.After(*old) || s.asOf.CompareAndSwap(old, &at) {
			return
		}
	}
}

// Confirm has the store confirm the newest head, unless it did within the last
// second, and waits for its answer until ctx ends. Callers share one question.
// Without an answer AsOf stays as it was, which is the truth.
func (s *Set) Confirm(ctx context.Context) {
	answered := s.question()
	if answered == nil {
		return
	}
	select {
	case <-answered:
	case <-ctx.Done():
	}
}

// question returns what is closed when the question under way is answered; nil
// when there is nothing to ask.
func (s *Set) question() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.confirming != nil || time.Since(s.AsOf()) < confirmEvery {
		return s.confirming
	}
	answered := make(chan struct{})
	s.confirming = answered
	if !s.hub.spawn(func() { s.answer(answered) }) {
		s.confirming = nil
	}
	return s.confirming
}

func (s *Set) answer(answered chan struct{}) {
	s.ask()
	s.mu.Lock()
	s.confirming = nil
	s.mu.Unlock()
	close(answered)
}

func (s *Set) ask() {
	ctx, cancel := context.WithTimeout(s.hub.ctx, confirmLimit)
	defer cancel()
	head, asOf, err := flags.HeadAsOf(ctx, s.hub.store, s.name)
	if err == nil && head.Version == s.feed.Head().Version {
		s.confirmed(asOf)
	}
}
