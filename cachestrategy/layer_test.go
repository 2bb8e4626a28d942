package cachestrategy_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// commit seals a change of flag "n" to number and applies it.
func commit(t *testing.T, c *flags.Contents, op flags.Op, number string) flags.Commit {
	t.Helper()
	x := flags.Commit{Op: op, ID: flags.NewCommitID(), Changes: []flags.Mutation{{
		Key: flags.FlagKey("n"), Bytes: []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":` + number + `}}`),
	}}}
	if err := c.Seal(&x); err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(&x); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestMargin(t *testing.T) {
	for _, tt := range []struct{ ttl, want time.Duration }{
		{time.Minute, 6 * time.Second}, {5 * time.Minute, 30 * time.Second}, {time.Hour, 30 * time.Second}, {0, 0},
	} {
		if got := cachestrategy.Margin(tt.ttl, cachestrategy.DefaultMargin); got != tt.want {
			t.Errorf("margin of %v: %v, want %v", tt.ttl, got, tt.want)
		}
	}
	start := time.Now()
	e := cachestrategy.Entry{Update: flags.Update{AsOf: start}, ExpiresAt: start.Add(3500 * time.Second), Margin: 200 * time.Second}
	if e.Usable(start.Add(3300*time.Second)) || !e.Usable(start.Add(3300*time.Second-1)) {
		t.Error("a TTL of 3500 with a margin of 200 does not end at 3300")
	}
	matrix.Tally(t, "G9", 5, 0)
}

func TestLayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := memorycache.New(nil)
		defer func() { _ = cache.Close() }()
		l := cachestrategy.NewLayer(cache, nil)
		if _, err := l.Head(t.Context(), "shop"); !errors.Is(err, cachestrategy.ErrMiss) {
			t.Fatalf("Head of nothing: %v", err)
		}
		set := flags.NewContents("shop")
		commit(t, set, flags.OpCreate, "1")
		first := set.Checkpoint()
		put := func(u flags.Update) {
			t.Helper()
			if err := l.Put(t.Context(), u, set.Checkpoint); err != nil {
				t.Fatal(err)
			}
		}
		put(flags.Update{Head: first.Head, Checkpoint: first})
		second := commit(t, set, flags.OpChange, "2")
		put(flags.Update{Head: second.Head(), Commits: []flags.Commit{second}})

		u, err := l.Fetch(t.Context(), "shop", first.Head)
		if err != nil || u.Checkpoint != nil || len(u.Commits) != 1 || u.Head != second.Head() {
			t.Errorf("after the first version: %+v, %v", u, err)
		}
		// 60 s less 10 %.
		time.Sleep(53 * time.Second)
		if e, err := l.Lookup(t.Context(), "shop", flags.Head{}); err != nil || !e.Usable(time.Now()) {
			t.Errorf("after 53 s: %+v, %v", e, err)
		}
		time.Sleep(time.Second)
		if e, err := l.Lookup(t.Context(), "shop", flags.Head{}); err != nil || e.Usable(time.Now()) || e.Checkpoint == nil {
			t.Errorf("after 54 s: %+v, %v", e, err)
		}
		// Being refused is no error.
		put(flags.Update{Head: first.Head, Checkpoint: first})
		if h, err := l.Head(t.Context(), "shop"); err != nil || h != second.Head() {
			t.Errorf("Head: %v, %v; want %v", h.Token(), err, second.Head().Token())
		}
	})
}

// Only a layer that knows its lineage to be the right one replaces another.
func TestLayerLineage(t *testing.T) {
	cache := memorycache.New(nil)
	defer func() { _ = cache.Close() }()
	var heads [2]flags.Head
	var known flags.Lineage
	l := cachestrategy.NewLayer(cache, &cachestrategy.LayerOptions{Authoritative: func(x flags.Lineage) bool { return x == known }})
	for i := range heads {
		set := flags.NewContents("shop")
		commit(t, set, flags.OpCreate, "1")
		heads[i] = set.Head()
		for range 2 {
			if err := l.Put(t.Context(), flags.Update{Head: set.Head(), Checkpoint: set.Checkpoint()}, set.Checkpoint); err != nil {
				t.Fatal(err)
			}
			h, err := l.Head(t.Context(), "shop")
			want := heads[0]
			if known == heads[i].Lineage {
				want = heads[i]
			}
			if err != nil || h != want {
				t.Errorf("the cache has %s, want %s (%v)", h.Token(), want.Token(), err)
			}
			known = heads[i].Lineage
		}
	}
}
