package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

const (
	keepEvery      = 256     // commits after which a set gets a checkpoint on disk
	keepEveryBytes = 4 << 20 // encoded bytes of commits after which it gets one early

	keptCheckpoints = 2 // the older one is for when the newer is damaged

	// What one transaction forgets at most, so that a writer never waits long.
	forgetCommits = 256
	forgetBytes   = 8 << 20
)

// keep is the keeper goroutine: it writes checkpoints and forgets old commits,
// beside the writer and in transactions of its own. What fails is tried again
// after the next commits; nothing depends on it but the time that opening takes.
func (s *Store) keep() {
	for {
		select {
		case set := <-s.grown:
			if j := s.journal(set); j != nil {
				base := j.feed.Base()
				if data, err := base.Encoded(); err == nil {
					_ = s.checkpoint(base.Checkpoint, data)
				}
				_ = s.forget(context.Background(), set) // Hold has a bound of its own
			}
		case <-s.closing:
			return
		}
	}
}

// Compact writes a checkpoint of the set and forgets what Options allow to, now
// instead of when it is due.
func (s *Store) Compact(ctx context.Context, set string) error {
	j, err := s.find(ctx, set)
	if err != nil {
		return classify("compact", set, err)
	}
	contents, err := j.feed.Contents()
	if err != nil {
		return classify("compact", set, err)
	}
	cp := contents.Checkpoint()
	data, err := cp.MarshalBinary()
	if err != nil {
		return classify("compact", set, err)
	}
	if err := s.checkpoint(cp, data); err != nil {
		return classify("compact", set, err)
	}
	return classify("compact", set, s.forget(ctx, set))
}

// checkpoint stores a checkpoint, unless the set has been replaced meanwhile.
func (s *Store) checkpoint(cp *flags.Checkpoint, data []byte) error {
	err := guarded(s.db.Update, func(tx *bolt.Tx) error {
		d, ok := diskOf(tx, cp.Set)
		key := versionKey(cp.Version)
		if !ok || d.checkpoints.Get(key) != nil {
			return errNothing
		}
		if c, found, err := d.at(cp.Version); err != nil || !found || c.Head() != cp.Head {
			return errors.Join(errNothing, err)
		}
		if err := d.checkpoints.Put(key, data); err != nil {
			return err
		}
		return d.dropCheckpoints()
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}

func (d disk) dropCheckpoints() error {
	var keys [][]byte // newest first; a cursor must not see deletions
	c := d.checkpoints.Cursor()
	for key, _ := c.Last(); key != nil; key, _ = c.Prev() {
		keys = append(keys, bytes.Clone(key))
	}
	for _, key := range keys[min(keptCheckpoints, len(keys)):] {
		if err := d.checkpoints.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// holdLimit bounds the question who still needs what.
const holdLimit = 10 * time.Second

// forget deletes the commits that nobody is owed any more, a few at a time.
func (s *Store) forget(ctx context.Context, set string) error {
	ctx, cancel := context.WithTimeout(ctx, holdLimit)
	defer cancel()
	hold, err := s.opts.Hold(ctx, set) // not in a transaction: it may well read this store
	if err != nil {
		return err
	}
	for {
		select {
		case <-s.closing:
			return nil
		default:
		}
		var n int
		err := guarded(s.db.Update, func(tx *bolt.Tx) (err error) {
			d, ok := diskOf(tx, set)
			if !ok {
				return errNothing
			}
			if n, err = s.forgetSome(d, hold); err == nil && n == 0 {
				err = errNothing
			}
			return err
		})
		if errors.Is(err, errNothing) {
			return nil
		}
		if err != nil || n < forgetCommits {
			return err
		}
	}
}

func (s *Store) forgetSome(d disk, hold flags.Version) (int, error) {
	end := d.needed(uint64(s.opts.KeepCommits))
	var records []store.Record
	size := 0
	c := d.journal.Cursor()
	for key, value := c.First(); key != nil && bytes.Compare(key, end) < 0; key, value = c.Next() {
		if len(records) == forgetCommits || size > forgetBytes {
			break
		}
		r, err := d.record(key, value)
		if err != nil {
			return 0, err
		}
		age := time.Since(r.Commit.Time)
		if age < s.opts.KeepFor || !hold.IsZero() && !r.Commit.Version.Before(hold) && age < s.opts.HoldFor {
			break
		}
		records = append(records, r)
		size += len(r.Bytes)
	}
	for _, r := range records {
		if err := d.journal.Delete(versionKey(r.Commit.Version)); err != nil {
			return 0, fmt.Errorf("forget commit %s: %w", r.Commit.Version, err)
		}
		if err := d.ids.Delete(r.Commit.ID[:]); err != nil {
			return 0, fmt.Errorf("forget commit %s: %w", r.Commit.Version, err)
		}
	}
	return len(records), nil
}

// needed returns the key of the first commit that must stay: the oldest of the
// newest keep, and whatever leads on from the older checkpoint. Nil: all.
func (d disk) needed(keep uint64) []byte {
	c := d.checkpoints.Cursor()
	if key, _ := c.Last(); key == nil {
		return nil
	}
	older, _ := c.Prev()
	if older == nil {
		return nil
	}
	j := d.journal.Cursor()
	key, _ := j.Last()
	for key != nil {
		v, _ := versionOf(key)
		if v.Revision >= keep {
			return earlier(older, versionKey(flags.Version{Epoch: v.Epoch, Revision: v.Revision - keep + 1}))
		}
		keep -= v.Revision // an epoch is dense from 1
		j.Seek(versionKey(flags.Version{Epoch: v.Epoch}))
		key, _ = j.Prev()
	}
	return nil
}

// earlier returns the lesser key; nil is less than all.
func earlier(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		return a
	}
	return b
}
