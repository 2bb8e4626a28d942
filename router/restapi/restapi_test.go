package restapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/restapi"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is the API over a store in memory.
type rig struct {
	t   testing.TB
	mem *memstore.Store
	hub *hub.Hub
	*restapi.Service
}

func newRig(t testing.TB, opts restapi.Options) *rig {
	t.Helper()
	mem := memstore.New(nil)
	r := &rig{t: t, mem: mem, hub: hub.New(mem, nil)}
	if opts.Store == nil {
		opts.Store = mem
	}
	opts.Hub = r.hub
	r.Service = restapi.New(opts)
	t.Cleanup(func() {
		r.hub.Close()
		_ = mem.Close()
	})
	return r
}

const on = `{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`

func (r *rig) create(set string) flags.Head {
	return r.apply(flags.Commit{Set: set, Op: flags.OpCreate})
}

func (r *rig) write(set, flag string) flags.Head {
	return r.apply(flags.Commit{Set: set, Reason: "because", Changes: []flags.Mutation{{Key: flags.FlagKey(flag), Bytes: []byte(on)}}})
}

func (r *rig) apply(c flags.Commit) flags.Head {
	r.t.Helper()
	c.ID = flags.NewCommitID()
	accepted, err := r.mem.Apply(r.t.Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return accepted.Head()
}

// get asks with headers given as name and value in turn.
func (r *rig) get(path string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.ask(http.MethodGet, path, "", headers...)
}

func (r *rig) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

// decode wants an answer of 200 in JSON.
func decode[T any](t testing.TB, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return v
}

func TestRead(t *testing.T) {
	r := newRig(t, restapi.Options{})
	first := r.create("shop")
	r.create("other")
	head := r.write("shop", "a")
	token := head.Token().String()

	sets := decode[struct{ Sets []restwire.Head }](t, r.get("/api/v1/sets"))
	if len(sets.Sets) != 2 || sets.Sets[1].Token != token {
		t.Errorf("sets: %+v", sets)
	}
	w := r.get("/api/v1/sets/shop/head")
	m := decode[restwire.Head](t, w)
	if got, err := m.ToHead(); err != nil || got != head || w.Header().Get("ETag") != `"`+token+`"` || w.Header().Get("Holdfast-Revision") != token {
		t.Errorf("head: %+v, %v, %v", got, err, w.Header())
	}
	w = r.get("/api/v1/sets/shop/snapshot")
	doc, err := flags.ParseDocument(w.Body.Bytes(), "snapshot")
	if err != nil || len(doc.Entries()) != 1 || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("ETag") != `"`+token+`"` {
		t.Errorf("snapshot: %s, %v, %v", w.Body, err, w.Header())
	}
	for _, etag := range []string{`"` + token + `"`, `"x", W/"` + token + `"`, "*"} {
		for _, path := range []string{"head", "snapshot"} {
			if w := r.get("/api/v1/sets/shop/"+path, "If-None-Match", etag); w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header().Get("Holdfast-Revision") != token {
				t.Errorf("%s with %s: %d %s", path, etag, w.Code, w.Body)
			}
		}
	}
	if w := r.get("/api/v1/sets/shop/snapshot", "If-None-Match", `"`+first.Token().String()+`"`); w.Code != http.StatusOK {
		t.Errorf("with an old tag: %d", w.Code)
	}
	w = r.get("/api/v1/sets/shop/snapshot", "Accept", "text/html, "+restwire.FramesType+";q=0.9")
	got, err := restwire.ReadParts(w.Body, nil)
	if err != nil || got.Head != head || got.Checkpoint == nil || w.Header().Get("ETag") != `W/"`+token+`"` || w.Header().Get("Vary") != "Accept" {
		t.Errorf("frames: %+v, %v, %v", got, err, w.Header())
	}
	w = r.get("/api/v1/sets/shop/export?format=yaml")
	if !strings.Contains(w.Body.String(), "defaultVariant: ") || !strings.Contains(w.Header().Get("Content-Disposition"), "shop.flagd.yaml") {
		t.Errorf("export: %s %v", w.Body, w.Header())
	}
	if w := r.get("/api/v1/sets/shop/export"); w.Body.String() != r.get("/api/v1/sets/shop/snapshot").Body.String() {
		t.Errorf("export and snapshot differ: %s", w.Body)
	}
}

func TestAfter(t *testing.T) {
	r := newRig(t, restapi.Options{})
	first := r.create("shop")
	for i := range 5 {
		r.write("shop", fmt.Sprint("f", i))
	}
	type lead struct {
		Head     restwire.Head
		Commits  []struct{ Revision uint64 }
		Reset    string
		Snapshot *struct{ Flags map[string]any }
	}
	stranger := first.Token()
	stranger.Lineage = flags.NewLineage()
	for after, want := range map[string]int{
		"1": 5, first.Token().String(): 5, "shop@0.4": 2, "0.5": 1, "6": 0, "5&digest=" + strings.Repeat("0", 32): -1,
		"99": -1, "7.1": -1, stranger.String(): -1,
	} {
		got := decode[lead](t, r.get("/api/v1/sets/shop/snapshot?after="+after))
		switch {
		case got.Head.Revision != 6:
			t.Errorf("after %s: %+v", after, got)
		case want < 0 && (got.Reset == "" || got.Snapshot == nil || len(got.Snapshot.Flags) != 5 || len(got.Commits) > 0):
			t.Errorf("after %s: %+v, want the set and why", after, got)
		case want >= 0 && (len(got.Commits) != want || got.Snapshot != nil):
			t.Errorf("after %s: %+v, want %d commits", after, got, want)
		}
	}
	if err := r.mem.Compact(t.Context(), "shop", 1); err != nil {
		t.Fatal(err)
	}
	if w := r.get("/api/v1/sets/shop/history?from=1"); w.Code != http.StatusGone || !strings.Contains(w.Body.String(), "#compacted") {
		t.Errorf("compacted: %d %s", w.Code, w.Body)
	}
}

func TestHistory(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	for i := range 9 {
		r.write("shop", fmt.Sprint("f", i))
	}
	r.apply(flags.Commit{Set: "shop", Changes: []flags.Mutation{{Key: flags.FlagKey("f0")}}})
	type page struct {
		Commits []struct {
			Revision uint64
			Op       string
			Reason   string
			Changes  []struct {
				Kind, Name string
				Value      json.RawMessage
				Deleted    bool
			}
		}
		Next string
	}
	for query, want := range map[string]string{
		"": "[1 2 3 4 5 6 7 8 9 10 11] ", "?limit=3": "[9 10 11] ", "?from=2&limit=2": "[2 3] 0.4", "?from=10&to=99": "[10 11] ",
		"?from=shop@0.3&to=4": "[3 4] ", "?from=12": "[] ",
	} {
		p := decode[page](t, r.get("/api/v1/sets/shop/history"+query))
		revisions := []uint64{}
		for _, c := range p.Commits {
			revisions = append(revisions, c.Revision)
		}
		if got := fmt.Sprint(revisions, " ", p.Next); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	p := decode[page](t, r.get("/api/v1/sets/shop/history?from=10"))
	if c := p.Commits[0]; c.Op != "change" || c.Reason != "because" || c.Changes[0].Name != "f8" || string(c.Changes[0].Value) != on {
		t.Errorf("got %+v", c)
	}
	if c := p.Commits[1].Changes[0]; !c.Deleted || c.Value != nil {
		t.Errorf("deleted: %+v", c)
	}
}

// thrifty is a store that sends fewer commits at a time than it is asked for, as stores
// do where commits are large.
type thrifty struct{ *memstore.Store }

func (s thrifty) Commits(ctx context.Context, set string, from, to flags.Version, _ int) ([]flags.Commit, error) {
	return s.Store.Commits(ctx, set, from, to, 2)
}

// TestHistoryInPieces: an answer that the store has cut short says where to go on from.
func TestHistoryInPieces(t *testing.T) {
	mem := memstore.New(nil)
	r := newRig(t, restapi.Options{Store: thrifty{mem}})
	defer func() { _ = mem.Close() }()
	for i, c := range []flags.Commit{{Op: flags.OpCreate}, {}, {}, {}, {}} {
		c.Set, c.ID = "shop", flags.NewCommitID()
		if c.Op == flags.OpChange {
			c.Changes = []flags.Mutation{{Key: flags.FlagKey(fmt.Sprint("f", i)), Bytes: []byte(on)}}
		}
		if _, err := mem.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	var got []uint64
	for next, asked := "", 0; asked < 9; asked++ {
		p := decode[struct {
			Commits []struct{ Revision uint64 }
			Next    string
		}](t, r.get("/api/v1/sets/shop/history?from="+next+"&to=9"))
		for _, c := range p.Commits {
			got = append(got, c.Revision)
		}
		if next = p.Next; next == "" {
			break
		}
	}
	if fmt.Sprint(got) != "[1 2 3 4 5]" {
		t.Errorf("got %v", got)
	}
}

func TestProblems(t *testing.T) {
	r := newRig(t, restapi.Options{})
	head := r.create("shop")
	other := head.Token()
	other.Lineage = flags.NewLineage()
	ahead := head.Token()
	ahead.Revision = 9
	for _, c := range []struct {
		method, path string
		status       int
		want         string
		headers      []string
	}{
		{"GET", "/api/v1/sets/nowhere/head", 404, "#not-found", nil},
		{"GET", "/api/v1/sets/nowhere/snapshot", 404, "#not-found", nil},
		{"GET", "/api/v1/sets/nowhere/watch", 404, "#not-found", nil},
		{"GET", "/api/v1/sets/nowhere/history", 404, "#not-found", nil},
		{"GET", "/api/v1/sets/nowhere/export", 404, "#not-found", nil},
		{"GET", "/api/v1/else", 404, "no such resource", nil},
		{"GET", "/api/v2/sets", 404, "no such resource", nil},
		{"POST", "/api/v1/sets", 405, "POST", nil},
		{"DELETE", "/api/v1/sets/shop/snapshot", 405, "DELETE", nil},
		{"GET", "/api/v1/sets/shop/watch/x/applied", 405, "GET", nil},
		{"POST", "/api/v1/sets/shop/watch/x/applied", 404, "no such watch", nil},
		{"GET", "/api/v1/sets/shop/snapshot?after=x", 400, "want a number", nil},
		{"GET", "/api/v1/sets/shop/snapshot?after=other@0.1", 400, "another set", nil},
		{"GET", "/api/v1/sets/shop/snapshot?after=1&digest=x", 400, "32 hexadecimal", nil},
		{"GET", "/api/v1/sets/shop/watch?after=-1", 400, "want a number", nil},
		{"GET", "/api/v1/sets/shop/watch", 400, "want a number", []string{"Last-Event-ID", "x"}},
		{"GET", "/api/v1/sets/shop/history?limit=0", 400, "1 to 1000", nil},
		{"GET", "/api/v1/sets/shop/history?limit=1001", 400, "1 to 1000", nil},
		{"GET", "/api/v1/sets/shop/export?format=xml", 400, "json or yaml", nil},
		{"GET", "/api/v1/sets/shop/head", 400, "token", []string{"Holdfast-Revision", "x"}},
		{"GET", "/api/v1/sets/shop/head", 400, "asked of set", []string{"Holdfast-Revision", "other@0.1"}},
		{"GET", "/api/v1/sets/shop/head", 412, "#revision-not-reached", []string{"Holdfast-Revision", ahead.String()}},
		{"GET", "/api/v1/sets/shop/snapshot", 412, "#revision-not-reached", []string{"Holdfast-Revision", "shop@1.0"}},
		{"GET", "/api/v1/sets/shop/watch", 412, "#another-lineage", []string{"Holdfast-Revision", other.String()}},
		{"GET", "/api/v1/sets", 401, "Bearer", []string{"Authorization", "Basic eDp5"}},
	} {
		w := r.ask(c.method, c.path, "", c.headers...)
		p, ok := restwire.ParseProblem(w.Header().Get("Content-Type"), w.Body.Bytes())
		if w.Code != c.status || !ok || p.Status != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s %v: %d %s", c.method, c.path, c.headers, w.Code, w.Body)
		}
		if c.status == 412 && (p.Token != head.Token().String() || w.Header().Get("Holdfast-Revision") != p.Token) {
			t.Errorf("%s: 412 does not say where the set is: %s", c.path, w.Body)
		}
	}
	if w := r.ask("DELETE", "/api/v1/sets/shop/snapshot", ""); w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("allowed are %q", w.Header().Get("Allow"))
	}
	if w := r.get("/api/v1/sets/shop/snapshot?after=x"); w.Header().Get("ETag") != "" {
		t.Errorf("a problem has the entity tag %s", w.Header().Get("ETag"))
	}
	if w := r.get("/api/v1/sets/shop/head", "Holdfast-Revision", head.Token().String()); w.Code != http.StatusOK {
		t.Errorf("a revision that is there: %d", w.Code)
	}
}

// lagging is a store that learns of writes later, as a relay's is.
type lagging struct {
	*memstore.Store
	mu    sync.Mutex
	shown flags.Head
}

// show shows the head that write leaves. Nobody reads the old one any more once the write is heard of.
func (l *lagging) show(write func() flags.Head) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shown = write()
}

