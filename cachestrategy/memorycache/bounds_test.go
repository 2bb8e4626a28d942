package memorycache_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/flags"
)

// setOf is a set with one flag of so many bytes.
func setOf(name string, size int) cachestrategy.Offer {
	e := flags.Entry{Key: flags.FlagKey("f"), Bytes: []byte(strings.Repeat("x", size)), Revision: 1}
	h := flags.Head{Set: name, Lineage: "abcdefgh", Version: flags.Version{Revision: 1}, Count: 1, Digest: flags.EntryHash(e.Key, e.Bytes)}
	return cachestrategy.Offer{Update: flags.Update{Head: h, Checkpoint: &flags.Checkpoint{Head: h, Entries: []flags.Entry{e}}}}
}

// held puts 100 sets and returns how many of them the cache still has.
func held(t *testing.T, c *memorycache.Cache, size int) (n int) {
	t.Helper()
	name := func(i int) string { return fmt.Sprintf("set-%d", i) }
	for i := range 100 {
		if _, err := c.Put(t.Context(), setOf(name(i), size)); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait() // eviction has a goroutine of its own
	for i := range 100 {
		if _, err := c.Get(t.Context(), cachestrategy.Query{Set: name(i)}); err == nil {
			n++
		}
	}
	return n
}

func TestBounds(t *testing.T) {
	for url, size := range map[string]int{
		"memory:?max-entries=10":                  100,    // the number runs out first
		"memory:?max-bytes=100KiB":                10_000, // the bytes do
		"memory:?max-entries=10&max-bytes=100KiB": 5_000,
	} {
		synctest.Test(t, func(t *testing.T) {
			c, err := memorycache.Open(url)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			if n := held(t, c, size); n > 10 || n < 5 {
				t.Errorf("%s: %d sets of %d bytes are held, want at most 10 and not many fewer", url, n, size)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	c := closing(t, memorycache.New(&memorycache.Options{MaxBytes: 1000}))
	_, err := c.Put(t.Context(), setOf("shop", 2000))
	if !errors.Is(err, flags.ErrTooLarge) || flags.ClassOf(err) != flags.ClassPermanent {
		t.Errorf("a set larger than the cache: %v", err)
	}
}

// An expired entry stays readable until the hard bound, and the floor beyond it.
func TestHardBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memorycache.New(nil)
		defer func() { _ = c.Close() }()
		at := func(r uint64, want cachestrategy.Outcome) {
			t.Helper()
			o := setOf("shop", 10)
			o.Head.Revision, o.Checkpoint.Revision = r, r
			if got, err := c.Put(t.Context(), o); err != nil || got != want {
				t.Fatalf("put of revision %d: %v, %v; want %v", r, got, err, want)
			}
		}
		at(7, cachestrategy.Stored)
		time.Sleep(24*time.Hour - time.Minute)
		if e, err := c.Get(t.Context(), cachestrategy.Query{Set: "shop"}); err != nil || e.Usable(time.Now()) {
			t.Fatalf("after a day: %+v, %v", e, err)
		}
		time.Sleep(2 * time.Minute)
		if _, err := c.Get(t.Context(), cachestrategy.Query{Set: "shop"}); !errors.Is(err, cachestrategy.ErrMiss) {
			t.Fatalf("beyond the hard bound: %v, want a miss", err)
		}
		at(6, cachestrategy.Older)
		at(7, cachestrategy.Stored)
	})
}

func TestOpenRefuses(t *testing.T) {
	for url, want := range map[string]string{
		"":                                    "want memory:",
		"memory://host":                       "want memory:",
		"redis:":                              "want memory:",
		"memory:?size=3":                      `unknown parameter "size"`,
		"memory:?max-entries=0":               "want one number above 0",
		"memory:?max-entries=many":            "want one number above 0",
		"memory:?max-bytes=1TiB":              "want one number above 0",
		"memory:?max-bytes=-1":                "want one number above 0",
		"memory:?max-bytes=1&max-bytes=2":     "want one number above 0",
		"memory:?max-bytes=99999999999999GiB": "want one number above 0",
	} {
		if c, err := memorycache.Open(url); c != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", url, err, want)
		}
	}
}
