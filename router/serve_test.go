package router_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func get(t testing.TB, lis *faultnet.Pipes, path string) (status int, body string) {
	t.Helper()
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return lis.DialContext(ctx) },
		DisableKeepAlives: true,
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://router"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// TestReadiness tells the truth about each layer.
func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newBreakable()
		r := serve(t, router.Options{Store: sick{st}})
		ready := func() (int, map[string]any) {
			status, body := get(t, r.ops, "/readyz")
			var v map[string]any
			if err := json.Unmarshal([]byte(body), &v); err != nil {
				t.Fatal(err)
			}
			return status, v
		}
		expect := func(when string, status int, from string) {
			t.Helper()
			got, v := ready()
			if got != status || v["answersFrom"] != from || v["ready"] != (status == http.StatusOK) {
				t.Errorf("%s: %d %v, want %d and %s", when, got, v, status, from)
			}
		}
		st.set(errDown, false)
		expect("before anything was loaded", http.StatusServiceUnavailable, "none")
		st.set(nil, false)
		expect("an empty store", http.StatusOK, "store")
		create(t, st, "shop")
		time.Sleep(11 * time.Second)
		st.set(errDown, false)
		expect("the store is down", http.StatusOK, "memory")
		if _, v := ready(); !strings.Contains(v["store"].(string), "out of order") {
			t.Errorf("does not say what is wrong: %v", v)
		}
		if status, _ := get(t, r.ops, "/livez"); status != http.StatusOK {
			t.Errorf("livez is %d", status)
		}
		if status, _ := get(t, r.ops, "/debug/pprof/"); status != http.StatusNotFound {
			t.Errorf("pprof answers %d without having been asked for", status)
		}
		_, metrics := get(t, r.ops, "/metrics")
		for _, want := range []string{`holdfast_router_revision{set="shop"} 1`, "grpc_server_handled_total", "go_goroutines"} {
			if !strings.Contains(metrics, want) {
				t.Errorf("metrics lack %s", want)
			}
		}
		st.set(nil, false)
	})
}

// sick lists sets only while it is well.
type sick struct{ *breakable }

func (s sick) Sets(ctx context.Context) ([]flags.Head, error) {
	if err := s.fault(ctx); err != nil {
		return nil, err
	}
	return s.Store.Sets(ctx)
}

// TestShutdown: writes are refused, watchers told, mirrors brought up to date,
// and only then the store is closed.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, b := memstore.New(nil), newBreakable()
		create(t, mem, "shop")
		b.delay = 200 * time.Millisecond // so that there is something to wait for
		r := serve(t, router.Options{Store: mem, Mirrors: mirrors(b)})
		client := r.client(t)
		stream, err := client.Watch(t.Context(), "shop", flags.Head{})
		if err != nil {
			t.Fatal(err)
		}
		var last flags.Head
		for i := range 50 {
			last = write(t, client, "shop", i)
		}
		began := time.Now()
		r.stop()
		if took := time.Since(began); took > time.Second {
			t.Errorf("shutting down an idle router took %v", took)
		}
		if got := b.at(t, "shop"); got != last {
			t.Errorf("mirror was left at %s, want %s", got.Token(), last.Token())
		}
		retry := time.Duration(0)
		for err == nil {
			var ev flags.Event
			if ev, err = stream.Next(); ev.RetryAfter > 0 {
				retry = ev.RetryAfter
			}
		}
		if retry == 0 {
			t.Errorf("the watcher was not told to leave: %v", err)
		}
		if _, err := mem.Head(t.Context(), "shop"); flags.ClassOf(err) != flags.ClassCanceled {
			t.Errorf("the store was not closed: %v", err)
		}
		_, _ = client.Close(), b.Close()
	})
}

// TestShutdownEndsHealthWatches: who watches the state is told, and keeps nobody
// waiting.
func TestShutdownEndsHealthWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		create(t, mem, "shop")
		r := serve(t, router.Options{Store: mem})
		conn, err := grpc.NewClient("passthrough:///router", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return r.grpc.DialContext(ctx) }))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		stream, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		state, err := stream.Recv()
		if err != nil || state.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Fatalf("state is %v, %v", state, err)
		}
		began := time.Now()
		r.stop()
		if took := time.Since(began); took > time.Second {
			t.Errorf("shutting down took %v", took)
		}
		var last healthpb.HealthCheckResponse_ServingStatus
		for err == nil {
			last = state.GetStatus()
			state, err = stream.Recv()
		}
		if last != healthpb.HealthCheckResponse_NOT_SERVING || status.Code(err) != codes.Unavailable {
			t.Errorf("the last state was %s, the end %v", last, err)
		}
	})
}

// TestShutdownIsBounded: what hangs is left behind after the drain timeout.
func TestShutdownIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, b := memstore.New(nil), newBreakable()
		create(t, mem, "shop")
		r := serve(t, router.Options{Store: mem, Mirrors: mirrors(b), DrainTimeout: 3 * time.Second})
		synctest.Wait()
		b.set(nil, true)
		write(t, mem, "shop", 1)
		synctest.Wait()
		began := time.Now()
		r.stop()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("took %v", took)
		}
		_ = b.Close()
	})
}

// stuck is a store that never gets a write done, and cannot load one of its sets.
type stuck struct{ *memstore.Store }