func (l *lagging) Head(ctx context.Context, set string) (flags.Head, error) {
	if _, err := l.Store.Head(ctx, set); err != nil {
		return flags.Head{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shown, nil
}

// TestRevisionToCome: a router that is behind gets a quarter of a second to catch up.
func TestRevisionToCome(t *testing.T) {
	for delay, status := range map[time.Duration]int{200 * time.Millisecond: http.StatusOK, 300 * time.Millisecond: http.StatusPreconditionFailed} {
		synctest.Test(t, func(t *testing.T) {
			l := &lagging{Store: memstore.New(nil)}
			defer l.Close()
			r := newRig(t, restapi.Options{Store: l})
			r.mem = l.Store
			h := hub.New(l.Store, nil)
			defer h.Close()
			svc := restapi.New(restapi.Options{Store: l, Hub: h})
			r.Service = svc
			l.show(func() flags.Head { return r.create("shop") })
			if w := r.get("/api/v1/sets/shop/snapshot"); w.Code != http.StatusOK {
				t.Fatal(w.Body)
			}
			want := flags.Token{Set: "shop", Version: flags.Version{Revision: 2}}
			time.AfterFunc(delay, func() { l.show(func() flags.Head { return r.write("shop", "a") }) })
			began := time.Now()
			w := r.get("/api/v1/sets/shop/head", "Holdfast-Revision", want.String())
			if took := time.Since(began); w.Code != status || took > 250*time.Millisecond {
				t.Errorf("after %v: %d in %v, want %d", delay, w.Code, took, status)
			}
			<-time.After(time.Second) // the write comes in any case
		})
	}
}

// noneOf lets nobody at one set.
type noneOf string

func (n noneOf) Authenticate(authz.Credentials) (authz.Principal, error) {
	return authz.Principal{}, nil
}

func (n noneOf) Decide(_ authz.Principal, _ authz.Action, set string) error {
	if set == string(n) {
		return authz.ErrDenied
	}
	return nil
}

// TestEveryHandlerAsks: what is not allowed is neither answered nor listed.
func TestEveryHandlerAsks(t *testing.T) {
	r := newRig(t, restapi.Options{Policy: noneOf("secret")})
	r.create("secret")
	r.create("shop")
	for _, what := range []string{"head", "snapshot", "watch", "history", "export"} {
		if w := r.get("/api/v1/sets/secret/" + what); w.Code != http.StatusForbidden || w.Header().Get("Holdfast-Revision") != "" {
			t.Errorf("%s: %d %v", what, w.Code, w.Header())
		}
	}
	if w := r.ask(http.MethodPost, "/api/v1/sets/secret/watch/x/applied", "{}", "Content-Type", "application/json"); w.Code != http.StatusForbidden {
		t.Errorf("applied: %d", w.Code)
	}
	if w := r.get("/api/v1/sets"); strings.Contains(w.Body.String(), "secret") || !strings.Contains(w.Body.String(), "shop") {
		t.Errorf("sets: %s", w.Body)
	}
	deny := newRig(t, restapi.Options{Policy: noneOf("")})
	if w := deny.get("/api/v1/sets"); w.Code != http.StatusForbidden {
		t.Errorf("sets: %d", w.Code)
	}
}

// down is a store that is not there.
type down struct{ *memstore.Store }

func (d down) Head(context.Context, string) (flags.Head, error) {
	return flags.Head{}, &flags.SourceError{Class: flags.ClassTransient, Op: "down: head", Err: store.ErrClosed}
}

func TestStoreDown(t *testing.T) {
	r := newRig(t, restapi.Options{Store: down{memstore.New(nil)}})
	if w := r.get("/api/v1/sets/shop/head"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

// connect serves r in memory and returns a client of it.
func connect(t testing.TB, r *rig) *http.Client {
	t.Helper()
	lis := faultnet.NewPipes()
	// The limits of a router's server, which a watch must outlive.
	server := &http.Server{Handler: r, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(lis) }) // ends with Close
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return lis.DialContext(ctx) }}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		running.Wait()
	})
	return &http.Client{Transport: transport}
}

