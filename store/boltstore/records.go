package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/holdfast-flags/holdfast/store"
)

// recordsBucket has a bucket for each kind. It is made with the first record, so that
// files from before there were any are read and written as ever.
var recordsBucket = []byte("records")

var _ store.Records = (*Store)(nil)

// GetRecord is store.Records'.
func (s *Store) GetRecord(ctx context.Context, kind, id string) (it store.Item, err error) {
	err = s.items(ctx, s.db.View, kind, id, func(b *bolt.Bucket) (err error) {
		it, err = itemIn(b, kind, id, time.Now())
		return err
	})
	return it, classify("get record", kind+"/"+id, err)
}

// ListRecords is store.Records'.
func (s *Store) ListRecords(ctx context.Context, kind string) (out []store.Item, err error) {
	now := time.Now()
	err = s.items(ctx, s.db.View, kind, "any", func(b *bolt.Bucket) error {
		if b == nil {
			return nil
		}
		return b.ForEach(func(key, value []byte) error {
			it, err := decodeItem(kind, string(key), value)
			if err == nil && !it.Expired(now) {
				out = append(out, it)
			}
			return err
		})
	})
	return out, classify("list records", kind, err)
}

// PutRecord is store.Records': it returns once the item is on disk.
func (s *Store) PutRecord(ctx context.Context, it store.Item) (store.Item, error) {
	err := s.items(ctx, s.db.Update, it.Kind, it.ID, func(b *bolt.Bucket) error {
		now := time.Now()
		old, err := itemIn(b, it.Kind, it.ID, now)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if it, err = store.PrepareItem(old, it, now); err != nil {
			return err
		}
		if err := sweep(b, it.Kind, now); err != nil {
			return err
		}
		return b.Put([]byte(it.ID), encodeItem(it))
	})
	return it, classify("put record", it.Kind+"/"+it.ID, err)
}

// DeleteRecord is store.Records'.
func (s *Store) DeleteRecord(ctx context.Context, kind, id string, version uint64) error {
	err := s.items(ctx, s.db.Update, kind, id, func(b *bolt.Bucket) error {
		now := time.Now()
		old, err := itemIn(b, kind, id, now)
		if err == nil {
			err = store.CheckItemVersion(old, version, now)
		}
		if err != nil {
			return err
		}
		return b.Delete([]byte(id))
	})
	return classify("delete record", kind+"/"+id, err)
}

// items calls f in a transaction with the bucket of a kind; one that reads gets nil
// where there is none yet.
func (s *Store) items(ctx context.Context, transact func(func(*bolt.Tx) error) error, kind, id string, f func(*bolt.Bucket) error) error {
	if err := s.alive(ctx); err != nil {
		return err
	}
	if err := store.CheckItemName(kind, id); err != nil {
		return err
	}
	return guarded(transact, func(tx *bolt.Tx) error {
		all := tx.Bucket(recordsBucket)
		if !tx.Writable() {
			if all == nil {
				return f(nil)
			}
			return f(all.Bucket([]byte(kind)))
		}
		all, err := tx.CreateBucketIfNotExists(recordsBucket)
		if err != nil {
			return err
		}
		b, err := all.CreateBucketIfNotExists([]byte(kind))
		if err != nil {
			return err
		}
		return f(b)
	})
}

func itemIn(b *bolt.Bucket, kind, id string, now time.Time) (store.Item, error) {
	if b == nil {
		return store.Item{}, store.NoItem(kind, id)
	}
	value := b.Get([]byte(id))
	if value == nil {
		return store.Item{}, store.NoItem(kind, id)
	}
	it, err := decodeItem(kind, id, value)
	if err == nil && it.Expired(now) {
		return store.Item{}, store.NoItem(kind, id)
	}
	return it, err
}

// sweep drops what has expired of a kind: whoever adds makes room.
func sweep(b *bolt.Bucket, kind string, now time.Time) error {
	var gone [][]byte // a cursor must not see deletions
	err := b.ForEach(func(key, value []byte) error {
		it, err := decodeItem(kind, string(key), value)
		if err != nil {
			return err
		}
		if it.Expired(now) {
			gone = append(gone, bytes.Clone(key))
		}
		return nil
	})
	for _, key := range gone {
		err = errors.Join(err, b.Delete(key))
	}
	if err != nil {
		return fmt.Errorf("sweep records: %w", err)
	}
	return nil
}
