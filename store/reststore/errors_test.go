package reststore_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/reststore"
)

// answering is a client of a server that gives one answer to everything.
func answering(t testing.TB, h http.HandlerFunc) *reststore.Store {
	t.Helper()
	return dial(t, listen(t, h), reststore.Options{})
}

func TestStatusClasses(t *testing.T) {
	ours := func(k restwire.Kind) string {
		w := httptest.NewRecorder()
		fmt.Fprintf(w, `{"type":%q,"status":%d}`, k.With("").Type, k.Status)
		return w.Body.String()
	}
	notFound := restwire.Kinds[0]
	for _, c := range []struct {
		status int
		body   string // of a problem; empty: a page of somebody else's
		want   flags.Class
		is     error
	}{
		{status: 404, body: ours(notFound), want: flags.ClassNotFound, is: store.ErrNotFound},
		{status: 404, want: flags.ClassTransient},
		{status: 404, body: `{"title":"Not Found","status":404}`, want: flags.ClassTransient},
		{status: 404, body: `{"type":"https://elsewhere.example#not-found","status":404}`, want: flags.ClassTransient},
		{status: 410, body: ours(restwire.Kinds[1]), want: flags.ClassPermanent, is: store.ErrCompacted},
		{status: 412, body: ours(restwire.NotReached), want: flags.ClassPermanent},
		{status: 400, want: flags.ClassPermanent}, {status: 405, want: flags.ClassPermanent}, {status: 406, want: flags.ClassPermanent},
		{status: 409, want: flags.ClassPermanent}, {status: 410, want: flags.ClassPermanent}, {status: 412, want: flags.ClassPermanent},
		{status: 413, want: flags.ClassPermanent}, {status: 415, want: flags.ClassPermanent}, {status: 422, want: flags.ClassPermanent},
		{status: 401, want: flags.ClassDenied}, {status: 403, want: flags.ClassDenied}, {status: 407, want: flags.ClassDenied},
		{status: 408, want: flags.ClassTransient}, {status: 421, want: flags.ClassTransient}, {status: 425, want: flags.ClassTransient},
		{status: 429, want: flags.ClassTransient}, {status: 418, want: flags.ClassTransient},
		{status: 500, want: flags.ClassTransient}, {status: 501, want: flags.ClassTransient}, {status: 502, want: flags.ClassTransient},
		{status: 503, want: flags.ClassTransient}, {status: 504, want: flags.ClassTransient}, {status: 505, want: flags.ClassTransient},
		{status: 507, want: flags.ClassTransient}, {status: 508, want: flags.ClassTransient}, {status: 520, want: flags.ClassTransient},
		{status: 527, want: flags.ClassTransient}, {status: 529, want: flags.ClassTransient},
		{status: 301, want: flags.ClassTransient}, {status: 302, want: flags.ClassTransient}, {status: 307, want: flags.ClassTransient},
		{status: 308, want: flags.ClassTransient}, {status: 204, want: flags.ClassTransient}, {status: 206, want: flags.ClassTransient},
	} {
		asked := 0
		client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			asked++
			if c.body != "" {
				w.Header().Set("Content-Type", restwire.ProblemType)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		_, err := client.Head(t.Context(), "shop")
		if err == nil || flags.ClassOf(err) != c.want || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%d %s: %v of class %s, want %s", c.status, c.body, err, flags.ClassOf(err), c.want)
		}
		if asked != 1 {
			t.Errorf("%d: asked %d times", c.status, asked)
		}
	}
}

