package hub_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func follow(t *testing.T, h *hub.Hub) *flags.Client {
	t.Helper()
	c, err := flags.New(t.Context(), flags.Options{Set: "shop", Primary: flags.Layer{Source: h, Watcher: h}, StartTimeout: -1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestClient: a client over a hub sees every write, knows how old what it has is,
// and gets what a token names although the stream has not brought it.
func TestClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		st := &shaky{store: mem}
		create(t, mem)
		h := hub.New(st, nil)
		c := follow(t, h)
		if err := c.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			head := write(t, mem, i)
			v := c.View(flags.AtLeast(t.Context(), head.Token()))
			if v.Token() != head.Token() || v.Freshness() != flags.FreshnessFresh {
				t.Fatalf("a read at least at %s is answered from %s, %s", head.Token(), v.Token(), v.Freshness())
			}
		}
		time.Sleep(10 * time.Minute)
		if f := c.View(t.Context()).Freshness(); f != flags.FreshnessFresh {
			t.Errorf("after ten quiet minutes reads are %s", f)
		}
		st.plug(mem, errDown)
		time.Sleep(2 * time.Minute)
		if f := c.View(t.Context()).Freshness(); f != flags.FreshnessStale {
			t.Errorf("two minutes after the store was lost reads are %s", f)
		}
		st.plug(mem, nil)
		time.Sleep(30 * time.Second)
		if f := c.View(t.Context()).Freshness(); f != flags.FreshnessFresh {
			t.Errorf("after the store came back reads are %s", f)
		}
		_ = c.Close()
		h.Close()
		_ = mem.Close()
	})
}

// TestClientAwaits: a set that is not there is awaited, and given up again.
func TestClientAwaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		st := &shaky{store: mem}
		h := hub.New(st, nil)
		c := follow(t, h)
		time.Sleep(20 * time.Second)
		create(t, mem)
		head := write(t, mem, 1)
		synctest.Wait()
		if got := c.View(t.Context()).Token(); got != head.Token() {
			t.Errorf("after the set was created reads are from %s, want %s", got, head.Token())
		}
		_ = c.Close()

		other, err := h.Watch(t.Context(), "other", flags.Head{Set: "other"})
		if err != nil {
			t.Fatal(err)
		}
		if ev, err := other.Next(); err != nil || !ev.Absent {
			t.Errorf("of a set that is not there: %+v, %v", ev, err)
		}
		synctest.Wait()
		open := st.open.Load()
		_, _ = other.Close(), other.Close()
		synctest.Wait()
		if st.open.Load() != open-1 {
			t.Errorf("%d streams of the store are open, %d before the watch was closed", st.open.Load(), open)
		}
		h.Close()
		_ = mem.Close()
	})
}

// TestStreamEnds: by whoever ends it, a stream says whose doing it was.
func TestStreamEnds(t *testing.T) {
	for name, c := range map[string]struct {
		set  string
		end  func(flags.Stream, *hub.Hub, context.CancelFunc)
		want flags.Class
	}{
		"closed":           {"shop", func(s flags.Stream, _ *hub.Hub, _ context.CancelFunc) { _ = s.Close() }, flags.ClassCanceled},
		"its context":      {"shop", func(_ flags.Stream, _ *hub.Hub, cancel context.CancelFunc) { cancel() }, flags.ClassCanceled},
		"the hub":          {"shop", func(_ flags.Stream, h *hub.Hub, _ context.CancelFunc) { h.Close() }, flags.ClassTransient},
		"absent, closed":   {"none", func(s flags.Stream, _ *hub.Hub, _ context.CancelFunc) { _ = s.Close() }, flags.ClassCanceled},
		"absent, the hub":  {"none", func(_ flags.Stream, h *hub.Hub, _ context.CancelFunc) { h.Close() }, flags.ClassTransient},
		"absent, canceled": {"none", func(_ flags.Stream, _ *hub.Hub, cancel context.CancelFunc) { cancel() }, flags.ClassCanceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := memstore.New(nil)
				create(t, mem)
				h := hub.New(&shaky{store: mem}, nil)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s, err := h.Watch(ctx, c.set, flags.Head{Set: c.set})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Next(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() {
					_, err := s.Next()
					ended <- err
				}()
				synctest.Wait()
				c.end(s, h, cancel)
				if err := <-ended; flags.ClassOf(err) != c.want {
					t.Errorf("the stream ended with %v, want class %s", err, c.want)
				}
				_ = s.Close()
				h.Close()
				_ = mem.Close()
			})
		})
	}
}
