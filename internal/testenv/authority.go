package testenv

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An Authority issues certificates.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority returns an authority that nobody knows yet.
func NewAuthority(tb testing.TB, name string) *Authority {
	tb.Helper()
	a := &Authority{}
	a.cert, a.key = a.sign(tb, x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// PEM returns the authority's own certificate.
func (a *Authority) PEM() []byte { return encode("CERTIFICATE", a.cert.Raw) }

// Pool returns the authority as one to trust.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// Issue returns a certificate and its key as PEM. What the wanted one leaves open becomes
// that of a server on loopback: its names, and an hour to live.
func (a *Authority) Issue(tb testing.TB, want x509.Certificate) (cert, key []byte) {
	tb.Helper()
	if len(want.DNSNames) == 0 && len(want.IPAddresses) == 0 {
		want.DNSNames, want.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	made, private := a.sign(tb, want)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	return encode("CERTIFICATE", made.Raw), encode("PRIVATE KEY", der)
}

// Client returns the configuration of a client that trusts a and shows a certificate
// that a issued to this common name, or none for "".
func (a *Authority) Client(tb testing.TB, name string) *tls.Config {
	tb.Helper()
	config := &tls.Config{RootCAs: a.Pool(), MinVersion: tls.VersionTLS12}
	if name == "" {
		return config
	}
	pair, err := tls.X509KeyPair(a.Issue(tb, x509.Certificate{Subject: pkix.Name{CommonName: name}}))
	if err != nil {
		tb.Fatal(err)
	}
	// Go would keep a certificate to itself that the server did not ask for.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return config
}

// sign makes a certificate; an authority without one of its own signs that.
func (a *Authority) sign(tb testing.TB, want x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	want.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		tb.Fatal(err)
	}
	want.BasicConstraintsValid = true
	if want.NotAfter.IsZero() {
		want.NotBefore, want.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	}
	parent, signer := cmp.Or(a.cert, &want), cmp.Or(a.key, private)
	der, err := x509.CreateCertificate(rand.Reader, &want, parent, private.Public(), signer)
	if err != nil {
		tb.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return made, private
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// Replace puts a file in the place of another at once, as whoever renews credentials
// does, and returns its path.
func Replace(tb testing.TB, path string, data []byte) string {
	tb.Helper()
	temp := filepath.Join(tb.TempDir(), filepath.Base(path))
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(temp, path); err != nil {
		tb.Fatal(err)
	}
	return path
}
