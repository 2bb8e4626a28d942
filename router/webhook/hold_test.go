package webhook_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/webhook"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
)

func TestHold(t *testing.T) {
	j := newJournal(t)
	wants := func(set string, want flags.Version) {
		t.Helper()
		if got, err := webhook.Hold(t.Context(), j, set); err != nil || got != want {
			t.Errorf("from %s on, %v; want %s", got, err, want)
		}
	}
	j.create("shop")
	wants("shop", flags.Version{}) // nobody listens
	r := receive(t)
	h := r.hook(webhook.Options{Records: j, Journal: j})
	if _, err := h.Locate(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	wants("shop", flags.Version{Revision: 2})
	head := j.write("shop", 1)
	wants("shop", flags.Version{Revision: 2})
	if err := bring(t, h, head); err != nil {
		t.Fatal(err)
	}
	wants("shop", flags.Version{Revision: 3})
	j.create("new")
	wants("new", flags.Version{Revision: 1})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := webhook.Hold(t.Context(), j, "shop"); err == nil {
		t.Error("who needs what was known of a store that is closed")
	}
}

// outlived compacts a journal while a receiver is down, and returns what it is sent once
// it is up.
func outlived(t *testing.T, held bool) []string {
	t.Helper()
	var st *boltstore.Store
	opts := &boltstore.Options{KeepCommits: 1, KeepFor: time.Nanosecond}
	if held {
		opts.Hold = func(ctx context.Context, set string) (flags.Version, error) { return webhook.Hold(ctx, st, set) }
	}
	st, err := boltstore.Open(filepath.Join(t.TempDir(), "db"), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	apply := func(c flags.Commit) flags.Head {
		c.Set, c.ID = "shop", flags.NewCommitID()
		c, err := st.Apply(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return c.Head()
	}
	r := receive(t)
	h := r.hook(webhook.Options{Records: store.Records(st), Journal: st, Alone: true})
	if err := bring(t, h, apply(flags.Commit{Op: flags.OpCreate})); err != nil {
		t.Fatal(err)
	}
	var head flags.Head
	for range 2 { // what leads on from the checkpoint before is kept anyway
		for range 5 {
			head = apply(flags.Commit{Changes: []flags.Mutation{{Key: flags.FlagKey("n"), Bytes: []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":1}}`)}}})
		}
		if err := st.Compact(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
	}
	if err := bring(t, h, head); err != nil {
		t.Fatal(err)
	}
	return r.received()
}

// TestCompactionWaits: what has not been delivered is not forgotten. Its twin forgets it.
func TestCompactionWaits(t *testing.T) {
	if got := outlived(t, true); len(got) != 10 || got[0] != "commit shop@0.2" || got[9] != "commit shop@0.11" {
		t.Errorf("received %q", got)
	}
	if got := outlived(t, false); len(got) >= 10 || !strings.HasPrefix(got[0], "gap ") {
		t.Errorf("without a hold received %q", got)
	}
}