// open opens a watch of the set "shop", until the test ends.
func open(t testing.TB, client *http.Client, query, lastID string) (http.Header, *restwire.EventReader) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://router/api/v1/sets/shop/watch"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", lastID)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp.Header, restwire.NewEventReader(resp.Body)
}

func event(t testing.TB, events *restwire.EventReader) restwire.Event {
	t.Helper()
	ev, err := events.Next()
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// TestWatch: what somebody with curl sees, over hours.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, restapi.Options{WatchFor: 3 * time.Hour})
		first := r.create("shop")
		client := connect(t, r)
		header, events := open(t, client, "", "")
		if header.Get("Content-Type") != "text/event-stream" || header.Get("Holdfast-Revision") != first.Token().String() {
			t.Errorf("headers %v", header)
		}
		if ev := event(t, events); ev.Name != "reset" || ev.ID != first.Token().String() || strings.Contains(string(ev.Data), "reason") {
			t.Errorf("to who has nothing: %+v", ev)
		}
		head := r.write("shop", "a")
		ev := event(t, events)
		if ev.Name != "commits" || ev.ID != head.Token().String() || !strings.Contains(string(ev.Data), `"value":`+on) {
			t.Errorf("got %s %s %s", ev.Name, ev.ID, ev.Data)
		}
		began, beats := time.Now(), 0
		for ; time.Since(began) < 2*time.Hour; beats++ {
			if ev := event(t, events); ev.Name != "heartbeat" || ev.ID != head.Token().String() {
				t.Fatalf("got %+v", ev)
			}
		}
		if beats != 720 {
			t.Errorf("%d heartbeats in two hours", beats)
		}
		// A browser comes back with the id it saw last, whatever the query says.
		_, again := open(t, client, "?after=1", head.Token().String())
		if ev := event(t, again); ev.Name != "heartbeat" {
			t.Errorf("to who is at the head: %+v", ev)
		}
		_, again = open(t, client, "?after=1", "")
		if ev := event(t, again); ev.Name != "commits" {
			t.Errorf("to who is behind: %+v", ev)
		}
		_, again = open(t, client, "?after=77", "")
		if ev := event(t, again); ev.Name != "reset" || !strings.Contains(string(ev.Data), "ahead") {
			t.Errorf("to who is ahead: %+v", ev)
		}
		r.Drain()
		for ev = event(t, events); ev.Name != "drain"; ev = event(t, events) {
		}
		if ev.Retry <= 0 {
			t.Errorf("drain without a time to come back: %+v", ev)
		}
		if _, err := events.Next(); err == nil {
			t.Error("the stream goes on after the drain")
		}
	})
}