func TestConnectionClasses(t *testing.T) {
	dns := func(change func(*net.DNSError)) error {
		e := &net.DNSError{Err: "test", Name: "router"}
		change(e)
		return e
	}
	op := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	for _, c := range []struct {
		err  error
		want flags.Class
	}{
		{op(syscall.ECONNREFUSED), flags.ClassTransient}, {op(syscall.ECONNRESET), flags.ClassTransient}, {op(syscall.ECONNABORTED), flags.ClassTransient},
		{op(syscall.EPIPE), flags.ClassTransient}, {op(syscall.ETIMEDOUT), flags.ClassTransient}, {op(syscall.EHOSTUNREACH), flags.ClassTransient},
		{op(syscall.ENETUNREACH), flags.ClassTransient}, {op(syscall.EHOSTDOWN), flags.ClassTransient},
		{io.EOF, flags.ClassTransient}, {io.ErrUnexpectedEOF, flags.ClassTransient}, {os.ErrDeadlineExceeded, flags.ClassTransient},
		{dns(func(e *net.DNSError) { e.IsTimeout = true }), flags.ClassTransient}, {dns(func(e *net.DNSError) { e.IsNotFound = true }), flags.ClassTransient},
		{op(syscall.EMFILE), flags.ClassPermanent}, {op(syscall.ENFILE), flags.ClassPermanent}, {op(syscall.ENOBUFS), flags.ClassPermanent},
		{op(syscall.EADDRNOTAVAIL), flags.ClassPermanent}, {op(syscall.ENOMEM), flags.ClassPermanent},
		{x509.UnknownAuthorityError{}, flags.ClassPermanent}, {x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}, flags.ClassPermanent},
		{x509.CertificateInvalidError{Reason: x509.Expired}, flags.ClassTransient},
		{tls.RecordHeaderError{Msg: "test"}, flags.ClassPermanent}, {tls.AlertError(42), flags.ClassPermanent},
		{errors.New("never heard of"), flags.ClassTransient},
	} {
		client := dial(t, nil, reststore.Options{Dial: func(context.Context, string) (net.Conn, error) { return nil, c.err }})
		_, err := client.Head(t.Context(), "shop")
		if flags.ClassOf(err) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%T %v: got %v of class %s, want %s", c.err, c.err, err, flags.ClassOf(err), c.want)
		}
	}
}

