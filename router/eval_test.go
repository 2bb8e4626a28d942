package router_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	v2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// resolveInt asks for the flag that write writes.
const resolveInt = v2.ServiceResolveIntProcedure

// serveEval serves the evaluation port of a router on loopback, until the test ends.
func serveEval(t *testing.T, opts router.Options) (address string) {
	t.Helper()
	lis := listen(t)
	run(t, router.New(opts), router.Listeners{Eval: lis})
	return lis.Addr().String()
}

// TestEvalTLS: with a certificate the evaluation port speaks every protocol over TLS, on
// HTTP/1.1 and HTTP/2, and nothing without it.
func TestEvalTLS(t *testing.T) {
	mem := memstore.New(nil)
	create(t, mem, "default")
	write(t, mem, "default", 7)
	ca := testenv.NewAuthority(t, "ca")
	cert, err := tls.X509KeyPair(ca.Issue(t, x509.Certificate{}))
	if err != nil {
		t.Fatal(err)
	}
	address := serveEval(t, router.Options{Store: mem, TLS: &tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}})
	ask := func(tr *http.Transport, url string, opts ...connect.ClientOption) (int64, error) {
		defer tr.CloseIdleConnections()
		res, err := v2.NewServiceClient(&http.Client{Transport: tr}, url, opts...).
			ResolveInt(t.Context(), connect.NewRequest(&v2.ResolveIntRequest{FlagKey: "n"}))
		if err != nil {
			return 0, err
		}
		return res.Msg.GetValue(), nil
	}
	for name, c := range map[string]struct {
		http2 bool
		opts  []connect.ClientOption
	}{
		"Connect, HTTP/1.1": {false, nil}, "Connect, HTTP/2": {true, nil}, "gRPC": {true, []connect.ClientOption{connect.WithGRPC()}},
		"gRPC-Web, HTTP/1.1": {false, []connect.ClientOption{connect.WithGRPCWeb()}},
	} {
		p := new(http.Protocols)
		p.SetHTTP1(!c.http2)
		p.SetHTTP2(c.http2)
		if got, err := ask(&http.Transport{TLSClientConfig: ca.Client(t, ""), Protocols: p}, "https://"+address, c.opts...); err != nil || got != 7 {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	if got, err := ask(&http.Transport{TLSClientConfig: testenv.NewAuthority(t, "another").Client(t, "")}, "https://"+address); err == nil {
		t.Errorf("a client that trusts another authority got %d", got)
	}
	if got, err := ask(&http.Transport{}, "http://"+address); err == nil {
		t.Errorf("a client without TLS got %d", got)
	}
	h2c := new(http.Protocols)
	h2c.SetUnencryptedHTTP2(true)
	if got, err := ask(&http.Transport{Protocols: h2c}, "http://"+address, connect.WithGRPC()); err == nil {
		t.Errorf("a gRPC client without TLS got %d", got)
	}
}

// TestEvalCORS: pages of the origins that were named may evaluate, with the headers of
// Connect and gRPC-Web, and may read what those say in headers; no other may.
func TestEvalCORS(t *testing.T) {
	mem := memstore.New(nil)
	create(t, mem, "default")
	write(t, mem, "default", 7)
	address := serveEval(t, router.Options{Store: mem, CORSOrigins: []string{"https://app.example"}})
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	ask := func(method, origin string, header ...string) (int, http.Header) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+resolveInt, strings.NewReader(`{"flagKey":"n"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", origin)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Header
	}
	const wanted = "connect-protocol-version,content-type,flagd-selector,holdfast-revision,x-grpc-web,x-user-agent"
	for origin, allowed := range map[string]string{"https://app.example": "https://app.example", "https://evil.example": "", "null": ""} {
		_, preflight := ask(http.MethodOptions, origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", wanted)
		headers := ""
		if allowed != "" {
			headers = wanted
		}
		if preflight.Get("Access-Control-Allow-Origin") != allowed || preflight.Get("Access-Control-Allow-Headers") != headers {
			t.Errorf("preflight from %s: %v", origin, preflight)
		}
		status, header := ask(http.MethodPost, origin, "Content-Type", "application/json")
		exposed := header.Get("Access-Control-Expose-Headers")
		if status != http.StatusOK || header.Get("Access-Control-Allow-Origin") != allowed ||
			(allowed != "") != (strings.Contains(exposed, "Holdfast-Revision") && strings.Contains(exposed, "Grpc-Status")) {
			t.Errorf("from %s: %d %v", origin, status, header)
		}
	}
}

// TestEvalShutdown: event streams are told, and end so that their clients come back; a
// router that stops does not wait for them.
func TestEvalShutdown(t *testing.T) {
	for name, opts := range map[string][]connect.ClientOption{"Connect": nil, "gRPC": {connect.WithGRPC()}} {
		synctest.Test(t, func(t *testing.T) {
			mem := memstore.New(nil)
			create(t, mem, "default")
			r := serve(t, router.Options{Store: mem, DrainTimeout: time.Minute})
			p := new(http.Protocols)
			p.SetUnencryptedHTTP2(true)
			tr := &http.Transport{Protocols: p, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return r.eval.DialContext(ctx) }}
			defer tr.CloseIdleConnections()
			client := v2.NewServiceClient(&http.Client{Transport: tr}, "http://router", opts...)
			s, err := client.EventStream(t.Context(), connect.NewRequest(&v2.EventStreamRequest{}))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"provider_ready", "configuration_change"} {
				if !s.Receive() || s.Msg().GetType() != want {
					t.Fatalf("%s: got %v, %v, want %s", name, s.Msg(), s.Err(), want)
				}
				if want == "provider_ready" {
					write(t, mem, "default", 1)
				}
			}
			began := time.Now()
			r.stop()
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s: the router took %v to stop", name, took)
			}
			if !s.Receive() || s.Msg().GetType() != "provider_shutdown" {
				t.Errorf("%s: got %v, %v, want provider_shutdown", name, s.Msg(), s.Err())
			}
			if s.Receive() || connect.CodeOf(s.Err()) != connect.CodeUnavailable {
				t.Errorf("%s: it ended with %v, %v", name, s.Msg(), s.Err())
			}
			_ = s.Close()
			if _, err := client.ResolveInt(t.Context(), connect.NewRequest(&v2.ResolveIntRequest{FlagKey: "n"})); err == nil {
				t.Errorf("%s: it answers after its end", name)
			}
		})
	}
}
