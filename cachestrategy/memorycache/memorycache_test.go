package memorycache_test

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/cachetest"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/internal/matrix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func closing(t testing.TB, c *memorycache.Cache) *memorycache.Cache {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

func harness(open func() *memorycache.Cache) cachetest.Harness {
	return cachetest.Harness{
		New:    func(t testing.TB) cachestrategy.Strategy { return closing(t, open()) },
		Except: map[string]string{"damage": "nothing else can write into the memory of a process"},
	}
}

func TestConformance(t *testing.T) {
	cachetest.Run(t, harness(func() *memorycache.Cache { return memorycache.New(nil) }))
}

// The lifetimes of very many sets, to the millisecond.
func TestManyLifetimes(t *testing.T) {
	h := harness(func() *memorycache.Cache { return memorycache.New(nil) })
	h.Sets, h.Calls, h.Tolerance = 10_000, 50_000, time.Millisecond
	if os.Getenv("HOLDFAST_LONG") != "" {
		h.Calls = 1_000_000
	}
	synctest.Test(t, func(t *testing.T) {
		if ok, why := cachetest.Holds(t, "volume/lifetimes of many sets", h); !ok {
			t.Error(why)
		}
	})
	matrix.Tally(t, "G8", h.Calls, 0)
}

// oneTTL is the cache that everybody knows: one lifetime for all, begun again by
// every write.
type oneTTL struct {
	*memorycache.Cache
	end *time.Time
}

func (c oneTTL) Put(ctx context.Context, o cachestrategy.Offer) (cachestrategy.Outcome, error) {
	if o.TTL > 0 {
		*c.end = time.Now().Add(o.TTL)
	}
	return c.Cache.Put(ctx, o)
}

func (c oneTTL) Get(ctx context.Context, q cachestrategy.Query) (cachestrategy.Entry, error) {
	e, err := c.Cache.Get(ctx, q)
	e.ExpiresAt = *c.end
	return e, err
}

// The suite must notice where entries have no lifetime of their own.
func TestOneTTLTwin(t *testing.T) {
	h := cachetest.Harness{New: func(t testing.TB) cachestrategy.Strategy {
		return oneTTL{closing(t, memorycache.New(nil)), new(time.Time)}
	}}
	for _, name := range []string{"lifetime/of each its own", "lifetime/not moved by reads", "volume/lifetimes of many sets"} {
		if ok, _ := cachetest.Holds(t, name, h); ok {
			t.Errorf("%s holds with one lifetime for all: it shows nothing", name)
		}
	}
}

// Without the guard the suite must notice.
func TestUnguardedTwin(t *testing.T) {
	h := harness(memorycache.NewUnguarded)
	for _, name := range []string{
		"guard/older refused", "guard/older refused after expiry", "guard/older refused after the entry is gone",
		"guard/lineage", "guard/huge revisions", "concurrency/nobody goes back",
	} {
		noticed := false
		for range 50 { // readers and writers may miss one another: whoever writes all of it in a millisecond is hardly seen
			ok, _ := cachetest.Holds(t, name, h)
			if noticed = !ok; noticed {
				break
			}
		}
		if !noticed {
			t.Errorf("%s holds without the guard: it shows nothing", name)
		}
	}
}
