package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	evalpb "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v1"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// credentialFiles are what a process is given: certificate, key and authority.
type credentialFiles struct{ cert, key, ca string }

// newFiles writes a certificate of an authority, and whom its owner trusts.
func newFiles(t *testing.T, of *testenv.Authority, name string, trusted *testenv.Authority) credentialFiles {
	t.Helper()
	dir := t.TempDir()
	f := credentialFiles{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "ca.pem")}
	f.replace(t, of, name, trusted)
	return f
}

func (f credentialFiles) replace(t *testing.T, of *testenv.Authority, name string, trusted *testenv.Authority) {
	t.Helper()
	cert, key := of.Issue(t, x509.Certificate{Subject: pkix.Name{CommonName: name}})
	testenv.Replace(t, f.cert, cert)
	testenv.Replace(t, f.key, key)
	testenv.Replace(t, f.ca, trusted.PEM())
}

// router returns the flags of a flagrouter, client those of a flagctl.
func (f credentialFiles) router() []string {
	return []string{"--tls-cert", f.cert, "--tls-key", f.key, "--tls-client-ca", f.ca}
}

func (f credentialFiles) client() []string {
	return []string{"--tls-cert", f.cert, "--tls-key", f.key, "--tls-ca", f.ca}
}

// secured is a router with TLS on all ports, keys, and roles for certificates.
type secured struct {
	*router
	ca    *testenv.Authority
	files credentialFiles
	eval  string
	admin cli
}

func startSecured(t *testing.T) *secured {
	t.Helper()
	s := &secured{ca: testenv.NewAuthority(t, "ca"), eval: freeAddr(t)}
	s.files = newFiles(t, s.ca, "router", s.ca)
	s.router = newRouter(t, append(s.files.router(), "--auth", "keys", "--eval-addr", s.eval,
		"--cert-role", "CN=payments,role=evaluator,set=shop", "--cert-role", "CN=desk,role=editor")...)
	s.tls = s.ca.Client(t, "")
	s.start()
	key := firstKey.FindStringSubmatch(s.log.String())
	if key == nil {
		t.Fatal("no first key was shown")
	}
	s.admin = s.cli().with("--api-key", key[1], "--tls-ca", s.files.ca)
	s.admin.run("sets", "create", "shop")
	s.admin.run("-s", "shop", "create", "beta", "--default", "on")
	return s
}

// ways are how the set shop is asked for; each says in a word how that went.
func (s *secured) ways() map[string]func(context.Context, *tls.Config) string {
	evaluate := `{"flagKey":"beta","context":{}}`
	return map[string]func(context.Context, *tls.Config) string{
		"gRPC": func(ctx context.Context, config *tls.Config) string {
			st, err := grpcstore.Open("grpcs://"+s.grpc, &grpcstore.Options{TLS: config, HeadTimeout: 10 * time.Second})
			if err != nil {
				return err.Error()
			}
			defer st.Close()
			_, err = st.Fetch(ctx, "shop", flags.Head{Set: "shop"})
			return wordOf(err)
		},
		"flagd over gRPC": func(ctx context.Context, config *tls.Config) string {
			conn, err := grpc.NewClient(s.eval, grpc.WithTransportCredentials(credentials.NewTLS(config)))
			if err != nil {
				return err.Error()
			}
			defer conn.Close()
			resp := &evalpb.ResolveBooleanResponse{}
			err = conn.Invoke(metadata.AppendToOutgoingContext(ctx, "flagd-selector", "flagSetId=shop"),
				"/flagd.evaluation.v1.Service/ResolveBoolean", &evalpb.ResolveBooleanRequest{FlagKey: "beta"}, resp)
			if err == nil && !resp.Value {
				return "wrong value"
			}
			return wordOf(err)
		},
		"flagd over Connect": func(ctx context.Context, config *tls.Config) string {
			return post(ctx, config, "https://"+s.eval+"/flagd.evaluation.v1.Service/ResolveBoolean", evaluate)
		},
		"OFREP": func(ctx context.Context, config *tls.Config) string {
			return post(ctx, config, "https://"+s.http+"/ofrep/v1/evaluate/flags/beta", `{"context":{}}`)
		},
		"REST, following": func(ctx context.Context, config *tls.Config) string {
			return ask(ctx, config, http.MethodGet, "https://"+s.http+"/api/v1/sets/shop/snapshot", "")
		},
		"REST, writing": func(ctx context.Context, config *tls.Config) string {
			return ask(ctx, config, http.MethodPut, "https://"+s.http+"/api/v1/sets/shop/flags/gamma",
				`{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"}`)
		},
	}
}

func post(ctx context.Context, config *tls.Config, url, body string) string {
	return ask(ctx, config, http.MethodPost, url, body)
}

