package storetest_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

// brokenRecords are the reference records with one guarantee taken away.
type brokenRecords struct {
	*memstore.Store
	put  func(context.Context, *memstore.Store, store.Item) (store.Item, error)
	list func([]store.Item) []store.Item
}

func (b *brokenRecords) PutRecord(ctx context.Context, it store.Item) (store.Item, error) {
	if b.put != nil {
		return b.put(ctx, b.Store, it)
	}
	return b.Store.PutRecord(ctx, it)
}

func (b *brokenRecords) ListRecords(ctx context.Context, kind string) ([]store.Item, error) {
	items, err := b.Store.ListRecords(ctx, kind)
	if b.list != nil {
		items = b.list(items)
	}
	return items, err
}

// TestBrokenRecordsAreCaught: the suite notices the absence of each guarantee.
func TestBrokenRecordsAreCaught(t *testing.T) {
	for name, c := range map[string]struct {
		broken brokenRecords
		caught string
	}{
		"a put overwrites": {brokenRecords{put: overwrite}, "records/a put is of a version"},
		"expiry is forgotten": {brokenRecords{put: func(ctx context.Context, s *memstore.Store, it store.Item) (store.Item, error) {
			expires := it.Expires
			it.Expires = time.Time{}
			out, err := s.PutRecord(ctx, it)
			out.Expires = expires
			return out, err
		}}, "records/expired is gone"},
		"lists are in no order": {brokenRecords{list: func(items []store.Item) []store.Item {
			slices.Reverse(items)
			return items
		}}, "records/what was put is found"},
		"names ignore case": {brokenRecords{put: func(ctx context.Context, s *memstore.Store, it store.Item) (store.Item, error) {
			it.ID = strings.ToLower(it.ID)
			return s.PutRecord(ctx, it)
		}}, "records/names are compared byte by byte"},
	} {
		t.Run(name, func(t *testing.T) {
			h := storetest.RecordsHarness{Patience: 2 * time.Second, New: func(testing.TB) storetest.Records {
				broken := c.broken
				broken.Store = memstore.New(nil)
				return &broken
			}}
			at := slices.IndexFunc(storetest.RecordsCases(), func(r storetest.RecordsCase) bool { return r.Name == c.caught })
			if !fails(t, func(t testing.TB) { storetest.RecordsCases()[at].Run(t, h) }) {
				t.Errorf("%s did not notice", c.caught)
			}
		})
	}
}

// overwrite puts whatever the version is.
func overwrite(ctx context.Context, s *memstore.Store, it store.Item) (store.Item, error) {
	it.Version = 0
	if old, err := s.GetRecord(ctx, it.Kind, it.ID); err == nil {
		it.Version = old.Version
	}
	return s.PutRecord(ctx, it)
}
