package boltstore_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		os.Exit(writeUntilKilled(path))
	}
	goleak.VerifyTestMain(m)
}

// paths remembers where a test's stores are, for opening them again.
type paths map[store.Store]string

func (p paths) open(t testing.TB, path string) (store.Store, error) {
	s, err := boltstore.Open(path, &boltstore.Options{KeepCommits: 4, KeepFor: time.Nanosecond})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = s.Close() })
	p[s] = path
	return s, nil
}

func (p paths) mustOpen(t testing.TB, path string) store.Store {
	t.Helper()
	s, err := p.open(t, path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (p paths) new(t testing.TB) store.Store {
	return p.mustOpen(t, filepath.Join(t.TempDir(), "holdfast.db"))
}

func TestConformance(t *testing.T) {
	p := paths{}
	storetest.Run(t, storetest.Harness{
		New: p.new,
		Reopen: func(t testing.TB, s store.Store) store.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return p.mustOpen(t, p[s])
		},
		Compact: func(t testing.TB, s store.Store, set string) {
			for range 2 { // what leads on from the last but one checkpoint is kept
				if err := s.(*boltstore.Store).Compact(t.Context(), set); err != nil {
					t.Fatal(err)
				}
				_, err := s.Apply(t.Context(), flags.Commit{Set: set, ID: flags.NewCommitID(), Changes: []flags.Mutation{{
					Key: flags.FlagKey("compacting"), Bytes: []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":1}}`),
				}}})
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := s.(*boltstore.Store).Compact(t.Context(), set); err != nil {
				t.Fatal(err)
			}
		},
		Tamper: func(t testing.TB, s store.Store, set string) (store.Store, error) {
			head, err := s.Head(t.Context(), set)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			tamper(t, p[s], set, head.Version)
			return p.open(t, p[s])
		},
		Commits: 300, // each is two fsyncs
	})
}

// tamper changes one byte within a stored commit, with the file's structure whole.
func tamper(t testing.TB, path, set string, v flags.Version) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	key := fmt.Appendf(nil, "\x00\x00\x00\x00\x00\x00\x00%c\x00\x00\x00\x00\x00\x00\x00%c", rune(v.Epoch), rune(v.Revision))
	err = db.Update(func(tx *bolt.Tx) error {
		journal := tx.Bucket([]byte("sets")).Bucket([]byte(set)).Bucket([]byte("journal"))
		value := bytes.Clone(journal.Get(key))
		value[len(value)/2] ^= 1
		return journal.Put(key, value)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReplica(t *testing.T) {
	p := paths{}
	storetest.RunReplica(t, storetest.ReplicaHarness{
		New:     func(t testing.TB) storetest.Replica { return p.new(t).(*boltstore.Store) },
		Origin:  func(testing.TB) store.Store { return memstore.New(nil) },
		Commits: 300,
	})
}
