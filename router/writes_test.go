package router

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// held is a store whose writes wait to be let through.
type held struct {
	*memstore.Store
	entered, release chan struct{}
	through          atomic.Bool
}

func (h *held) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	close(h.entered)
	<-h.release
	defer h.through.Store(true)
	return h.Store.Apply(ctx, c)
}

// TestStopWaitsForWrites: what was begun is finished, what comes later refused.
func TestStopWaitsForWrites(t *testing.T) {
	st := &held{Store: memstore.New(nil), entered: make(chan struct{}), release: make(chan struct{})}
	defer func() { _ = st.Close() }()
	var noticed atomic.Int64
	w := &writes{Store: st, noticed: func(string) { noticed.Add(1) }}
	commit := func(set string) flags.Commit {
		return flags.Commit{Set: set, ID: flags.NewCommitID(), Op: flags.OpCreate}
	}
	begun := make(chan error, 1)
	go func() {
		_, err := w.Apply(t.Context(), commit("shop"))
		begun <- err
	}()
	<-st.entered
	stopped := make(chan bool, 1)
	go func() {
		w.stop()
		w.wait(context.Background())
		stopped <- st.through.Load()
	}()
	select {
	case <-stopped:
		t.Fatal("stopped before the write was through")
	default:
	}
	close(st.release)
	if !<-stopped {
		t.Error("stop did not wait for the write under way")
	}
	if err := <-begun; err != nil {
		t.Errorf("the write under way: %v", err)
	}
	if _, err := w.Apply(t.Context(), commit("late")); err == nil || flags.ClassOf(err) != flags.ClassTransient {
		t.Errorf("a write after the end: %v", err)
	}
	if noticed.Load() != 1 || w.taken.Load() != 1 {
		t.Errorf("noticed %d of %d writes", noticed.Load(), w.taken.Load())
	}
}
