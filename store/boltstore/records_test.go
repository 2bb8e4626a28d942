package boltstore_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

func TestRecords(t *testing.T) {
	p := paths{}
	storetest.RunRecords(t, storetest.RecordsHarness{
		New: func(t testing.TB) storetest.Records { return p.new(t).(*boltstore.Store) },
		Reopen: func(t testing.TB, s storetest.Records) storetest.Records {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return p.mustOpen(t, p[s.(*boltstore.Store)]).(*boltstore.Store)
		},
		Writers: 4,
	})
}

// TestDamagedRecord: one that was changed, or moved to another's name, is refused.
func TestDamagedRecord(t *testing.T) {
	for name, damage := range map[string]func(b *bolt.Bucket, value []byte) error{
		"a byte": func(b *bolt.Bucket, value []byte) error {
			value[len(value)-1] ^= 1
			return b.Put([]byte("a"), value)
		},
		"cut off": func(b *bolt.Bucket, value []byte) error { return b.Put([]byte("a"), value[:20]) },
		"moved":   func(b *bolt.Bucket, value []byte) error { return b.Put([]byte("b"), value) },
	} {
		t.Run(name, func(t *testing.T) {
			p := paths{}
			s := p.new(t).(*boltstore.Store)
			if _, err := s.PutRecord(t.Context(), store.Item{Kind: "note", ID: "a", Bytes: []byte("text")}); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			db, err := bolt.Open(p[s], 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bolt.Tx) error {
				b := tx.Bucket([]byte("records")).Bucket([]byte("note"))
				return damage(b, bytes.Clone(b.Get([]byte("a"))))
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			again := p.mustOpen(t, p[s]).(*boltstore.Store)
			if items, err := again.ListRecords(t.Context(), "note"); !errors.Is(err, boltstore.ErrCorrupt) {
				t.Errorf("got %v, %v", items, err)
			}
		})
	}
}

func FuzzDecodeItem(f *testing.F) {
	f.Add("note", "a", []byte("text"))
	f.Add("note", "a", boltstore.EncodeItem(store.Item{Kind: "note", ID: "a", Version: 7, Bytes: []byte("x"), Expires: time.Unix(2e9, 0)}))
	f.Fuzz(func(t *testing.T, kind, id string, value []byte) {
		it, err := boltstore.DecodeItem(kind, id, value)
		if err != nil {
			if !errors.Is(err, boltstore.ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		if again := boltstore.EncodeItem(it); !bytes.Equal(again, value) {
			t.Fatalf("%x is written as %x", value, again)
		}
	})
}
