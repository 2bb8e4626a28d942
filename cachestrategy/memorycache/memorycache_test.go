package memorycache_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/cachetest"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
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

// Without the guard the suite must notice.
func TestUnguardedTwin(t *testing.T) {
	h := harness(memorycache.NewUnguarded)
	for _, name := range []string{
		"guard/older refused", "guard/older refused after expiry", "guard/older refused after the entry is gone",
		"guard/lineage", "guard/huge revisions", "concurrency/nobody goes back",
	} {
		if ok, _ := cachetest.Holds(t, name, h); ok {
			t.Errorf("%s holds without the guard: it shows nothing", name)
		}
	}
}
