package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// TestTLS: with certificates every listener wants them, of clients as well.
func TestTLS(t *testing.T) {
	ca := testenv.NewAuthority(t, "ca")
	cert, key := ca.Issue(t, x509.Certificate{})
	p := start(t, "--store=memory:", "--tls-cert", writeFile(t, "cert.pem", string(cert)),
		"--tls-key", writeFile(t, "key.pem", string(key)), "--tls-client-ca", writeFile(t, "ca.pem", string(ca.PEM())))
	known, stranger := ca.Client(t, "client"), ca.Client(t, "")
	for _, url := range []string{p.page, p.ops + "/readyz", "https://" + p.eval} {
		if err := ask(t, known, url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		if err := ask(t, stranger, url); err == nil {
			t.Errorf("%s answers a client without a certificate", url)
		}
	}
	for _, c := range []struct {
		name, target string
		tls          *tls.Config
		want         bool
	}{{"known", "grpcs://" + p.grpc, known, true}, {"stranger", "grpcs://" + p.grpc, stranger, false}, {"plain", "grpc://" + p.grpc, nil, false}} {
		st, err := grpcstore.Open(c.target, &grpcstore.Options{TLS: c.tls, HeadTimeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = st.Head(t.Context(), "default"); (err == nil) != c.want {
			t.Errorf("gRPC, %s client: %v", c.name, err)
		}
		_ = st.Close()
	}
}

// ask wants an answer from url.
func ask(t *testing.T, config *tls.Config, url string) error {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
