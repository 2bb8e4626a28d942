package memstore

import (
	"context"
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Append is store.Replica's.
func (s *Store) Append(ctx context.Context, set string, commits []flags.Commit) error {
	return classify("append", set, s.append(ctx, set, commits))
}

func (s *Store) append(ctx context.Context, set string, commits []flags.Commit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	j := s.sets[set]
	if j == nil {
		j = newJournal(set)
	}
	records, err := store.Take(j.contents, commits, j.find)
	if err != nil {
		return j.rollback(set, err)
	}
	if len(records) > 0 {
		s.publish(j, records...)
	}
	return nil
}

// rollback puts the contents back to what was published, and returns why.
func (j *journal) rollback(set string, why error) error {
	if j.feed == nil {
		j.contents = flags.NewContents(set)
		return why
	}
	contents, err := j.feed.Contents()
	if err != nil {
		return fmt.Errorf("%w (and going back: %w)", why, err)
	}
	j.contents = contents
	return why
}

// Seed is store.Replica's.
func (s *Store) Seed(ctx context.Context, cp *flags.Checkpoint) error {
	return classify("seed", cp.Set, s.seed(ctx, cp))
}

func (s *Store) seed(ctx context.Context, cp *flags.Checkpoint) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := store.CheckSeed(cp); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	j := s.sets[cp.Set]
	if j != nil && !store.Reseeds(j.feed.Head(), cp.Head) {
		return nil
	}
	if j == nil {
		j = newJournal(cp.Set)
		j.feed = store.NewFeed(cp)
		s.appear(j)
	} else {
		j.feed.Restart(cp)
	}
	j.contents, j.floor, j.records = flags.ContentsOf(cp), cp.Version, nil
	clear(j.ids)
	return nil
}
