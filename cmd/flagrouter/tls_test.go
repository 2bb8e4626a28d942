package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

// issue returns a certificate and its key as PEM. A nil authority signs itself.
func (a *authority) issue(t *testing.T, name string) (cert, key []byte, made *authority) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: a == nil, BasicConstraintsValid: true,
	}
	parent, signer := template, private
	if a != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, private.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	der8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der8})
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return cert, key, &authority{parsed, private, pool}
}

// TestTLS: with certificates every listener wants them, of clients as well.
func TestTLS(t *testing.T) {
	var self *authority
	caCert, _, ca := self.issue(t, "ca")
	cert, key, _ := ca.issue(t, "router")
	p := start(t, "--store=memory:", "--tls-cert", writeFile(t, "cert.pem", string(cert)),
		"--tls-key", writeFile(t, "key.pem", string(key)), "--tls-client-ca", writeFile(t, "ca.pem", string(caCert)))
	clientCert, clientKey, _ := ca.issue(t, "client")
	pair, err := tls.X509KeyPair(clientCert, clientKey)
	if err != nil {
		t.Fatal(err)
	}
	known := &tls.Config{RootCAs: ca.pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	stranger := &tls.Config{RootCAs: ca.pool, MinVersion: tls.VersionTLS12}
	for _, url := range []string{p.page, p.ops + "/readyz"} {
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
		st, err := grpcstore.Open(c.target, &grpcstore.Options{TLS: c.tls, HeadTimeout: 5 * time.Second})
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
