package rediscache_test

import (
	"context"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/cachetest"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testenv.Main(m)) }

// patient is for tests that are not about time: this machine may be busy.
var patient = rediscache.Options{Timeout: 5 * time.Second, BulkTimeout: 20 * time.Second}

func open(t testing.TB, url string, o *rediscache.Options) *rediscache.Cache {
	t.Helper()
	c, err := rediscache.Open(url, o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

// real returns a cache of its own on the shared Redis.
func real(t testing.TB, o rediscache.Options) *rediscache.Cache {
	t.Helper()
	return open(t, "redis://"+testenv.Redis(t)+"?prefix="+testenv.Name(t), &o)
}

func harness(o rediscache.Options) cachetest.Harness {
	return cachetest.Harness{
		New:     func(t testing.TB) cachestrategy.Strategy { return real(t, o) },
		Damages: damages,
	}
}

func TestConformance(t *testing.T) { cachetest.Run(t, harness(patient)) }

// Without a guard the suite must notice.
func TestUnguardedTwin(t *testing.T) {
	for guard, cases := range map[string][]string{
		"version": {
			"guard/older refused", "guard/older refused after expiry", "guard/older refused after the entry is gone",
			"guard/revisions are numbers", "guard/huge revisions", "concurrency/nobody goes back",
		},
		"watermark": {"guard/older refused after the entry is gone", "guard/lineage after the entry is gone", "guard/other contents after the entry is gone"},
		"lineage":   {"guard/lineage", "guard/lineage after the entry is gone"},
		"digest":    {"guard/other contents at the same version", "guard/other contents after the entry is gone"},
		"lifetime":  {"lifetime/not shortened by a shorter one", "volume/lifetimes of many sets"},
	} {
		h := harness(*rediscache.Without(guard, patient))
		h.Writes = 40 // without the guard most of them store a whole set, and the first few show it
		for _, name := range cases {
			if ok, _ := cachetest.Holds(t, name, h); ok {
				t.Errorf("%s holds without the guard %s: it shows nothing", name, guard)
			}
		}
	}
}

// virtual starts a miniredis whose keys live by the clock of a synctest bubble.
func virtual(t testing.TB) (*miniredis.Miniredis, rediscache.Options) {
	t.Helper()
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	t.Cleanup(server.Close)
	return server, rediscache.Options{Dial: func(context.Context, string, string) (net.Conn, error) { return server.Dial() }}
}

// The same suite in virtual time, where the default timeouts are exact.
func TestConformanceVirtual(t *testing.T) {
	h := cachetest.Harness{
		New: func(t testing.TB) cachestrategy.Strategy {
			_, o := virtual(t)
			return open(t, "redis://virtual", &o)
		},
		Damages: damages,
		Flags:   1000, Writes: 50,
		Sets: 100, Calls: 300, Tolerance: time.Millisecond,
	}
	if os.Getenv("HOLDFAST_LONG") != "" {
		h.Sets, h.Calls = 10_000, 1_000_000
	}
	for _, c := range cachetest.Select(t, h) {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.Run(t, h) })
		})
	}
}
