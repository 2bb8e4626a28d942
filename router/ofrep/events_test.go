package ofrep_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/ofrep"
)

// event is what a browser would hand to a page, or a comment or retry by itself.
type event struct {
	id, name, data, comment, retry string
}

// follower is a client on an event stream.
type follower struct {
	t    testing.TB
	resp *http.Response
	in   *bufio.Reader
	stop context.CancelFunc
}

func serve(t testing.TB, h http.Handler) *httptest.Server {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func follow(t testing.TB, srv *httptest.Server, query string, headers ...string) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+sse+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := srv.Client().Do(req) //nolint:bodyclose // by stop
	if err != nil {
		t.Fatal(err)
	}
	f := &follower{t: t, resp: resp, in: bufio.NewReader(resp.Body), stop: func() { cancel(); _ = resp.Body.Close() }}
	t.Cleanup(f.stop)
	return f
}

// next returns what comes next; io.EOF ends it.
func (f *follower) next() (ev event, err error) {
	for {
		line, err := f.in.ReadString('\n')
		if err != nil {
			return ev, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "\n":
			return ev, nil
		case name == "":
			ev.comment = value
		case name == "id":
			ev.id = value
		case name == "event":
			ev.name = value
		case name == "data":
			ev.data = value
		case name == "retry":
			ev.retry = value
		default:
			f.t.Errorf("a line %q", line)
		}
	}
}

// expect wants a refetch event of a revision, possibly after others.
func (f *follower) expect(revision string) {
	f.t.Helper()
	for {
		ev, err := f.next()
		if err != nil {
			f.t.Fatal(err)
		}
		if ev.comment != "" {
			continue
		}
		var data struct{ Type, Etag string }
		if err := json.Unmarshal([]byte(ev.data), &data); err != nil || ev.name != "message" || data.Type != "refetchEvaluation" || data.Etag != ev.id {
			f.t.Fatalf("event %+v: %v", ev, err)
		}
		if ev.id == revision {
			return
		}
	}
}

func TestEvents(t *testing.T) {
	r, token := filledRig(t)
	shop := r.put("shop", "bool", definitions[1])
	srv := serve(t, r)

	// One with nothing is told to fetch: what it fetched before may be old by now.
	a := follow(t, srv, "?channels=default")
	if a.resp.StatusCode != 200 || a.resp.Header.Get("Content-Type") != "text/event-stream" || a.resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", a.resp.StatusCode, a.resp.Header)
	}
	a.expect(token.String())
	other := follow(t, srv, "?channels=shop")
	other.expect(shop.String())
	byHeader := follow(t, srv, "", selector, "flagSetId=shop")
	byHeader.expect(shop.String())

	// One that is where the set is hears of the next change only.
	b := follow(t, srv, "", "Last-Event-ID", token.String())
	if ev, err := b.next(); err != nil || ev.comment == "" || ev.id != "" || ev.data != "" {
		t.Errorf("nothing is new, but %+v, %v", ev, err)
	}
	next := r.put("default", "bool", `{"variants":{"on":false},"defaultVariant":"on"}`)
	a.expect(next.String())
	b.expect(next.String())

	// One that comes back has missed something.
	b.stop()
	last := r.metadata("default", "team", `"new"`)
	a.expect(last.String())
	b = follow(t, srv, "", "Last-Event-ID", next.String())
	b.expect(last.String())

	// What an event says leads to what it is about.
	list := decode[answers](t, r.ask(http.MethodPost, bulk+"?flagConfigEtag="+last.String(), ""), http.StatusOK)
	if list.Metadata["team"] != "new" {
		t.Errorf("after the event: %v", list.Metadata)
	}

	// A router that stops says when to come back, and ends the stream.
	r.Drain()
	for _, f := range []*follower{a, b, other, byHeader} {
		for ended := false; !ended; {
			ev, err := f.next()
			if err != nil {
				t.Fatalf("cut off without a word: %v", err)
			}
			ended = ev.retry != ""
		}
		if _, err := f.next(); !errors.Is(err, io.EOF) {
			t.Errorf("after the last word: %v", err)
		}
	}
}

func TestEventsOfWhatIsNotThere(t *testing.T) {
	r := newRig(t, ofrep.Options{Streams: 1}, evaluator.Options{})
	srv := serve(t, r)
	for query, want := range map[string]int{"?channels=none": 404, "?channels=a%2Fb": 404} {
		if f := follow(t, srv, query); f.resp.StatusCode != want {
			t.Errorf("%s: %d", query, f.resp.StatusCode)
		}
	}
	first := follow(t, srv, "")
	if _, err := first.next(); err != nil {
		t.Fatal(err)
	}
	if f := follow(t, srv, ""); f.resp.StatusCode != 503 || f.resp.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d", f.resp.StatusCode)
	}
	first.stop()
	for f := follow(t, srv, ""); f.resp.StatusCode != 200; f = follow(t, srv, "") {
		f.stop() // the server notices in a moment
	}
}

// TestHeartbeats: a stream is never silent for long.
func TestHeartbeats(t *testing.T) {
	r := newRig(t, ofrep.Options{Heartbeat: time.Millisecond}, evaluator.Options{})
	f := follow(t, serve(t, r), "")
	comments := 0
	for comments < 5 {
		ev, err := f.next()
		if err != nil {
			t.Fatal(err)
		}
		if ev.comment != "" {
			comments++
		}
	}
}

// TestSlowReader: a client that does not read is cut off; it holds up nobody, and what
// is kept for it does not grow.
func TestSlowReader(t *testing.T) {
	r := newRig(t, ofrep.Options{Heartbeat: 10 * time.Microsecond, WriteTimeout: 50 * time.Millisecond}, evaluator.Options{})
	ended := make(chan struct{})
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.ServeHTTP(w, req)
		if req.Header.Get("X-Stuck") != "" {
			close(ended)
		}
	}))
	srv.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateNew { // so that the kernel takes no megabytes before it says stop
			_ = c.(*net.TCPConn).SetWriteBuffer(4 << 10)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	if _, err := io.WriteString(conn, "GET "+sse+" HTTP/1.1\r\nHost: x\r\nX-Stuck: 1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	good := follow(t, srv, "")
	go func() { // it reads on all the time
		for {
			if _, err := good.next(); err != nil {
				return
			}
		}
	}()
	<-ended
	if got := decode[answers](t, r.all(""), http.StatusOK); got.Flags == nil {
		t.Errorf("meanwhile: %+v", got)
	}
	good.stop()
}
