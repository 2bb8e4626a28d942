package router_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/filestore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// TestClocks: a journal whose commits are stamped by a clock that is wrong by an
// hour is followed, aged and cached like any other: ages come from the instant of
// asking, never from a commit's time.
func TestClocks(t *testing.T) {
	for _, wrong := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(wrong.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := memstore.New(nil)
				origin := memstore.New(nil)
				create(t, origin, "shop")
				write(t, origin, "shop", 1)
				cp := checkpointOf(t, origin, "shop")
				cp.Time = time.Now().Add(wrong).UTC().Truncate(time.Microsecond)
				if err := mem.Seed(t.Context(), cp); err != nil {
					t.Fatal(err)
				}
				r := serve(t, router.Options{Store: mem})
				client := r.client(t)
				asked := time.Now()
				u, err := client.Fetch(t.Context(), "shop", flags.Head{})
				if err != nil || !u.Head.Time.Equal(cp.Time) || u.AsOf.After(time.Now()) || u.AsOf.Before(asked.Add(-time.Second)) {
					t.Errorf("fetched %v as of %v, asked at %v: %v", u.Head.Time, u.AsOf, asked, err)
				}
				kept(t, u, wrong)
				_ = origin.Close()
			})
		})
	}
	matrix.Tally(t, "F28", 2, 0)
}

// kept puts the update on disk as known at an instant that the clock, set since,
// puts an hour away: what is read back is never of the future.
func kept(t *testing.T, u flags.Update, wrong time.Duration) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flags.lkg")
	u.AsOf = time.Now().Add(wrong)
	for range 2 { // written, then read by another process
		file := filestore.NewLastKnownGood(path, "shop", nil)
		if err := file.Put(t.Context(), u, func() *flags.Checkpoint { return u.Checkpoint }); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		back, err := filestore.NewLastKnownGood(path, "shop", nil).Fetch(t.Context(), "shop", flags.Head{})
		if err != nil {
			t.Fatal(err)
		}
		if age, want := time.Since(back.AsOf), max(0, -wrong); age < 0 || age < want-time.Second || age > want+time.Second {
			t.Errorf("a file written as of %v is said to be %v old", wrong, age)
		}
	}
}
