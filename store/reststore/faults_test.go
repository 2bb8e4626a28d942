package reststore_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/router/restapi"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/reststore"
)

// faulty returns a client of a router over mem, with a network in between that
// can be broken. Nothing of it is a socket, so it all runs in virtual time.
func faulty(t testing.TB, mem *memstore.Store, opts reststore.Options) (*faultnet.Proxy, *reststore.Store) {
	t.Helper()
	r := serve(t, mem, restapi.Options{})
	proxy := faultnet.Wrap(r.lis.DialContext)
	t.Cleanup(func() { _ = proxy.Close() })
	opts.Dial = func(ctx context.Context, _ string) (net.Conn, error) { return proxy.Dial(ctx) }
	return proxy, dial(t, r.lis, opts)
}

// TestSlowRouter: what arrives within five seconds is an answer, what does not is
// an outage.
func TestSlowRouter(t *testing.T) {
	for _, c := range []struct {
		delay time.Duration
		class flags.Class
		took  time.Duration
		fails bool
	}{
		{delay: 4900 * time.Millisecond, took: 4900 * time.Millisecond},
		{delay: 5100 * time.Millisecond, took: 5 * time.Second, fails: true, class: flags.ClassTransient},
	} {
		t.Run(c.delay.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := memstore.New(nil)
				defer mem.Close()
				create(t, mem, "shop")
				proxy, client := faulty(t, mem, reststore.Options{})
				if err := proxy.Set(faultnet.Faults{Down: faultnet.Path{Delay: c.delay}}); err != nil {
					t.Fatal(err)
				}
				for op, call := range calls(client) {
					began := time.Now()
					err := call(t.Context())
					if took := time.Since(began); took != c.took || (err != nil) != c.fails {
						t.Errorf("%s: %v after %v", op, err, took)
					}
					if err != nil && flags.ClassOf(err) != c.class {
						t.Errorf("%s: class %s, want %s", op, flags.ClassOf(err), c.class)
					}
				}
			})
		})
	}
}

// calls are the ways to learn of the set "shop".
func calls(client *reststore.Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"head": func(ctx context.Context) error {
			_, err := client.Head(ctx, "shop")
			return err
		},
		"fetch": func(ctx context.Context) error {
			_, err := client.Fetch(ctx, "shop", flags.Head{Set: "shop"})
			return err
		},
		"watch": func(ctx context.Context) error {
			// What a stream says first is its answer; that there is a snapshot to fetch is one.
			s, err := client.Watch(ctx, "shop", flags.Head{Set: "shop"})
			if err == nil {
				err = s.Close()
			}
			return err
		},
		"commits": func(ctx context.Context) error {
			_, err := client.Commits(ctx, "shop", flags.Version{}, flags.Version{Revision: 9}, 0)
			return err
		},
		"sets": func(ctx context.Context) error {
			_, err := client.Sets(ctx)
			return err
		},
	}
}

// TestHangingRouter: each call is cut off after five seconds, the fourth opens the
// breaker, and then nothing is sent.
func TestHangingRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		defer mem.Close()
		create(t, mem, "shop")
		proxy, client := faulty(t, mem, reststore.Options{})
		if _, err := client.Head(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		if err := proxy.Set(faultnet.Faults{Mode: faultnet.Hang}); err != nil {
			t.Fatal(err)
		}
		b := breaker.New(breaker.Options{Classify: outcome})
		for i := range 6 {
			began := time.Now()
			err := b.Run(t.Context(), reststore.DefaultTimeout, func(ctx context.Context) error {
				_, err := client.Head(ctx, "shop")
				return err
			})
			took, want := time.Since(began), 5*time.Second
			if i >= 4 {
				want = 0
			}
			if err == nil || took != want {
				t.Errorf("call %d: %v after %v, want %v", i+1, err, took, want)
			}
		}
		if b.State() != breaker.Open {
			t.Errorf("breaker is %s", b.State())
		}
		// It is back: the first probe finds it, over a new connection.
		if err := proxy.Set(faultnet.Faults{}); err != nil {
			t.Fatal(err)
		}
		<-time.After(17 * time.Second) // past the cooldown of 15 s and its jitter
		client.ResetConnections()
		if err := b.Run(t.Context(), reststore.DefaultTimeout, func(ctx context.Context) error {
			_, err := client.Head(ctx, "shop")
			return err
		}); err != nil || b.State() != breaker.Closed {
			t.Errorf("probe: %v; breaker is %s", err, b.State())
		}
	})
}

func outcome(err error) breaker.Outcome {
	switch {
	case err == nil:
		return breaker.Success
	case flags.ClassOf(err) == flags.ClassTransient:
		return breaker.Failure
	default:
		return breaker.Ignored
	}
}

// TestCutAnywhere: an answer that ends early, wherever, is an error and no set.
func TestCutAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		defer mem.Close()
		create(t, mem, "shop")
		head := write(t, mem, "shop", "x")
		proxy, client := faulty(t, mem, reststore.Options{})
		if _, err := client.Fetch(t.Context(), "shop", flags.Head{Set: "shop"}); err != nil {
			t.Fatal(err)
		}
		whole := proxy.Stats().Down
		for at := int64(1); at <= whole; at++ {
			client.ResetConnections()
			if err := proxy.Set(faultnet.Faults{Down: faultnet.Path{CutAfter: at}}); err != nil {
				t.Fatal(err)
			}
			u, err := client.Fetch(t.Context(), "shop", flags.Head{Set: "shop"})
			switch {
			case at == whole && (err != nil || u.Head != head):
				t.Errorf("whole: %v", err)
			case at < whole && (err == nil || flags.ClassOf(err) != flags.ClassTransient || u.Checkpoint != nil):
				t.Errorf("cut after %d of %d bytes: %+v, %v", at, whole, u, err)
			}
		}
	})
}

// TestBulkHasItsOwnTime: after the first answer a whole set may take longer than
// the budget, but not for ever.
func TestBulkHasItsOwnTime(t *testing.T) {
	for _, c := range []struct {
		pause time.Duration
		took  time.Duration
		fails bool
	}{{pause: 12 * time.Second, took: 12 * time.Second}, {pause: time.Minute, took: 30 * time.Second, fails: true}} {
		t.Run(c.pause.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := memstore.New(nil)
				defer mem.Close()
				create(t, mem, "shop")
				r := serve(t, mem, restapi.Options{})
				slow := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					r.ServeHTTP(&stutter{ResponseWriter: w, done: req.Context().Done(), pause: c.pause}, req)
				})
				client := dial(t, listen(t, slow), reststore.Options{})
				began := time.Now()
				_, err := client.Fetch(t.Context(), "shop", flags.Head{Set: "shop"})
				if took := time.Since(began); took != c.took || (err != nil) != c.fails {
					t.Errorf("%v after %v", err, took)
				}
				if err != nil && flags.ClassOf(err) != flags.ClassTransient {
					t.Errorf("class %s", flags.ClassOf(err))
				}
			})
		})
	}
}

// stutter pauses before its fifth write: behind the first part.
type stutter struct {
	http.ResponseWriter
	done   <-chan struct{}
	pause  time.Duration
	writes int
}

func (s *stutter) Write(b []byte) (int, error) {
	if s.writes++; s.writes == 5 {
		if err := http.NewResponseController(s.ResponseWriter).Flush(); err != nil {
			return 0, err
		}
		select {
		case <-time.After(s.pause):
		case <-s.done:
			return 0, fmt.Errorf("client has gone")
		}
	}
	return s.ResponseWriter.Write(b)
}
