package boltstore

import (
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Append is store.Replica's: it returns once the commits are on disk.
func (s *Store) Append(ctx context.Context, set string, commits []flags.Commit) error {
	r := &request{ctx: ctx, set: set, size: changedBytes(commits...)}
	r.stage = func(d disk, exists bool, j *journal) error {
		records, err := store.Take(j.contents, commits, func(v flags.Version) (flags.Commit, bool, error) {
			return j.at(d, exists, v)
		})
		if err != nil {
			return j.unstage(err)
		}
		j.staged = append(j.staged, records...)
		return nil
	}
	return classify("append", set, s.submit(r))
}

// at finds a commit on disk or staged. What a staged seed replaces is gone already.
func (j *journal) at(d disk, exists bool, v flags.Version) (flags.Commit, bool, error) {
	for _, r := range j.staged {
		if r.Commit.Version == v {
			return r.Commit, true, nil
		}
	}
	if !exists || j.seed != nil {
		return flags.Commit{}, false, nil
	}
	return d.at(v)
}

// Seed is store.Replica's: it returns once the checkpoint is on disk.
func (s *Store) Seed(ctx context.Context, cp *flags.Checkpoint) error {
	if err := store.CheckSeed(cp); err != nil {
		return classify("seed", cp.Set, err)
	}
	// Encoding here keeps what is too large, or just large, away from the writer
	// and from those who share the transaction.
	data, err := cp.MarshalBinary()
	if err != nil {
		return classify("seed", cp.Set, err)
	}
	r := &request{ctx: ctx, set: cp.Set, size: len(data)}
	r.stage = func(_ disk, _ bool, j *journal) error {
		if head := j.contents.Head(); !head.Version.IsZero() && !store.Reseeds(head, cp.Head) {
			return nil
		}
		j.staged, j.seed, j.contents = nil, &seed{cp, data}, flags.ContentsOf(cp)
		return nil
	}
	return classify("seed", cp.Set, s.submit(r))
}

// replaceBy forgets the set and begins it at a checkpoint.
func (d disk) replaceBy(tx *bolt.Tx, by *seed) (disk, error) {
	if err := tx.Bucket(setsBucket).DeleteBucket([]byte(d.set)); err != nil {
		return d, fmt.Errorf("forget %q: %w", d.set, err)
	}
	d, err := createDisk(tx, d.set)
	if err != nil {
		return d, err
	}
	return d, d.checkpoints.Put(versionKey(by.Version), by.bytes)
}