func (stuck) Apply(ctx context.Context, _ flags.Commit) (flags.Commit, error) {
	<-ctx.Done()
	return flags.Commit{}, errDown
}

func (s stuck) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	if set == "broken" {
		return nil, errDown
	}
	return s.Store.Watch(ctx, set, have)
}

// TestShutdownDuringAStuckWrite: the write is given up, later ones are refused at
// once, and watchers are told to leave all the same.
func TestShutdownDuringAStuckWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		create(t, mem, "shop")
		r := serve(t, router.Options{Store: stuck{mem}, DrainTimeout: 3 * time.Second})
		client := r.client(t)
		stream, err := client.Watch(t.Context(), "shop", flags.Head{})
		if err != nil {
			t.Fatal(err)
		}
		given := make(chan error, 1)
		go func() {
			_, err := client.Apply(context.Background(), flags.Commit{Set: "shop", ID: flags.NewCommitID()})
			given <- err
		}()
		synctest.Wait()
		began := time.Now()
		r.stop()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("took %v", took)
		}
		if err := <-given; flags.ClassOf(err) != flags.ClassTransient {
			t.Errorf("the writer was told %v", err)
		}
		told := false
		for err == nil {
			var ev flags.Event
			ev, err = stream.Next()
			told = told || ev.RetryAfter > 0
		}
		if !told {
			t.Errorf("the watcher was not told to leave: %v", err)
		}
		_ = client.Close()
	})
}

// TestOneBrokenSet: a set that cannot be loaded keeps no other from its mirrors.
func TestOneBrokenSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, b := memstore.New(nil), newBreakable()
		create(t, mem, "broken")
		head := create(t, mem, "shop")
		serve(t, router.Options{Store: stuck{mem}, Mirrors: mirrors(b)})
		synctest.Wait()
		if got := b.at(t, "shop"); got != head {
			t.Errorf("mirror is at %s, want %s", got.Token(), head.Token())
		}
		_ = b.Close()
	})
}

// TestCacheIsKeptCurrent: every change goes into the cache, and what does not
// change is confirmed before it expires.
func TestCacheIsKeptCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		create(t, mem, "shop")
		cache := memorycache.New(nil)
		layer := cachestrategy.NewLayer(cache, &cachestrategy.LayerOptions{Authoritative: func(flags.Lineage) bool { return true }})
		r := serve(t, router.Options{Store: mem, Caches: []router.Cache{{Name: "memory:", Sink: layer}}})
		var last flags.Head
		for i := range 30 {
			last = write(t, mem, "shop", i)
		}
		synctest.Wait()
		for range 10 {
			entry, err := layer.Lookup(t.Context(), "shop", flags.Head{})
			if err != nil || !entry.Usable(time.Now()) || entry.Head != last {
				t.Fatalf("cache has %+v until %v, %v", entry.Head, entry.ExpiresAt, err)
			}
			time.Sleep(45 * time.Second)
		}
		if s := r.Caches(); len(s) != 1 || s[0].Lag != 0 || s[0].Err != nil {
			t.Errorf("status is %+v", s)
		}
		r.stop()
		_ = cache.Close()
	})
}

// cutOff is a store that the router loses.
type cutOff struct {
	*memstore.Store
	mu      sync.Mutex
	down    bool
	streams []flags.Stream
}

func (c *cutOff) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = true
	for _, s := range c.streams {
		_ = s.Close()
	}
}

func (c *cutOff) Head(ctx context.Context, set string) (flags.Head, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return flags.Head{}, errDown
	}
	return c.Store.Head(ctx, set)
}

func (c *cutOff) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return nil, errDown
	}
	s, err := c.Store.Watch(ctx, set, have)
	c.streams = append(c.streams, s)
	return s, err
}

// TestCacheDoesNotOutliveTheStore: a router that has lost its store must not keep
// the cache fresh.
func TestCacheDoesNotOutliveTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &cutOff{Store: memstore.New(nil)}
		create(t, st, "shop")
		cache := memorycache.New(nil)
		layer := cachestrategy.NewLayer(cache, nil)
		r := serve(t, router.Options{Store: st, Caches: []router.Cache{{Name: "memory:", Sink: layer}}})
		synctest.Wait()
		st.lose()
		time.Sleep(5 * time.Minute)
		entry, err := layer.Lookup(t.Context(), "shop", flags.Head{})
		usable := entry.Usable(time.Now())
		if err != nil || usable || time.Since(entry.AsOf) < 4*time.Minute {
			t.Errorf("after five minutes without the store: usable %v, as of %v ago, %v", usable, time.Since(entry.AsOf), err)
		}
		r.stop()
		_ = cache.Close()
	})
}

// TestSeed: a new store begins with the sample, one that has anything is left alone.
func TestSeed(t *testing.T) {
	doc, err := router.Sample()
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Check(); err != nil {
		t.Fatal(err)
	}
	mem := memstore.New(nil)
	defer func() { _ = mem.Close() }()
	for i, want := range []bool{true, false} {
		did, err := router.Seed(t.Context(), mem, "default", doc, "the sample")
		if err != nil || did != want {
			t.Errorf("round %d: %v, %v", i, did, err)
		}
	}
	head, err := mem.Head(t.Context(), "default")
	if err != nil || head.Revision != 1 || head.Count != len(doc.Entries()) {
		t.Errorf("head is %+v, %v", head, err)
	}
}
