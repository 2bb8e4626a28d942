package webhook_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/router/webhook"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

// shared is what a receiver got from two routers on one Mongo journal. The first dies while
// the receiver has its fourth commit and the cursor does not say so yet; of twins, which do
// not take turns, nobody dies, and the receiver takes nothing before it has two requests.
func shared(t *testing.T, twins bool) (got, ids []string) {
	t.Helper()
	const commits = 12
	uri := testenv.Mongo(t)
	r := receive(t)
	open := func() (*mongostore.Store, *webhook.Hook) {
		st, err := mongostore.Open(t.Context(), uri, &mongostore.Options{HeadTimeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = st.Close() })
		opts := webhook.Options{Records: st, Journal: st}.Leased(3 * time.Second)
		if twins {
			opts = opts.Twins()
		}
		return st, r.hook(opts)
	}
	one, dying := open()
	_, heir := open()
	j := func(c flags.Commit) flags.Head {
		c.Set, c.ID = "shop", flags.NewCommitID()
		c, err := one.Apply(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return c.Head()
	}
	if err := bring(t, dying, j(flags.Commit{Op: flags.OpCreate})); err != nil {
		t.Fatal(err)
	}
	var head flags.Head
	for range commits {
		head = j(flags.Commit{Changes: []flags.Mutation{{Key: flags.FlagKey("n"), Bytes: []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":1}}`)}}})
	}
	life, kill := context.WithCancel(t.Context())
	defer kill()
	first, second := make(chan struct{}), make(chan struct{})
	r.answer = func(n int, w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		ids = append(ids, req.Header.Get("Holdfast-Delivery"))
		r.mu.Unlock()
		switch {
		case n == 0:
			close(first)
		case n == 1:
			close(second)
		case n == 3 && !twins:
			kill() // it has been taken, and whoever sent it will not know
		}
		if twins {
			select {
			case <-second:
			case <-req.Context().Done():
			}
		}
		w.WriteHeader(http.StatusNoContent)
	}
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = dying.Bring(life, head, flags.Head{Set: "shop"}) // and does nothing any more
	})
	both.Go(func() {
		<-first
		if err := bring(t, heir, head); err != nil {
			t.Error(err)
		}
	})
	both.Wait()
	return r.received(), ids
}

// TestKilledRouter: nothing is lost, nothing comes out of order, and what comes twice can
// be told by its id.
func TestKilledRouter(t *testing.T) {
	t.Parallel()
	got, ids := shared(t, false)
	if len(got) < 12 || len(got) > 13 {
		t.Errorf("received %q", got)
	}
	if !slices.IsSortedFunc(got, inOrder) {
		t.Errorf("out of order: %q", got)
	}
	seen := map[string]string{}
	for i, e := range got {
		if id, ok := seen[e]; ok && id != ids[i] {
			t.Errorf("%s came as %s and as %s", e, id, ids[i])
		}
		seen[e] = ids[i]
	}
	if len(seen) != 12 {
		t.Errorf("received %d of 12", len(seen))
	}
}

// TestTwins is the twin of TestKilledRouter: routers that do not take turns deliver the
// same things side by side, with nobody killed.
func TestTwins(t *testing.T) {
	t.Parallel()
	got, _ := shared(t, true)
	if len(got) < 13 || got[0] != got[1] {
		t.Errorf("without turns received %q", got)
	}
}

// inOrder compares two events by their tokens, of which the number of digits differs.
func inOrder(a, b string) int {
	if d := len(a) - len(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}
