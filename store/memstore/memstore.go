package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Options configure a Store. The zero value is ready for production.
type Options struct {
	// KeepCommits is how many of the newest commits of each set are kept at
	// least; up to a quarter more may be. Default 10,000.
	KeepCommits int
}

// Store is a store in memory. It is a store.Store, a store.Replica and store.Records.
type Store struct {
	keep int

	mu     sync.RWMutex
	closed bool
	sets   map[string]*journal
	items  map[string]map[string]store.Item // by kind and id
	born   chan struct{}                    // closed when there is another set, and when closed
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Replica = (*Store)(nil)
)

// New returns an empty store. opts may be nil.
func New(opts *Options) *Store {
	if opts == nil {
		opts = &Options{}
	}
	return &Store{keep: cmp.Or(opts.KeepCommits, 10_000), sets: map[string]*journal{}, items: map[string]map[string]store.Item{}, born: make(chan struct{})}
}

// Apply is store.Writer's.
func (s *Store) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	accepted, err := s.apply(ctx, c)
	return accepted, classify("apply", c.Set, err)
}

func (s *Store) apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	if err := ctx.Err(); err != nil {
		return flags.Commit{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return flags.Commit{}, store.ErrClosed
	}
	j := s.sets[c.Set]
	if j == nil {
		j = newJournal(c.Set)
	}
	if earlier, ok := j.byID(c.ID); ok {
		return earlier, nil
	}
	accepted, err := store.Prepare(j.contents, c, time.Now())
	if err != nil {
		return flags.Commit{}, err
	}
	record, err := store.NewRecord(accepted)
	if err != nil {
		return flags.Commit{}, err
	}
	if err := j.contents.Apply(&accepted); err != nil {
		return flags.Commit{}, err
	}
	s.publish(j, record)
	return accepted, nil
}

// publish makes records visible that the journal's contents have taken already.
func (s *Store) publish(j *journal, records ...store.Record) {
	j.add(records, s.keep)
	if j.feed == nil {
		j.feed = store.NewFeed(j.contents.Checkpoint(), records...)
		s.appear(j)
		return
	}
	j.feed.Publish(j.contents, records...)
}

// appear makes a set visible that has a feed now, and wakes who waits for it.
func (s *Store) appear(j *journal) {
	s.sets[j.feed.Head().Set] = j
	close(s.born)
	s.born = make(chan struct{})
}

// Head is flags.Source's.
func (s *Store) Head(ctx context.Context, set string) (flags.Head, error) {
	j, err := s.find(ctx, set)
	if err != nil {
		return flags.Head{}, classify("head", set, err)
	}
	return j.feed.Head(), nil
}

// Fetch is flags.Source's.
func (s *Store) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	j, err := s.find(ctx, set)
	if err != nil {
		return flags.Update{}, classify("fetch", set, err)
	}
	lead := j.feed.Lead(have)
	return lead.Update(), nil
}

// Watch is flags.Watcher's.
func (s *Store) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	have.Set = set
	return store.WatchSet(ctx, "memstore: watch "+set, have, func() (*store.Feed, <-chan struct{}, error) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if s.closed {
			return nil, nil, store.ErrClosed
		}
		if j := s.sets[set]; j != nil {
			return j.feed, nil, nil
		}
		return nil, s.born, nil
	})
}

// Sets is store.History's.
func (s *Store) Sets(ctx context.Context) ([]flags.Head, error) {
	if err := ctx.Err(); err != nil {
		return nil, store.Classify("memstore: sets", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, store.Classify("memstore: sets", store.ErrClosed)
	}
	heads := make([]flags.Head, 0, len(s.sets))
	for _, j := range s.sets {
		heads = append(heads, j.feed.Head())
	}
	slices.SortFunc(heads, func(a, b flags.Head) int { return cmp.Compare(a.Set, b.Set) })
	return heads, nil
}

// Commits is store.History's.
func (s *Store) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	j, err := s.find(ctx, set)
	if err != nil {
		return nil, classify("commits", set, err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	commits, err := j.between(from, to, limit)
	return commits, classify("commits", set, err)
}

// Close ends all watches. It is idempotent.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	close(s.born)
	for _, j := range s.sets {
		j.feed.Close()
	}
	return nil
}

// Compact forgets all but the newest keep commits of a set.
func (s *Store) Compact(ctx context.Context, set string, keep int) error {
	j, err := s.find(ctx, set)
	if err != nil {
		return classify("compact", set, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j.compact(max(keep, 0))
	return nil
}

func (s *Store) find(ctx context.Context, set string) (*journal, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, store.ErrClosed
	}
	j := s.sets[set]
	if j == nil {
		return nil, fmt.Errorf("%w: no flag set %q", store.ErrNotFound, set)
	}
	return j, nil
}

func classify(op, set string, err error) error {
	if err == nil {
		return nil
	}
	return store.Classify("memstore: "+op+" "+set, err)
}
