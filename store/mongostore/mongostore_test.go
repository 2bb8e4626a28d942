package mongostore_test

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/mongostore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(audited{testenv.Main(m)}) }

// quick makes watches notice the writes of others without much waiting.
func quick() *mongostore.Options {
	return &mongostore.Options{PollInterval: 50 * time.Millisecond, HeadTimeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler)}
}

func open(t testing.TB, uri string, opts *mongostore.Options) *mongostore.Store {
	t.Helper()
	s, err := mongostore.Open(t.Context(), uri, mongostore.Observed(opts, rights.monitor(opts)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// uris remembers where the stores of the suite are, to open them again.
type uris struct {
	mu sync.Mutex
	of map[store.Store]string
}

func (u *uris) open(t testing.TB, uri string) store.Store {
	s := open(t, uri, quick())
	u.mu.Lock()
	defer u.mu.Unlock()
	u.of[s] = uri
	return s
}

func (u *uris) reopen(t testing.TB, s store.Store) store.Store {
	_ = s.Close()
	u.mu.Lock()
	uri := u.of[s]
	u.mu.Unlock()
	return u.open(t, uri)
}

func TestConformance(t *testing.T) {
	u := &uris{of: map[store.Store]string{}}
	t.Parallel()
	storetest.Run(t, storetest.Harness{
		New:    func(t testing.TB) store.Store { return u.open(t, testenv.Mongo(t)) },
		Reopen: u.reopen,
		Compact: func(t testing.TB, s store.Store, set string) {
			compact(t, s.(*mongostore.Store), set)
		},
		Tamper: func(t testing.TB, s store.Store, set string) (store.Store, error) {
			tamper(t, s.(*mongostore.Store), set)
			return u.reopen(t, s), nil
		},
		Writers:  4,
		Writes:   volume(10, 20),
		Flags:    volume(500, 10_000),
		Commits:  volume(280, 600), // more than a segment takes, and than a page has to
		Patience: 60 * time.Second,
	})
}

func TestReplica(t *testing.T) {
	t.Parallel()
	storetest.RunReplica(t, storetest.ReplicaHarness{
		New:      func(t testing.TB) storetest.Replica { return open(t, testenv.Mongo(t), quick()) },
		Origin:   func(testing.TB) store.Store { return memstore.New(nil) },
		Patience: 30 * time.Second,
	})
}

// volume is small enough for every run, or large where HOLDFAST_LONG asks for it.
func volume(short, long int) int {
	if os.Getenv("HOLDFAST_LONG") != "" {
		return long
	}
	return short
}

// compact writes until segments are forgotten.
func compact(t testing.TB, s *mongostore.Store, set string) {
	t.Helper()
	s.Settle()
	s.Tune(4, 1<<10)
	s.Keep(4, time.Nanosecond)
	for i := range 12 {
		change(t, s, set, i)
		s.Settle()
	}
}

func tamper(t testing.TB, s *mongostore.Store, set string) {
	t.Helper()
	head, err := s.Head(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	corrupt(t, s, "journal", mongostore.JournalKey(set, head.Version))
}

// corrupt changes one byte of the data of a document.
func corrupt(t testing.TB, s *mongostore.Store, collection, id string) {
	t.Helper()
	var doc struct {
		Data []byte `bson:"data"`
	}
	filter := bson.D{{Key: "_id", Value: id}}
	if err := s.Collection(collection).FindOne(t.Context(), filter).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	doc.Data[len(doc.Data)/2] ^= 0x20
	update := bson.D{{Key: "$set", Value: bson.D{{Key: "data", Value: doc.Data}}}}
	if r, err := s.Collection(collection).UpdateOne(t.Context(), filter, update); err != nil || r.ModifiedCount != 1 {
		t.Fatalf("corrupt %s %s: %+v, %v", collection, id, r, err)
	}
}

const set = "shop"

func definition(n int) []byte {
	return []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":` + string(rune('0'+n%10)) + `}}`)
}

func create(t testing.TB, s *mongostore.Store, set string) flags.Commit {
	t.Helper()
	c, err := s.Apply(t.Context(), flags.Commit{Set: set, ID: flags.NewCommitID(), Op: flags.OpCreate})
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	return c
}

func proposal(set string, n int) flags.Commit {
	return flags.Commit{Set: set, ID: flags.NewCommitID(), Changes: []flags.Mutation{{Key: flags.FlagKey("n"), Bytes: definition(n)}}}
}

func change(t testing.TB, s *mongostore.Store, set string, n int) flags.Commit {
	t.Helper()
	c, err := s.Apply(t.Context(), proposal(set, n))
	if err != nil {
		t.Fatalf("change: %v", err)
	}
	return c
}

// contents reads a set as a cold reader would, checking every digest.
func contents(ctx context.Context, s flags.Source, set string) (*flags.Contents, error) {
	u, err := s.Fetch(ctx, set, flags.Head{Set: set})
	if err != nil {
		return nil, err
	}
	if err := u.Checkpoint.Verify(); err != nil {
		return nil, err
	}
	c := flags.ContentsOf(u.Checkpoint)
	for i := range u.Commits {
		if err := c.Apply(&u.Commits[i]); err != nil {
			return nil, err
		}
	}
	return c, nil
}
