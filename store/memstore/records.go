package memstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/holdfast-flags/holdfast/store"
)

var _ store.Records = (*Store)(nil)

// GetRecord is store.Records'.
func (s *Store) GetRecord(ctx context.Context, kind, id string) (it store.Item, err error) {
	err = s.withItems(ctx, "get record", kind, id, func(items map[string]store.Item) error {
		found, ok := items[id]
		if !ok || found.Expired(time.Now()) {
			return store.NoItem(kind, id)
		}
		it = own(found)
		return nil
	})
	return it, err
}

// ListRecords is store.Records'.
func (s *Store) ListRecords(ctx context.Context, kind string) (out []store.Item, err error) {
	err = s.withItems(ctx, "list records", kind, "any", func(items map[string]store.Item) error {
		now := time.Now()
		for _, it := range items {
			if !it.Expired(now) {
				out = append(out, own(it))
			}
		}
		return nil
	})
	slices.SortFunc(out, func(a, b store.Item) int { return cmp.Compare(a.ID, b.ID) })
	return out, err
}

// PutRecord is store.Records'.
func (s *Store) PutRecord(ctx context.Context, it store.Item) (store.Item, error) {
	err := s.withItems(ctx, "put record", it.Kind, it.ID, func(items map[string]store.Item) (err error) {
		now := time.Now()
		if it, err = store.PrepareItem(items[it.ID], it, now); err != nil {
			return err
		}
		for id, other := range items {
			if other.Expired(now) {
				delete(items, id)
			}
		}
		items[it.ID] = own(it)
		return nil
	})
	return it, err
}

// DeleteRecord is store.Records'.
func (s *Store) DeleteRecord(ctx context.Context, kind, id string, version uint64) error {
	return s.withItems(ctx, "delete record", kind, id, func(items map[string]store.Item) error {
		now := time.Now()
		old, ok := items[id]
		if !ok || old.Expired(now) {
			return store.NoItem(kind, id)
		}
		if err := store.CheckItemVersion(old, version, now); err != nil {
			return err
		}
		delete(items, id)
		return nil
	})
}

// withItems calls f with the items of a kind by id, under the store's lock.
func (s *Store) withItems(ctx context.Context, op, kind, id string, f func(map[string]store.Item) error) error {
	return classify(op, kind+"/"+id, func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := store.CheckItemName(kind, id); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.closed {
			return store.ErrClosed
		}
		if s.items[kind] == nil {
			s.items[kind] = map[string]store.Item{}
		}
		return f(s.items[kind])
	}())
}

// own keeps callers' hands off what is stored.
func own(it store.Item) store.Item {
	it.Bytes = bytes.Clone(it.Bytes)
	return it
}
