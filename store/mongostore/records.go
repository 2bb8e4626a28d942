package mongostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

var _ store.Records = (*Store)(nil)

// itemDoc is a record as it was put once. Each put inserts the document with the next
// number, which the unique _id grants to one writer alone: not every server that speaks
// the protocol replaces a document atomically. The newest counts; a deletion is one, too.
type itemDoc struct {
	Key     string `bson:"_id"` // kind/id/number, the number with 20 digits
	Version int64  `bson:"version"`
	Data    []byte `bson:"data"`
	Expires int64  `bson:"expires"` // microseconds since 1970; 0: never
	Gone    bool   `bson:"gone,omitempty"`
}

const (
	// keepItems is how many of the newest documents of an item stay. A writer who looked
	// long ago may be granted a number that was removed meanwhile; it then finds itself so
	// far behind the newest, and has written nothing that counts.
	keepItems = 32
	// goneFor is how long deletions and expired items stay, so that no writer who looked
	// before takes the first number for a new beginning: a put ends within seconds.
	goneFor = time.Hour
)

func itemKey(kind, id string, number uint64) string {
	return fmt.Sprintf("%s/%s/%020d", kind, id, number)
}

func newItemDoc(it store.Item, number uint64) itemDoc {
	doc := itemDoc{Key: itemKey(it.Kind, it.ID, number), Version: int64(it.Version), Data: it.Bytes}
	if !it.Expires.IsZero() {
		doc.Expires = it.Expires.UnixMicro()
	}
	if doc.Data == nil {
		doc.Data = []byte{}
	}
	return doc
}

// parse returns the item, and its number.
func (d *itemDoc) parse() (store.Item, uint64, error) {
	parts := strings.Split(d.Key, "/")
	if len(parts) != 3 || d.Version <= 0 || len(d.Data) > store.MaxItemBytes {
		return store.Item{}, 0, fmt.Errorf("%w: record %q", flags.ErrFormat, d.Key)
	}
	number, err := strconv.ParseUint(parts[2], 10, 64)
	if err != nil || itemKey(parts[0], parts[1], number) != d.Key {
		return store.Item{}, 0, fmt.Errorf("%w: record %q", flags.ErrFormat, d.Key)
	}
	it := store.Item{Kind: parts[0], ID: parts[1], Version: uint64(d.Version), Bytes: d.Data}
	if d.Expires != 0 {
		it.Expires = time.UnixMicro(d.Expires).UTC()
	}
	return it, number, nil
}

// GetRecord is store.Records'.
func (s *Store) GetRecord(ctx context.Context, kind, id string) (it store.Item, err error) {
	err = s.items(ctx, "get record", kind, id, func(ctx context.Context) (err error) {
		it, _, err = s.newestItem(ctx, kind, id, time.Now())
		if err == nil && it.Version == 0 {
			return store.NoItem(kind, id)
		}
		return err
	})
	return it, err
}

// ListRecords is store.Records'.
func (s *Store) ListRecords(ctx context.Context, kind string) (out []store.Item, err error) {
	err = s.items(ctx, "list records", kind, "any", func(ctx context.Context) error {
		now, newest := time.Now(), map[string]store.Item{}
		for doc, err := range each[itemDoc](ctx, s.records, s.tuning.answerBytes, under(kind), options.Find().SetSort(byKey)) {
			if err != nil {
				return err
			}
			it, _, err := doc.parse()
			if err != nil {
				return err
			}
			if newest[it.ID] = it; doc.Gone || it.Expired(now) {
				delete(newest, it.ID)
			}
		}
		out = slices.SortedFunc(maps.Values(newest), func(a, b store.Item) int { return cmp.Compare(a.ID, b.ID) })
		return nil
	})
	return out, err
}

// PutRecord is store.Records'.
func (s *Store) PutRecord(ctx context.Context, it store.Item) (out store.Item, err error) {
	err = s.items(ctx, "put record", it.Kind, it.ID, func(ctx context.Context) error {
		if s.opts.ReadOnly {
			return store.ErrReadOnly
		}
		now := time.Now()
		old, number, err := s.newestItem(ctx, it.Kind, it.ID, now)
		if err != nil {
			return err
		}
		if out, err = store.PrepareItem(old, it, now); err != nil {
			return err
		}
		return s.follow(ctx, out, newItemDoc(out, number+1), number+1)
	})
	return out, err
}

