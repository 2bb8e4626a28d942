package boltstore

import (
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Bounds of one page of history.
const (
	pageCommits = 1024
	pageBytes   = 16 << 20 // encoded; a page has one commit at least
)

// Commits is store.History's. It reads the file.
func (s *Store) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	if _, err := s.find(ctx, set); err != nil {
		return nil, classify("commits", set, err)
	}
	if limit <= 0 || limit > pageCommits {
		limit = pageCommits
	}
	var out []flags.Commit
	err := guarded(s.db.View, func(tx *bolt.Tx) (err error) {
		d, ok := diskOf(tx, set)
		if !ok {
			return damaged(set, "buckets", nil, fmt.Errorf("some are missing"))
		}
		out, err = d.between(from, to, limit)
		return err
	})
	return out, classify("commits", set, err)
}

// between reads with a short transaction: one that stays open keeps freed pages
// from being used again.
func (d disk) between(from, to flags.Version, limit int) ([]flags.Commit, error) {
	floor, err := d.floor()
	if err != nil {
		return nil, err
	}
	if !from.IsZero() && !floor.IsZero() && !floor.Before(from) {
		return nil, fmt.Errorf("%w: the journal of %q begins after %s", store.ErrCompacted, d.set, floor)
	}
	var out []flags.Commit
	size := 0
	c := d.journal.Cursor()
	for key, value := c.Seek(versionKey(from)); key != nil && len(out) < limit && size < pageBytes; key, value = c.Next() {
		r, err := d.record(key, value)
		if err != nil {
			return nil, err
		}
		if to.Before(r.Commit.Version) {
			break
		}
		out = append(out, r.Commit)
		size += len(r.Bytes)
	}
	return out, nil
}

// floor returns a version up to which the journal is forgotten; zero: nothing is.
func (d disk) floor() (flags.Version, error) {
	if key, _ := d.journal.Cursor().First(); key != nil {
		first, ok := versionOf(key)
		if !ok {
			return flags.Version{}, damaged(d.set, "commit", key, fmt.Errorf("no version"))
		}
		first.Revision-- // dense from 1, so that 0.0 comes out where nothing is forgotten
		return first, nil
	}
	cp, err := d.newestCheckpoint()
	if err != nil || cp == nil {
		return flags.Version{}, err
	}
	return cp.Version, nil
}
