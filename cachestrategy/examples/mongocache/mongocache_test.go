package mongocache_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/cachetest"
	"github.com/holdfast-flags/holdfast/cachestrategy/examples/mongocache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testenv.Main(m)) }

// at returns a cache in the database of a URI, with time for a busy machine.
func at(t testing.TB, uri string) *mongocache.Cache {
	t.Helper()
	c, err := mongocache.Open(uri, 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

// spoilt is a cache whose documents a test can change behind its back.
type spoilt struct {
	*mongocache.Cache
	uri string
}

// change sets a field of the documents of a set.
func change(field string, value any) func(testing.TB, cachestrategy.Strategy, string) {
	return func(t testing.TB, s cachestrategy.Strategy, set string) {
		t.Helper()
		client, err := mongo.Connect(options.Client().ApplyURI(s.(spoilt).uri))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = client.Disconnect(t.Context()) }()
		u, err := url.Parse(s.(spoilt).uri)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Database(strings.Trim(u.Path, "/")).Collection("flagcache").
			UpdateMany(t.Context(), bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: set + "/"}, {Key: "$lt", Value: set + "0"}}}}, bson.D{{Key: "$set", Value: bson.D{{Key: field, Value: value}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestConformance(t *testing.T) {
	cachetest.Run(t, cachetest.Harness{
		New: func(t testing.TB) cachestrategy.Strategy {
			uri := testenv.Mongo(t)
			return spoilt{at(t, uri), uri}
		},
		Damages: map[string]func(testing.TB, cachestrategy.Strategy, string){
			"other bytes": change("data", []byte("mine")),
			"no bytes":    change("data", []byte{}),
		},
		Flags: 2000, Writers: 4, Writes: 20, Sets: 20, Calls: 100,
	})
}

// A server that is not there is an outage, told in time.
func TestDeadServer(t *testing.T) {
	c, err := mongocache.Factory("mongo:mongodb://127.0.0.1:1/x")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, err = c.Get(t.Context(), cachestrategy.Query{Set: "shop"})
	if flags.ClassOf(err) != flags.ClassTransient || errors.Is(err, cachestrategy.ErrMiss) {
		t.Errorf("Get: %v of class %v", err, flags.ClassOf(err))
	}
}

func TestFactoryRefuses(t *testing.T) {
	for _, url := range []string{"mongo", "mongo:", "mongo:redis://x", "mongo:mongodb://u:hunter2@h:port/d"} {
		if c, err := mongocache.Factory(url); err == nil || c != (*mongocache.Cache)(nil) {
			t.Errorf("%q: %v", url, err)
		}
	}
}