func ask(ctx context.Context, config *tls.Config, method, url, body string) string {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Flagd-Selector", "flagSetId=shop")
	resp, err := client.Do(req)
	if err != nil {
		return wordOf(err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated:
		return "allowed"
	case http.StatusUnauthorized:
		return "who?"
	case http.StatusForbidden:
		return "denied"
	}
	return resp.Status
}

// wordOf is how a call went. What the handshake refuses comes as an error of any kind.
func wordOf(err error) string {
	code := status.Code(err)
	switch text := fmt.Sprint(err); {
	case err == nil:
		return "allowed"
	case code == codes.PermissionDenied, strings.Contains(text, "authz: denied"):
		return "denied"
	case code == codes.Unauthenticated, strings.Contains(text, "authz: unauthenticated"):
		return "who?"
	}
	// In TLS 1.3 a server tells what it thinks of a certificate when the client has begun to
	// send, so that some libraries find only that they cannot go on.
	for _, ended := range []string{"tls: ", "http2: client conn could not be established", "broken pipe", "connection reset", "EOF"} {
		if strings.Contains(fmt.Sprint(err), ended) {
			return "no handshake"
		}
	}
	return err.Error()
}

// TestCertificates: over real handshakes on every port, a client's certificate is its
// role; none is nobody, another authority's gets no connection, in either direction.
func TestCertificates(t *testing.T) {
	s := startSecured(t)
	other := testenv.NewAuthority(t, "other")
	forged := other.Client(t, "payments")
	forged.RootCAs = s.ca.Pool()
	for who, c := range map[string]struct {
		config        *tls.Config
		read, written string
	}{
		"payments":                        {s.ca.Client(t, "payments"), "allowed", "denied"},
		"desk":                            {s.ca.Client(t, "desk"), "allowed", "allowed"},
		"no certificate":                  {s.ca.Client(t, ""), "who?", "who?"},
		"a certificate without a role":    {s.ca.Client(t, "cleaner"), "who?", "who?"},
		"another authority's certificate": {forged, "no handshake", "no handshake"},
		"a router nobody vouches for":     {other.Client(t, ""), "no handshake", "no handshake"},
	} {
		for way, try := range s.ways() {
			want := c.read
			if way == "REST, writing" {
				want = c.written
			}
			if got := try(t.Context(), c.config); got != want {
				t.Errorf("%s, %s: %s, want %s", who, way, got, want)
			}
		}
	}

	t.Run("flagctl", func(t *testing.T) {
		payments := newFiles(t, s.ca, "payments", s.ca)
		app := s.cli().with(payments.client()...).with("-s", "shop")
		if got := app.run("-o", "json", "eval", "beta"); !strings.Contains(got, `"value": true`) {
			t.Errorf("eval: %s", got)
		}
		app.denied("may not", "disable", "beta")
		s.cli().with("--tls-ca", s.files.ca).denied("API key is needed", "list")
		stranger := newFiles(t, other, "payments", s.ca)
		for says, args := range map[string][]string{
			"authority that the router's --tls-client-ca names": stranger.client(),
			"name the authority's file with --tls-ca":           {"--tls-ca", stranger.caOf(t, other)},
			"does the router ask for TLS?":                      nil,
			"--tls-server-name":                                 append(payments.client(), "--tls-server-name", "elsewhere"),
		} {
			if r := s.cli().with(args...).try("list"); r.code != 1 || !strings.Contains(r.stderr, "hint: ") || !strings.Contains(r.stderr, says) {
				t.Errorf("%v: exit %d, want 1 and %q: %s", args, r.code, says, r.stderr)
			}
		}
		s.cli().with(append(payments.client(), "--tls-server-name", "localhost", "-s", "shop")...).run("eval", "beta")
	})
	t.Run("doctor", func(t *testing.T) {
		ports := []string{"doctor", "-o", "table", "-s", "shop", "--eval-addr", s.eval, "--http-addr", s.http, "--ops-addr", s.ops}
		if out := s.admin.run(ports...); strings.Contains(out, "!") || !strings.Contains(out, "ok certificate") {
			t.Errorf("all is well: %s", out)
		}
		desk := newFiles(t, s.ca, "desk", s.ca)
		plain := startRouter(t)
		for name, c := range map[string]struct {
			by   cli
			args []string
			says []string
		}{
			"without TLS":       {s.cli(), ports, []string{"!  router", "!  eval", "!  http", "!  ops", "the router asks for TLS"}},
			"of nobody known":   {s.cli().with("--tls-ca", desk.caOf(t, other)), ports, []string{"!  router", "!  eval", "!  http", "!  ops", "name the authority's file with --tls-ca"}},
			"of another name":   {s.admin.with("--tls-server-name", "elsewhere"), ports, []string{"!  router", "!  eval", "!  http", "!  ops", "--tls-server-name"}},
			"a role that lacks": {s.cli().with(desk.client()...), ports, []string{"!  key", "ok http", "ok certificate"}},
			"TLS to a port without it": {plain.cli().with("--tls-ca", s.files.ca), []string{"doctor", "-o", "table", "--http-addr", plain.http, "--skip", "eval,ops"},
				[]string{"!  router", "!  http", "this port is without TLS"}},
		} {
			r := c.by.try(c.args...)
			for _, says := range c.says {
				if r.code != 1 || !strings.Contains(r.stdout, says) {
					t.Errorf("%s: exit %d, lacks %q:\n%s%s", name, r.code, says, r.stdout, r.stderr)
				}
			}
		}
	})
	t.Run("SDK", func(t *testing.T) {
		for _, primary := range []string{"grpcs://" + s.grpc, "rest+https://" + s.http} {
			f := newFiles(t, s.ca, "payments", s.ca)
			client := open(t, standard.Config{
				Primary: primary, Set: "shop", TLSCert: f.cert, TLSKey: f.key, TLSCA: f.ca,
				PrimaryTimeout: 10 * time.Second, StartTimeout: 20 * time.Second, Logger: slog.New(slog.DiscardHandler),
			})
			if d := client.BoolDetails(t.Context(), "beta", flags.Entity("me"), false); !d.Value || d.Layer() != "primary" {
				t.Errorf("%s: %v from %s", primary, d.Value, d.Layer())
			}
		}
	})
}

// caOf writes the certificate of an authority to a file.
func (f credentialFiles) caOf(t *testing.T, a *testenv.Authority) string {
	t.Helper()
	return testenv.Replace(t, filepath.Join(t.TempDir(), "other.pem"), a.PEM())
}
