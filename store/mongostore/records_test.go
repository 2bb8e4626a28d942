package mongostore_test

import (
	"errors"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/mongostore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

func TestRecords(t *testing.T) {
	t.Parallel()
	u := &uris{of: map[store.Store]string{}}
	storetest.RunRecords(t, storetest.RecordsHarness{
		New: func(t testing.TB) storetest.Records { return u.open(t, testenv.Mongo(t)).(*mongostore.Store) },
		Reopen: func(t testing.TB, s storetest.Records) storetest.Records {
			return u.reopen(t, s.(*mongostore.Store)).(*mongostore.Store)
		},
		Writers:  4,
		Patience: 60 * time.Second,
	})
}

// TestRecordsOfClients: a client, which only reads, writes none either.
func TestRecordsOfClients(t *testing.T) {
	t.Parallel()
	uri := testenv.Mongo(t)
	it, err := open(t, uri, quick()).PutRecord(t.Context(), store.Item{Kind: "note", ID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	opts := quick()
	opts.ReadOnly = true
	s := open(t, uri, opts)
	if _, err := s.PutRecord(t.Context(), it); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("put: %v", err)
	}
	if err := s.DeleteRecord(t.Context(), "note", "a", it.Version); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("delete: %v", err)
	}
}

// TestForeignRecords: a document that is no record is an error, and nothing worse.
func TestForeignRecords(t *testing.T) {
	t.Parallel()
	s := open(t, testenv.Mongo(t), quick())
	for _, doc := range []bson.D{
		{{Key: "_id", Value: "note/a/00000000000000000001"}},
		{{Key: "_id", Value: "note/a/1"}, {Key: "version", Value: int64(1)}},
		{{Key: "_id", Value: "note/a"}, {Key: "version", Value: int64(1)}},
		{{Key: "_id", Value: "note/a/00000000000000000001"}, {Key: "version", Value: int64(-1)}},
		{{Key: "_id", Value: "note/a/00000000000000000001"}, {Key: "version", Value: "x"}},
		{{Key: "_id", Value: "note/a/00000000000000000001"}, {Key: "version", Value: int64(1)}, {Key: "data", Value: make([]byte, store.MaxItemBytes+1)}},
	} {
		if _, err := s.Collection("records").DeleteMany(t.Context(), bson.D{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Collection("records").InsertOne(t.Context(), doc); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ListRecords(t.Context(), "note"); !errors.Is(err, flags.ErrFormat) {
			t.Errorf("%v: %v", doc, err)
		}
	}
}

// TestSweptRecordsStayGone: what was put before a record expired does not come back when
// that is swept, and what has not expired is not swept.
func TestSweptRecordsStayGone(t *testing.T) {
	t.Parallel()
	s := open(t, testenv.Mongo(t), quick())
	kept, err := s.PutRecord(t.Context(), store.Item{Kind: "note", ID: "kept", Bytes: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	it, err := s.PutRecord(t.Context(), store.Item{Kind: "note", ID: "a", Bytes: []byte("active")})
	if err != nil {
		t.Fatal(err)
	}
	it.Bytes, it.Expires = []byte("revoked"), time.Now().Add(time.Minute)
	if _, err := s.PutRecord(t.Context(), it); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(t.Context(), "note", time.Now().Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	items, err := s.ListRecords(t.Context(), "note")
	if err != nil || len(items) != 1 || items[0].Version != kept.Version {
		t.Errorf("after the sweep there is %v, %v", items, err)
	}
}

// TestRecordOfASlowWriter: one who looked long ago overwrites nothing, though the number
// it then had in mind is free again.
func TestRecordOfASlowWriter(t *testing.T) {
	t.Parallel()
	uri := testenv.Mongo(t)
	fast, slow := open(t, uri, quick()), open(t, uri, quick())
	it, err := fast.PutRecord(t.Context(), store.Item{Kind: "note", ID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	late := it
	slow.OnStep(func(name string) error {
		if name != "item looked at" {
			return nil
		}
		for range 70 {
			if it, err = fast.PutRecord(t.Context(), it); err != nil {
				return err
			}
		}
		return nil
	})
	late.Bytes = []byte("late")
	if _, err := slow.PutRecord(t.Context(), late); err == nil {
		t.Error("the late put is said to have been stored")
	}
	got, err := fast.GetRecord(t.Context(), "note", "a")
	if err != nil || got.Version != it.Version || len(got.Bytes) > 0 {
		t.Errorf("there is %+v, %v; want version %d", got, err, it.Version)
	}
}
