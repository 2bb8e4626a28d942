package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// acks remembers what the router said it has.
type acks struct {
	mu sync.Mutex
	by map[flags.CommitID]flags.Version
}

// TestNoAcknowledgedWriteIsLost kills the router again and again while four
// writers write, and looks for every acknowledged commit in the journal that is
// left: under its id, at its revision.
func TestNoAcknowledgedWriteIsLost(t *testing.T) {
	const kills = 50
	dir := t.TempDir()
	path := filepath.Join(dir, "flags.db")
	r := startRouter(t, "--store", "bolt:"+path)
	r.cli().run("create", "counter")
	got := &acks{by: map[flags.CommitID]flags.Version{}}
	for range kills {
		writeUntil(t, r, got, time.Duration(rand.IntN(80))*time.Millisecond)
		r.start()
	}
	if code := r.stop(); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	if len(got.by) < kills {
		t.Fatalf("only %d writes were acknowledged in %d runs", len(got.by), kills)
	}
	found := journalOf(t, path)
	for id, v := range got.by {
		if found[id] != v {
			t.Errorf("commit %s was acknowledged at %s, the journal has it at %s", id, v, found[id])
		}
	}
	t.Logf("%d acknowledged writes, %d kills", len(got.by), kills)
}

// writeUntil writes from four goroutines and kills the router a while after it has
// acknowledged the first write.
func writeUntil(t *testing.T, r *router, got *acks, after time.Duration) {
	t.Helper()
	st, err := grpcstore.Open("grpc://"+r.grpc, &grpcstore.Options{WriteTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	first := make(chan struct{})
	acknowledged := sync.OnceFunc(func() { close(first) })
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				c := flags.Commit{Set: "default", ID: flags.NewCommitID(), Actor: flags.Actor{Kind: "system"}}
				c.Changes = []flags.Mutation{{Key: flags.OverrideKey("counter", fmt.Sprintf("entity-%d-%d", w, i%50)), Bytes: []byte(`{"variant":"on"}`)}}
				accepted, err := st.Apply(ctx, c)
				if err != nil {
					return // the router is gone
				}
				got.mu.Lock()
				got.by[accepted.ID] = accepted.Version
				got.mu.Unlock()
				acknowledged()
			}
		})
	}
	select {
	case <-first:
	case <-time.After(patience):
		t.Error("no write was acknowledged")
	}
	<-time.After(after)
	r.kill()
	cancel()
	writers.Wait()
}

func journalOf(t *testing.T, path string) map[flags.CommitID]flags.Version {
	t.Helper()
	st, err := boltstore.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	head, err := st.Head(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	found := map[flags.CommitID]flags.Version{}
	for from := (flags.Version{Revision: 1}); ; {
		commits, err := st.Commits(t.Context(), "default", from, head.Version, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(commits) == 0 {
			return found
		}
		for _, c := range commits {
			found[c.ID] = c.Version
			from = flags.Version{Epoch: c.Epoch, Revision: c.Revision + 1}
		}
	}
}

// TestTornStore: a store whose end was cut off opens at an earlier whole commit,
// or is refused in one line that says what to do; never half.
func TestTornStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.db")
	r := startRouter(t, "--store", "bolt:"+path)
	c := r.cli()
	c.run("create", "torn")
	for range 10 {
		c.run("toggle", "torn")
	}
	r.stop()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	opened := 0
	for _, cut := range []int{1, os.Getpagesize(), 2 * os.Getpagesize(), len(whole) / 2} {
		torn := filepath.Join(t.TempDir(), "torn.db")
		if err := os.WriteFile(torn, whole[:len(whole)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		st, err := boltstore.Open(torn, nil)
		if err != nil {
			t.Logf("%d bytes cut: %v", cut, err)
			continue
		}
		opened++
		checkWhole(t, st)
		st.Close()
	}
	t.Logf("%d of 4 torn files opened at a whole commit", opened)
}

// checkWhole: what opens adds up to its digest, wherever it stands.
func checkWhole(t *testing.T, st store.Store) {
	t.Helper()
	u, err := st.Fetch(t.Context(), "default", flags.Head{})
	if err != nil {
		t.Errorf("opened, but does not read: %v", err)
		return
	}
	if err := u.Checkpoint.Verify(); err != nil {
		t.Error(err)
	}
	contents := flags.ContentsOf(u.Checkpoint)
	for i := range u.Commits {
		if err := contents.Apply(&u.Commits[i]); err != nil {
			t.Error(err)
		}
	}
	if contents.Head() != u.Head {
		t.Errorf("comes to %v, head says %v", contents.Head(), u.Head)
	}
}
