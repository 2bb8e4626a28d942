package reststore_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/restapi"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/reststore"
)

// next takes an event that must come.
func next(t testing.TB, s flags.Stream) flags.Event {
	t.Helper()
	ev, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// until takes events until one leads to head, and returns it.
func until(t testing.TB, s flags.Stream, head flags.Head) flags.Event {
	t.Helper()
	for {
		if ev := next(t, s); ev.Head == head {
			return ev
		}
	}
}

func watch(t testing.TB, client *reststore.Store, have flags.Head) flags.Stream {
	t.Helper()
	s, err := client.Watch(t.Context(), "shop", have)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func clients(t testing.TB, r *rig) []hub.Client {
	t.Helper()
	sets := r.hub.Sets()
	if len(sets) != 1 {
		t.Fatalf("%d sets are followed", len(sets))
	}
	return sets[0].Clients()
}

// TestRouterKnowsItsWatchers: who they are, and what they answer from.
func TestRouterKnowsItsWatchers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		defer mem.Close()
		head := create(t, mem, "shop")
		r := serve(t, mem, restapi.Options{})
		id := reststore.Identity{Name: "check out&=", Language: "go", Version: "v1", Instance: "host:7"}
		s := watch(t, dial(t, r.lis, reststore.Options{Identity: id}), head)
		next(t, s)
		ack := flags.Ack{Head: head, Layers: map[string]string{"primary": "closed", "cache": strings.Repeat("x", 10_000)}}
		if err := s.Applied(ack); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got := clients(t, r)
		if len(got) != 1 || got[0].Identity != hub.Identity(id) || got[0].Applied.Head != head || got[0].Applied.Layers["primary"] != "closed" {
			t.Errorf("the router knows %+v", got)
		}
		if len(got[0].Applied.Layers["cache"]) > 256 {
			t.Error("the router keeps whatever clients say")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := clients(t, r); len(got) != 0 {
			t.Errorf("the router still knows %+v", got)
		}
		if err := s.Applied(ack); flags.ClassOf(err) != flags.ClassCanceled {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestConfirmations: a stream says how old its answers can be, and asks so that
// this is never much, also where another router than the stream's gives the answer.
func TestConfirmations(t *testing.T) {
	for name, refuse := range map[string]bool{"one router": false, "several routers": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := memstore.New(nil)
				defer mem.Close()
				head := create(t, mem, "shop")
				r := serve(t, mem, restapi.Options{})
				lis := listen(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					if refuse && req.Method == http.MethodPost {
						w.WriteHeader(http.StatusNotFound)
						return
					}
					r.ServeHTTP(w, req)
				}))
				s := watch(t, dial(t, lis, reststore.Options{}), head)
				for end := time.Now().Add(time.Minute); time.Now().Before(end); {
					ev := next(t, s)
					if age := time.Since(ev.AsOf); ev.Head != head || age > 10*time.Second {
						t.Fatalf("event of %s, %v old", ev.Head.Token(), age)
					}
				}
				// A change keeps what is known of it.
				head = write(t, mem, "shop", "x")
				if ev := until(t, s, head); time.Since(ev.AsOf) > 5*time.Second {
					t.Errorf("the change is %v old", time.Since(ev.AsOf))
				}
			})
		})
	}
}

// TestUnconfirmed is TestConfirmations without any: then age shows.
func TestUnconfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		defer mem.Close()
		head := create(t, mem, "shop")
		began := time.Now()
		s := watch(t, dial(t, serve(t, mem, restapi.Options{}).lis, reststore.Options{ConfirmEvery: time.Hour}), head)
		for time.Since(began) < time.Minute {
			if ev := next(t, s); !ev.AsOf.Equal(began) {
				t.Fatalf("a heartbeat alone made %s as of %v", ev.Head.Token(), ev.AsOf)
			}
		}
	})
}

// TestLargeChange: what is too large for an event is fetched, and is no reset.
func TestLargeChange(t *testing.T) {
	mem, client := pair(t, reststore.Options{})
	head := create(t, mem, "shop")
	s := watch(t, client, head)
	next(t, s)
	c := flags.Commit{Set: "shop"}
	for i := range 3 { // random, so that it does not compress to below a megabyte
		raw := make([]byte, 400<<10)
		_, _ = rand.Read(raw) // documented never to fail
		def := `{"defaultVariant":"v","state":"ENABLED","variants":{"v":"` + base64.StdEncoding.EncodeToString(raw) + `"}}`
		c.Changes = append(c.Changes, flags.Mutation{Key: flags.FlagKey(strconv.Itoa(i)), Bytes: []byte(def)})
	}
	head = apply(t, mem, c)
	if ev := until(t, s, head); ev.Checkpoint != nil || len(ev.Commits) != 1 || ev.Reset != "" {
		t.Errorf("checkpoint %v, %d commits, reset %q; want the commit", ev.Checkpoint != nil, len(ev.Commits), ev.Reset)
	}
	head = write(t, mem, "shop", "small")
	if ev := until(t, s, head); len(ev.Commits) != 1 {
		t.Errorf("%d commits after it", len(ev.Commits))
	}
}

// TestDrain: a router that goes away says when to come back, and ends the stream.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		defer mem.Close()
		head := create(t, mem, "shop")
		r := serve(t, mem, restapi.Options{})
		s := watch(t, dial(t, r.lis, reststore.Options{}), head)
		next(t, s)
		r.Drain()
		if ev := next(t, s); ev.RetryAfter <= 0 || ev.RetryAfter > 2*time.Second {
			t.Errorf("got %+v", ev)
		}
		if _, err := s.Next(); flags.ClassOf(err) != flags.ClassTransient {
			t.Errorf("then %v", err)
		}
	})
}

// TestWatchEnds: a watch ends by itself in time for clients to spread over routers
// again, and a silent one after the bulk deadline.
func TestWatchEnds(t *testing.T) {
	for name, c := range map[string]struct {
		opts     restapi.Options
		from, to time.Duration
	}{
		"of age":  {restapi.Options{}, 5 * time.Minute, 6 * time.Minute},
		"silence": {restapi.Options{Heartbeat: time.Hour}, 30 * time.Second, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := memstore.New(nil)
				defer mem.Close()
				head := create(t, mem, "shop")
				client := dial(t, serve(t, mem, c.opts).lis, reststore.Options{ConfirmEvery: time.Hour})
				began := time.Now()
				if err := firstError(t, client, head); flags.ClassOf(err) != flags.ClassTransient {
					t.Error(err)
				}
				if took := time.Since(began); took < c.from || took > c.to {
					t.Errorf("ended after %v", took)
				}
			})
		})
	}
}

// TestLeftover: what a router sends after a snapshot was fetched may have been in it.
func TestLeftover(t *testing.T) {
	mem, client := pair(t, reststore.Options{})
	create(t, mem, "shop")
	s := watch(t, client, flags.Head{Set: "shop"})
	var contents *flags.Contents
	var head flags.Head
	for i := range 50 {
		head = write(t, mem, "shop", strings.Repeat("x", i))
	}
	for contents == nil || contents.Head() != head {
		ev := next(t, s)
		if ev.Checkpoint != nil {
			contents = flags.ContentsOf(ev.Checkpoint)
		}
		for i := range ev.Commits {
			if err := contents.Apply(&ev.Commits[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAnotherTypeOfStream: a page that says 200 is no watch.
func TestAnotherTypeOfStream(t *testing.T) {
	client := answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("event: drain\n\n")) })
	if _, err := client.Watch(t.Context(), "shop", flags.Head{Set: "shop"}); !errors.Is(err, flags.ErrFormat) {
		t.Error(err)
	}
}
