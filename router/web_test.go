package router_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/reststore"
)

// serveHTTP serves the HTTP port of a router on loopback, until the test ends or stop is
// called.
func serveHTTP(t testing.TB, opts router.Options) (address string, stop func()) {
	t.Helper()
	lis := listen(t)
	stop = run(t, router.New(opts), router.Listeners{HTTP: lis, HTTPName: "flags.internal"})
	return lis.Addr().String(), stop
}

// TestOnlyLocalNames: a page of another site, which reaches this machine by a name
// of its own, is turned away from everything.
func TestOnlyLocalNames(t *testing.T) {
	mem := memstore.New(nil)
	create(t, mem, "default")
	address, _ := serveHTTP(t, router.Options{Store: mem})
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for host, want := range map[string]int{
		address: 200, "localhost": 200, "LOCALHOST:" + port: 200, "localhost.": 200, "127.0.0.1": 200, "127.8.8.8": 200, "[::1]:" + port: 200, "[::1]": 200,
		"flags.internal": 200, "Flags.Internal.:" + port: 200, "internal": 421, "a.flags.internal": 421,
		"evil.example": 421, "evil.example:" + port: 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "10.0.0.1": 421, "[::2]": 421,
	} {
		for _, path := range []string{"/", "/static/page.css", "/api/v1/sets", "/api/v1/sets/default/head"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = host
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s by the name %q: %d, want %d", path, host, resp.StatusCode, want)
			}
		}
	}
}

// TestRESTPrimary: a router as it is run, followed over REST until it stops. It
// does not wait for streams to end by themselves.
func TestRESTPrimary(t *testing.T) {
	mem := memstore.New(nil)
	head := create(t, mem, "default")
	address, stop := serveHTTP(t, router.Options{Store: mem, DrainTimeout: time.Minute})
	client, err := reststore.Open("rest+http://"+address, &reststore.Options{Identity: reststore.Identity{Name: "app"}, HeadTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	stream, err := client.Watch(t.Context(), "default", head)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	follow := func(until func(flags.Event) bool) {
		t.Helper()
		for {
			ev, err := stream.Next()
			if err != nil {
				t.Fatal(err)
			}
			if until(ev) {
				return
			}
		}
	}
	head = write(t, mem, "default", 1)
	follow(func(ev flags.Event) bool { return ev.Head == head && len(ev.Commits) == 1 })
	began := time.Now()
	stop()
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("stopping took %v", took)
	}
	follow(func(ev flags.Event) bool { return ev.RetryAfter > 0 })
	if _, err := stream.Next(); flags.ClassOf(err) != flags.ClassTransient {
		t.Errorf("after the drain: %v", err)
	}
}

// TestAPIBesideThePage: both are served by one listener, and know their own errors.
func TestAPIBesideThePage(t *testing.T) {
	mem := memstore.New(nil)
	create(t, mem, "default")
	address, _ := serveHTTP(t, router.Options{Store: mem})
	for path, media := range map[string]string{
		"/": "text/html; charset=utf-8", "/api/v1/sets": "application/json", "/api/v1/nothing": "application/problem+json",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Close = true
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.Header.Get("Content-Type") != media || media != "text/html; charset=utf-8" && !json.Valid(body) {
			t.Errorf("%s: %v %s, %v", path, resp.Header, body, err)
		}
	}
}

// TestOnlyLocalNamesElsewhere: nor does such a page evaluate flags, or learn by the ops
// listener which sets there are.
func TestOnlyLocalNamesElsewhere(t *testing.T) {
	mem := memstore.New(nil)
	create(t, mem, "default")
	on := router.Listeners{Eval: listen(t), Ops: listen(t), EvalName: "eval.internal", OpsName: "ops.internal"}
	run(t, router.New(router.Options{Store: mem}), on)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	eval, ops := on.Eval.Addr().String(), on.Ops.Addr().String()
	for _, c := range []struct {
		method, url, host string
		want              int
	}{
		{"POST", eval + "/flagd.evaluation.v1.Service/ResolveAll", "localhost", 200},
		{"POST", eval + "/flagd.evaluation.v1.Service/ResolveAll", "eval.internal:8013", 200},
		{"POST", eval + "/flagd.evaluation.v1.Service/ResolveAll", "evil.example", 421},
		{"GET", ops + "/livez", ops, 200}, {"GET", ops + "/livez", "ops.internal", 200}, {"GET", ops + "/metrics", "evil.example", 421},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+c.url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s by the name %q: %d, want %d", c.url, c.host, resp.StatusCode, c.want)
		}
	}
}
