package hub_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// confirming is a store with an origin that wants to know what has been applied.
type confirming struct {
	*memstore.Store
	mu   sync.Mutex
	told []flags.Head
}

func (c *confirming) HeadAsOf(ctx context.Context, set string) (flags.Head, time.Time, error) {
	asked := time.Now()
	h, err := c.Head(ctx, set)
	return h, asked, err
}

func (c *confirming) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	stream, err := c.Store.Watch(ctx, set, have)
	return &listening{stream, c}, err
}

func (c *confirming) last() flags.Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told[len(c.told)-1].Version
}

type listening struct {
	flags.Stream
	to *confirming
}

func (l *listening) Applied(ack flags.Ack) error {
	l.to.mu.Lock()
	defer l.to.mu.Unlock()
	l.to.told = append(l.to.told, ack.Head)
	return nil
}

// TestAcknowledges: what is told to the origin is what the hub and all its clients have
// applied, and nothing while one of them has not said.
func TestAcknowledges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &confirming{Store: memstore.New(nil)}
		create(t, st.Store)
		h := hub.New(st, nil)
		set, err := h.Open(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		tells := func(what string, want flags.Head) {
			t.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			if got := st.last(); got != want.Version {
				t.Errorf("%s: told %s, want %s", what, got, want.Version)
			}
		}
		first := write(t, st.Store, 1)
		tells("no clients", first)
		a, b := set.Join(hub.Client{}), set.Join(hub.Client{})
		a.Applied(flags.Ack{Head: first})
		tells("one has not said", flags.Head{})
		b.Applied(flags.Ack{Head: first})
		tells("both have it", first)
		second := write(t, st.Store, 2)
		tells("a new one", first)
		a.Applied(flags.Ack{Head: second})
		tells("one has it", first)
		b.Applied(flags.Ack{Head: second})
		tells("both have the new one", second)
		third := write(t, st.Store, 3)
		a.Applied(flags.Ack{Head: third})
		tells("one is behind", second)
		b.Leave()
		tells("who was behind has left", third)
		foreign := third
		foreign.Lineage = flags.NewLineage()
		a.Applied(flags.Ack{Head: foreign})
		tells("another history", flags.Head{})
		a.Leave()
		h.Close()
		_ = st.Close()
	})
}
