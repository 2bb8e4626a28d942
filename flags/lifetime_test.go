package flags_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func metadata(key, json string) flags.Mutation {
	return flags.Mutation{Key: flags.EntryKey{Kind: flags.KindMetadata, Name: key}, Bytes: []byte(json)}
}

// What a set says about the lifetime of its copies is checked when it is written.
func TestCheckLifetime(t *testing.T) {
	for _, tt := range []struct{ ttl, margin, want string }{
		{`"300s"`, `"30s"`, ""},
		{`90`, `0.25`, ""},
		{`"1h"`, `"10%"`, ""},
		{`"24h"`, "", ""},
		{"", `"30s"`, ""},
		{`"soon"`, "", "want 1s to 24h0m0s"},
		{`"25h"`, "", "want 1s to 24h0m0s"},
		{`0.5`, "", "want 1s to 24h0m0s"},
		{`1e300`, "", "want 1s to 24h0m0s"},
		{`true`, "", "want 1s to 24h0m0s"},
		{"", `1`, "want a part of the TTL"},
		{"", `"0%"`, "margin \"0%\""},
		{"", `"-3s"`, "margin \"-3s\""},
		{`"30s"`, `"30s"`, "a cacheMargin of 30s leaves nothing of a cacheTTL of 30s"},
	} {
		var changes []flags.Mutation
		if tt.ttl != "" {
			changes = append(changes, metadata(flags.MetadataCacheTTL, tt.ttl))
		}
		if tt.margin != "" {
			changes = append(changes, metadata(flags.MetadataCacheMargin, tt.margin))
		}
		err := flags.NewContents("shop").CheckChanges(flags.OpCreate, changes)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("TTL %s, margin %s: %v, want %q", tt.ttl, tt.margin, err, tt.want)
		}
	}
}

// Also where only one of the two changes.
func TestCheckLifetimeTogether(t *testing.T) {
	set := flags.NewContents("shop")
	c := flags.Commit{Op: flags.OpCreate, Changes: []flags.Mutation{metadata(flags.MetadataCacheTTL, `"60s"`)}}
	if err := set.Seal(&c); err != nil {
		t.Fatal(err)
	}
	if err := set.Apply(&c); err != nil {
		t.Fatal(err)
	}
	if err := set.CheckChanges(flags.OpChange, []flags.Mutation{metadata(flags.MetadataCacheMargin, `"2m"`)}); err == nil {
		t.Error("a margin of two minutes goes with a TTL of one")
	}
	if err := set.CheckChanges(flags.OpChange, []flags.Mutation{metadata(flags.MetadataCacheTTL, `"5m"`), metadata(flags.MetadataCacheMargin, `"2m"`)}); err != nil {
		t.Error(err)
	}
}

// puts notes when its entries were written.
type puts struct {
	mu sync.Mutex
	at []time.Time
}

func (p *puts) Put(context.Context, flags.Update, func() *flags.Checkpoint) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = append(p.at, time.Now())
	return nil
}

// An entry is renewed at 80 % of the lifetime that its set has, give or take a
// tenth, never at a fixed beat; and a set is stale when its own lifetime says so.
func TestLifetimeOfTheSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(nil)
		defer closed(t, store)
		_, err := store.Apply(t.Context(), flags.Commit{Set: "default", ID: flags.NewCommitID(), Op: flags.OpCreate, Changes: []flags.Mutation{
			metadata(flags.MetadataCacheTTL, `"100s"`), metadata(flags.MetadataCacheMargin, `"40s"`),
		}})
		if err != nil {
			t.Fatal(err)
		}
		sink := &puts{}
		c := open(t, flags.Options{
			Primary: flags.Layer{Source: store, Watcher: store}, Cache: flags.Layer{Sink: sink},
			Lifetime: func(s *flags.Snapshot) (time.Duration, time.Duration) {
				ttl, _, margin := s.CacheLifetime()
				return ttl, margin
			},
		})
		time.Sleep(20 * time.Minute)
		sink.mu.Lock()
		defer sink.mu.Unlock()
		gaps := map[time.Duration]bool{}
		for i := 1; i < len(sink.at); i++ {
			gap := sink.at[i].Sub(sink.at[i-1])
			gaps[gap] = true
			// Nine tenths of what is left before the margin, +-10 %, less the age of the confirmation.
			if gap > 60*time.Second || gap < 20*time.Second {
				t.Errorf("renewed after %v, want before the margin begins at 60s", gap)
			}
		}
		if len(gaps) < 5 {
			t.Errorf("%d puts at %d distances: they all come at one beat", len(sink.at), len(gaps))
		}
		if d := c.BoolDetails(t.Context(), "beta", anyone, false); d.Freshness != flags.FreshnessFresh {
			t.Errorf("connected, and %v", d.Freshness)
		}
	})
}