// DeleteRecord is store.Records'.
func (s *Store) DeleteRecord(ctx context.Context, kind, id string, version uint64) error {
	return s.items(ctx, "delete record", kind, id, func(ctx context.Context) error {
		if s.opts.ReadOnly {
			return store.ErrReadOnly
		}
		now := time.Now()
		old, number, err := s.newestItem(ctx, kind, id, now)
		switch {
		case err != nil:
			return err
		case old.Version == 0:
			return store.NoItem(kind, id)
		}
		if err := store.CheckItemVersion(old, version, now); err != nil {
			return err
		}
		old.Bytes, old.Expires = nil, now
		doc := newItemDoc(old, number+1)
		doc.Gone = true
		return s.follow(ctx, old, doc, number+1)
	})
}

// errItemMoved: somebody was faster between looking and writing.
var errItemMoved = fmt.Errorf("%w: the record was changed meanwhile", store.ErrConflict)

// errItemUnknown: so much was put meanwhile that nobody can say whether this was.
var errItemUnknown = errors.New("the record was changed many times meanwhile; it is unknown whether this was stored")

// follow inserts the next document of an item, and removes what nobody needs any more.
func (s *Store) follow(ctx context.Context, it store.Item, doc itemDoc, number uint64) error {
	if err := s.tuning.step("item looked at"); err != nil {
		return err
	}
	_, err := s.records.InsertOne(ctx, doc)
	if mongo.IsDuplicateKeyError(err) {
		return errItemMoved
	}
	if err != nil {
		return err
	}
	_, newest, err := s.newestItem(ctx, it.Kind, it.ID, time.Now())
	switch {
	case err != nil:
		return err
	case newest >= number+keepItems:
		return errItemUnknown
	}
	if number > keepItems {
		_, err = s.records.DeleteMany(ctx, between(itemKey(it.Kind, it.ID, 0), itemKey(it.Kind, it.ID, number-keepItems+1)))
	}
	if number == 1 {
		err = s.sweep(ctx, it.Kind, time.Now()) // whoever adds makes room
	}
	if err != nil { // the next one does it
		s.log.DebugContext(ctx, "old records are still there", "kind", it.Kind, "err", err)
	}
	return nil
}

// sweep removes the items of a kind that are long gone: of each the newest document last,
// so that no older one counts again.
func (s *Store) sweep(ctx context.Context, kind string, now time.Time) error {
	gone := map[string]uint64{} // number of the newest document, by id
	for doc, err := range each[itemDoc](ctx, s.records, s.tuning.answerBytes, under(kind), options.Find().SetSort(byKey)) {
		if err != nil {
			return err
		}
		it, number, err := doc.parse()
		if err != nil {
			return err
		}
		if gone[it.ID] = number; !it.Expired(now.Add(-goneFor)) {
			delete(gone, it.ID)
		}
	}
	for id, number := range gone {
		newest := itemKey(kind, id, number)
		if _, err := s.records.DeleteMany(ctx, between(itemKey(kind, id, 0), newest)); err != nil {
			return err
		}
		if _, err := s.records.DeleteOne(ctx, byID(newest)); err != nil {
			return err
		}
	}
	return nil
}

var byKey = bson.D{{Key: "_id", Value: 1}}

// newestItem returns the number of the newest document of an item, 0 where there is none,
// and the item, which is the zero one where that is gone.
func (s *Store) newestItem(ctx context.Context, kind, id string, now time.Time) (store.Item, uint64, error) {
	last := options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}})
	doc, err := one[itemDoc](ctx, s.records, under(kind+"/"+id), last)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return store.Item{}, 0, nil
	}
	if err != nil {
		return store.Item{}, 0, err
	}
	it, number, err := doc.parse()
	if err != nil || doc.Gone || it.Expired(now) {
		return store.Item{}, number, err
	}
	return it, number, nil
}

// items runs f within the budget of a small call.
func (s *Store) items(ctx context.Context, op, kind, id string, f func(context.Context) error) error {
	return s.call(ctx, op+" "+kind+"/"+id, s.opts.HeadTimeout, func(ctx context.Context) error {
		if err := store.CheckItemName(kind, id); err != nil {
			return err
		}
		return f(ctx)
	})
}
