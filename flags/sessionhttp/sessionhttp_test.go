package sessionhttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/sessionhttp"
	"github.com/holdfast-flags/holdfast/internal/session/sessiontest"
)

// serve starts a real server.
func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// get asks a server, with a token if there is one.
func get(ctx context.Context, t *testing.T, c *http.Client, url, token string) (body string, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set(sessionhttp.Header, token)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), resp.Header
}

// The answer names what it was answered from, in whatever way it is written.
func TestResponseNamesRevision(t *testing.T) {
	st := sessiontest.NewStore(t)
	c := sessiontest.NewClient(t, st, nil)
	want := c.Token(t.Context()).String()
	touch := func(r *http.Request) { c.Bool(r.Context(), sessiontest.Flag, sessiontest.Anyone, false) }
	for name, handler := range map[string]http.HandlerFunc{
		"nothing written": func(_ http.ResponseWriter, r *http.Request) { touch(r) },
		"body":            func(w http.ResponseWriter, r *http.Request) { touch(r); io.WriteString(w, "hello") },
		"status":          func(w http.ResponseWriter, r *http.Request) { touch(r); w.WriteHeader(http.StatusTeapot) },
		"not modified":    func(w http.ResponseWriter, r *http.Request) { touch(r); w.WriteHeader(http.StatusNotModified) },
		"file":            func(w http.ResponseWriter, r *http.Request) { touch(r); io.Copy(w, strings.NewReader("hello")) },
		"flush": func(w http.ResponseWriter, r *http.Request) {
			touch(r)
			w.(http.Flusher).Flush()
			io.WriteString(w, "hello")
		},
		"flush by the controller": func(w http.ResponseWriter, r *http.Request) {
			touch(r)
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		},
		"early hints before the read": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			touch(r)
			w.WriteHeader(http.StatusOK)
		},
		"error": func(w http.ResponseWriter, r *http.Request) {
			touch(r)
			http.Error(w, "no", http.StatusInternalServerError)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, sessionhttp.Handler(handler, nil))
			if _, header := get(t.Context(), t, s.Client(), s.URL, ""); header.Get(sessionhttp.Header) != want {
				t.Errorf("the response says %q, want %q", header.Values(sessionhttp.Header), want)
			}
		})
	}
	t.Run("no read", func(t *testing.T) {
		s := serve(t, sessionhttp.Handler(http.NotFoundHandler(), nil))
		if _, header := get(t.Context(), t, s.Client(), s.URL, ""); len(header.Values(sessionhttp.Header)) != 0 {
			t.Errorf("the response says %q", header.Values(sessionhttp.Header))
		}
	})
}

// A request that names a version is answered from it, though the instance has not heard of it yet.
func TestRequestDemandsRevision(t *testing.T) {
	st := sessiontest.NewStore(t)
	s := serve(t, sessionhttp.Handler(read(sessiontest.NewClient(t, st, sessiontest.Never)), nil))
	before, _ := get(t.Context(), t, s.Client(), s.URL, "")
	token := sessiontest.Write(t, st, 7)
	if again, _ := get(t.Context(), t, s.Client(), s.URL, ""); again != before {
		t.Fatalf("the instance was to be behind, and says %q", again)
	}
	body, header := get(t.Context(), t, s.Client(), s.URL, token.String())
	if want := "7 " + token.String() + " FRESH"; body != want || header.Get(sessionhttp.Header) != token.String() {
		t.Errorf("answered %q in %q, want %q", body, header.Get(sessionhttp.Header), want)
	}
}

// One that nobody can have is answered all the same, and the answer says so.
func TestRequestDemandsFuture(t *testing.T) {
	st := sessiontest.NewStore(t)
	s := serve(t, sessionhttp.Handler(read(sessiontest.NewClient(t, st, nil)), nil))
	body, header := get(t.Context(), t, s.Client(), s.URL, "default@0.99")
	if !strings.HasPrefix(body, "0 default@0.1~") || !strings.HasSuffix(body, " NOT_FRESH") {
		t.Errorf("answered %q", body)
	}
	if got := header.Get(sessionhttp.Header); !strings.HasPrefix(got, "default@0.99") {
		t.Errorf("the session forgot what it demands: %q", got)
	}
}