// TestSlowClient: who does not read is cut off after a while, holding nothing, and
// goes on from the last event it saw.
func TestSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, restapi.Options{})
		first := r.create("shop")
		client := connect(t, r)
		_, events := open(t, client, "?after=1", "")
		event(t, events)
		// A pipe has no buffer: what is not read keeps its writer waiting. The
		// client's own buffer takes a few KiB.
		big := strings.Repeat("x", 600<<10)
		r.apply(flags.Commit{Set: "shop", Changes: []flags.Mutation{{Key: flags.FlagKey("b"), Bytes: []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":"` + big + `"}}`)}}})
		following := func() int { return len(r.hub.Sets()[0].Clients()) }
		<-time.After(9 * time.Second)
		if following() != 1 {
			t.Error("cut off too early")
		}
		<-time.After(2 * time.Second)
		if following() != 0 {
			t.Error("a client that reads nothing is still served")
		}
		head := r.write("shop", "c")
		_, events = open(t, client, "", first.Token().String())
		if ev := event(t, events); ev.ID != head.Token().String() {
			t.Errorf("went on with %s %s", ev.Name, ev.ID)
		}
	})
}

// TestReport: only the client of a watch can report for it.
func TestReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, restapi.Options{})
		head := r.create("shop")
		r.create("other")
		header, events := open(t, connect(t, r), "", "")
		event(t, events)
		id := header.Get("Holdfast-Watch")
		m := restwire.FromHead(head)
		good, err := json.Marshal(restwire.Applied{Head: &m})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			set, id, body, media, auth string
			status                     int
		}{
			{"shop", id, string(good), "application/json", "", 200},
			{"shop", id, "{}", "application/json; charset=utf-8", "", 200},
			{"shop", "guess", string(good), "application/json", "", 404},
			{"other", id, string(good), "application/json", "", 404},
			{"shop", id, string(good), "application/json", "Bearer somebody-else", 404},
			{"shop", id, string(good), "text/plain", "", 415},
			{"shop", id, "{", "application/json", "", 400},
			{"shop", id, strings.Replace(string(good), "shop", "other", 1), "application/json", "", 400},
			{"shop", id, `{"layers":{"a":"` + strings.Repeat("x", 70<<10) + `"}}`, "application/json", "", 413},
		} {
			w := r.ask(http.MethodPost, "/api/v1/sets/"+c.set+"/watch/"+c.id+"/applied", c.body, "Content-Type", c.media, "Authorization", c.auth)
			if w.Code != c.status {
				t.Errorf("%+v: %d %s", c, w.Code, w.Body)
			}
		}
		if got := r.hub.Sets()[0].Clients()[0]; got.Applied.Head != head {
			t.Errorf("the router knows %+v", got)
		}
	})
}