// TestRealTLS: no certificate, no flags; and a plain server is not asked twice.
func TestRealTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	client, err := reststore.Open("rest+"+server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Head(t.Context(), "shop"); flags.ClassOf(err) != flags.ClassPermanent {
		t.Errorf("unknown authority: %v of class %s", err, flags.ClassOf(err))
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	trusting, err := reststore.Open("rest+"+server.URL, &reststore.Options{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})
	if err != nil {
		t.Fatal(err)
	}
	defer trusting.Close()
	if _, err := trusting.Head(t.Context(), "shop"); flags.ClassOf(err) != flags.ClassTransient || !strings.Contains(err.Error(), "404") {
		t.Errorf("a server that is no router: %v of class %s", err, flags.ClassOf(err))
	}
}

// TestBadAnswers: what cannot be an answer of a router is an outage, and installs nothing.
func TestBadAnswers(t *testing.T) {
	endless := func(w io.Writer, prefix, more string) {
		_, err := io.WriteString(w, prefix)
		for chunk := strings.Repeat(more, 1<<16/len(more)); err == nil; {
			_, err = io.WriteString(w, chunk)
		}
	}
	good := `{"set":"shop","lineage":"abcdefgh","revision":1,"status":"live","digest":"` + strings.Repeat("0", 32) + `"}`
	for name, body := range map[string]func(io.Writer){
		"not JSON":         func(w io.Writer) { _, _ = io.WriteString(w, "<html>") },
		"cut":              func(w io.Writer) { _, _ = io.WriteString(w, good[:40]) },
		"another set":      func(w io.Writer) { _, _ = io.WriteString(w, strings.Replace(good, "shop", "other", 1)) },
		"no revision":      func(w io.Writer) { _, _ = io.WriteString(w, strings.Replace(good, `"revision":1`, `"revision":0`, 1)) },
		"bad digest":       func(w io.Writer) { _, _ = io.WriteString(w, strings.Replace(good, "0000", "zz", 1)) },
		"bad status":       func(w io.Writer) { _, _ = io.WriteString(w, strings.Replace(good, "live", "odd", 1)) },
		"empty":            func(io.Writer) {},
		"endless":          func(w io.Writer) { endless(w, `{"set":"`, "x") },
		"endless parts":    func(w io.Writer) { endless(w, "HFR\x01", "R\x00\x00\x00\x04reas") },
		"a part too large": func(w io.Writer) { endless(w, "HFR\x01C\xff\xff\xff\xff", "x") },
		"a newer version":  func(w io.Writer) { _, _ = io.WriteString(w, "HFR\x02E\x00\x00\x00\x00") },
		"nothing at all":   func(w io.Writer) { _, _ = io.WriteString(w, "HFR\x01E\x00\x00\x00\x00") },
		"endless event":    func(w io.Writer) { endless(w, "data: ", "x") },
		"bad heartbeat":    func(w io.Writer) { _, _ = io.WriteString(w, "event: heartbeat\ndata: {}\n\n") },
		"bad commits":      func(w io.Writer) { _, _ = io.WriteString(w, "event: commits\ndata: !\n\n") },
		"bad reset":        func(w io.Writer) { _, _ = io.WriteString(w, "event: reset\ndata: []\n\n") },
	} {
		t.Run(name, func(t *testing.T) {
			client := answering(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/watch") {
					w.Header().Set("Content-Type", restwire.EventsType)
				}
				body(w)
			})
			have := flags.Head{Set: "shop"}
			_, headErr := client.Head(t.Context(), "shop")
			u, fetchErr := client.Fetch(t.Context(), "shop", have)
			for op, err := range map[string]error{"head": headErr, "fetch": fetchErr, "watch": firstError(t, client, have)} {
				if err == nil || flags.ClassOf(err) != flags.ClassTransient {
					t.Errorf("%s: %v of class %s", op, err, flags.ClassOf(err))
				}
			}
			if u.Checkpoint != nil || len(u.Commits) > 0 {
				t.Errorf("got %+v", u)
			}
		})
	}
}

// firstError is what a watch ends with.
func firstError(t testing.TB, client *reststore.Store, have flags.Head) error {
	t.Helper()
	stream, err := client.Watch(t.Context(), "shop", have)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		if _, err := stream.Next(); err != nil {
			return err
		}
	}
}

// TestRetryAfter: a router that asks for a pause gets it, up to a minute.
func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"7": 7 * time.Second, "3600": time.Minute, "0": 0, "-1": 0, "soon": 0, "": 0, "Thu, 01 Jan 1970 00:00:00 GMT": 0,
		"Sat, 01 Jan 2000 00:00:20 GMT": 20 * time.Second, // bubbles begin at the turn of the millennium
	} {
		t.Run(header, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
					asked++
					w.Header().Set("Retry-After", header)
					w.WriteHeader(http.StatusTooManyRequests)
				})
				try := func(wantAsked int) {
					t.Helper()
					_, err := client.Head(t.Context(), "shop")
					if flags.ClassOf(err) != flags.ClassTransient || asked != wantAsked {
						t.Fatalf("asked %d times, want %d; %v", asked, wantAsked, err)
					}
				}
				try(1)
				if want > 0 {
					<-time.After(want - time.Millisecond)
					try(1)
					<-time.After(time.Millisecond)
				}
				try(2)
			})
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, target := range []string{
		"", "http://router:8016", "rest://router", "rest+grpc://router", "rest+http://", "rest+http:router", "rest+http://user:secret@router",
		"rest+http://router?key=secret", "rest+http://router#secret", "rest+http://router:port:secret", "rest+http://\x00secret",
	} {
		s, err := reststore.Open(target, nil)
		if err == nil {
			_ = s.Close()
		}
		if !errors.Is(err, flags.ErrInvalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", target, err)
		}
	}
}