func TestGarbageIsIgnored(t *testing.T) {
	st := sessiontest.NewStore(t)
	var invalid, beyond atomic.Int64
	opts := &sessionhttp.Options{Logger: slog.New(slog.DiscardHandler), Ignored: func(reason error) {
		switch {
		case errors.Is(reason, flags.ErrInvalid):
			invalid.Add(1)
		case errors.Is(reason, flags.ErrTooLarge):
			beyond.Add(1)
		}
	}}
	s := serve(t, sessionhttp.Handler(read(sessiontest.NewClient(t, st, nil)), opts))
	for _, garbage := range []string{"x", "default@", "default@0.-1", "'; drop table", "default@0.1~zzz, ,,%00", strings.Repeat("a@0.1,", 2000)} {
		if body, _ := get(t.Context(), t, s.Client(), s.URL, garbage); !strings.HasPrefix(body, "0 default@0.1~") || !strings.HasSuffix(body, " FRESH") {
			t.Errorf("%.20q: %q", garbage, body)
		}
	}
	if invalid.Load() != 6 || beyond.Load() != 1 {
		t.Errorf("counted %d invalid and %d too large", invalid.Load(), beyond.Load())
	}
}

// A session that calls another service takes on what that has seen, and its next
// read here is no older.
func TestSessionCrossesServices(t *testing.T) {
	st := sessiontest.NewStore(t)
	ahead, behind := sessiontest.NewClient(t, st, nil), sessiontest.NewClient(t, st, sessiontest.Never)
	back := serve(t, sessionhttp.Handler(read(ahead), nil))
	calls := &http.Client{Transport: sessionhttp.Transport(back.Client().Transport, nil)}
	front := serve(t, sessionhttp.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first := behind.Int(r.Context(), sessiontest.Flag, sessiontest.Anyone, -1)
		answer, _ := get(r.Context(), t, calls, back.URL, "")
		fmt.Fprintf(w, "%d, then %s, then %d", first, answer, behind.Int(r.Context(), sessiontest.Flag, sessiontest.Anyone, -1))
	}), nil))
	token := sessiontest.Write(t, st, 7)
	if _, err := ahead.Require(flags.AtLeast(t.Context(), token)); err != nil {
		t.Fatal(err)
	}
	body, header := get(t.Context(), t, front.Client(), front.URL, "")
	if want := fmt.Sprintf("0, then 7 %s FRESH, then 7", token); body != want || header.Get(sessionhttp.Header) != token.String() {
		t.Errorf("%q in %q, want %q", body, header.Get(sessionhttp.Header), want)
	}
}

// roundTrip answers with what it was sent.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTransportSends(t *testing.T) {
	token := flags.Token{Set: "shop", Version: flags.Version{Revision: 5}}
	down := errors.New("nobody listens")
	for name, tt := range map[string]struct {
		ctx       func(context.Context) context.Context
		own, want string
	}{
		"a plain context":  {func(ctx context.Context) context.Context { return ctx }, "", ""},
		"an empty session": {flags.WithSession, "", ""},
		"a demand":         {func(ctx context.Context) context.Context { return flags.AtLeast(ctx, token) }, "", "shop@0.5"},
		"what a session saw": {func(ctx context.Context) context.Context {
			ctx = flags.WithSession(ctx)
			flags.Saw(ctx, token)
			return ctx
		}, "", "shop@0.5"},
		"the caller's header": {func(ctx context.Context) context.Context { return flags.AtLeast(ctx, token) }, "shop@0.9", "shop@0.9"},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(tt.ctx(t.Context()), http.MethodGet, "http://nowhere", nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.own != "" {
				req.Header.Set(sessionhttp.Header, tt.own)
			}
			got := ""
			transport := sessionhttp.Transport(roundTrip(func(r *http.Request) (*http.Response, error) {
				got = strings.Join(r.Header.Values(sessionhttp.Header), "|")
				return nil, down
			}), nil)
			client := &http.Client{Transport: transport}
			if resp, err := client.Do(req); err == nil {
				resp.Body.Close()
				t.Error("an answer from nowhere")
			} else if !errors.Is(err, down) {
				t.Error(err)
			}
			if got != tt.want || req.Header.Get(sessionhttp.Header) != tt.own {
				t.Errorf("sent %q, want %q; the caller's request now has %q", got, tt.want, req.Header.Get(sessionhttp.Header))
			}
		})
	}
}

// A connection can be taken over through the wrapped writer.
func TestHijack(t *testing.T) {
	s := serve(t, sessionhttp.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nmine")
	}), nil))
	if body, _ := get(t.Context(), t, s.Client(), s.URL, ""); body != "mine" {
		t.Errorf("got %q", body)
	}
}
