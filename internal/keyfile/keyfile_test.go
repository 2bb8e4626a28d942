package keyfile_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/internal/keyfile"
	"github.com/holdfast-flags/holdfast/internal/testenv"
)

func ExampleKey() {
	path := filepath.Join(os.TempDir(), "no-such-holdfast-key")
	_, err := keyfile.Key(path)
	fmt.Println(err != nil)
	// Output: true
}

func write(t *testing.T, path, text string) {
	t.Helper()
	testenv.Replace(t, path, []byte(text))
}

func TestKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "key")
		write(t, path, "  first\n")
		key, err := keyfile.Key(path)
		if err != nil || key() != "first" {
			t.Fatalf("%v", err)
		}
		write(t, path, "second\n")
		time.Sleep(1100 * time.Millisecond)
		if got := key(); got != "second" {
			t.Errorf("renewed: %q", got)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1100 * time.Millisecond)
		if got := key(); got != "second" {
			t.Errorf("without the file: %q", got)
		}
	})
}

func TestNoKey(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "blank": " \n", "two lines": "a\nb", "no ASCII": "\u00e9", "a control character": "a\x00", "large": strings.Repeat("x", 2<<20),
	} {
		path := filepath.Join(t.TempDir(), "key")
		write(t, path, text)
		if _, err := keyfile.Key(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// issue returns a certificate of an authority of its own, with its key and the
// authority's, as PEM.
func issue(t *testing.T, name string) (cert, key, ca string) {
	t.Helper()
	authority := testenv.NewAuthority(t, name+"'s")
	c, k := authority.Issue(t, x509.Certificate{Subject: pkix.Name{CommonName: name}})
	return string(c), string(k), string(authority.PEM())
}

// trusts reports whether a pool has the authority of a certificate.
func trusts(t *testing.T, pool *x509.CertPool, cert string) bool {
	t.Helper()
	block, _ := pem.Decode([]byte(cert))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: leaf.NotAfter, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err == nil
}

// TestRenewal: a certificate is renewed with its key, and never without; authorities by
// others, and never by none. That holds for both ends.
func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		certPath, keyPath, caPath := filepath.Join(dir, "cert"), filepath.Join(dir, "key"), filepath.Join(dir, "ca")
		cert, key, ca := issue(t, "first")
		first := cert
		write(t, certPath, cert)
		write(t, keyPath, key)
		write(t, caPath, ca)
		client, err := keyfile.Client(certPath, keyPath, caPath)
		if err != nil {
			t.Fatal(err)
		}
		server, err := keyfile.Server(certPath, keyPath, caPath, tls.RequireAndVerifyClientCert)
		if err != nil {
			t.Fatal(err)
		}
		shows := func(want string, c *tls.Certificate, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			if leaf, err := x509.ParseCertificate(c.Certificate[0]); err != nil || leaf.Subject.CommonName != want {
				t.Errorf("shows %v, %v; want %s", leaf.Subject, err, want)
			}
		}
		both := func(want string, trusted, not string) {
			t.Helper()
			time.Sleep(1100 * time.Millisecond)
			c, err := client().GetClientCertificate(nil)
			shows(want, c, err)
			c, err = server.GetCertificate(nil)
			shows(want, c, err)
			now, err := server.GetConfigForClient(nil)
			if err != nil || now.ClientAuth != tls.RequireAndVerifyClientCert {
				t.Fatalf("server asks for %v, %v", now.ClientAuth, err)
			}
			for end, pool := range map[string]*x509.CertPool{"client": client().RootCAs, "server": now.ClientCAs} {
				if !trusts(t, pool, trusted) || not != "" && trusts(t, pool, not) {
					t.Errorf("the %s trusts whom it should not, or does not whom it should", end)
				}
			}
		}
		both("first", first, "")
		cert, key, ca = issue(t, "second")
		write(t, certPath, cert)
		both("first", first, cert) // the key of the second is not there yet
		write(t, keyPath, key)
		both("second", first, cert)
		write(t, caPath, "nothing")
		both("second", first, cert)
		write(t, caPath, ca)
		both("second", cert, first)
	})
}

func TestNoTLS(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "nothing")
	for name, f := range map[string][3]string{
		"a certificate alone": {path, "", ""}, "no certificate": {path, path, ""}, "no authority": {"", "", path}, "no file": {"", "", path + "x"},
	} {
		if _, err := keyfile.Client(f[0], f[1], f[2]); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	certPath, keyPath := filepath.Join(t.TempDir(), "cert"), filepath.Join(t.TempDir(), "key")
	cert, key, _ := issue(t, "server")
	write(t, certPath, cert)
	write(t, keyPath, key)
	for name, f := range map[string][3]string{
		"no certificate": {path, keyPath, ""}, "no key": {certPath, path, ""}, "no authority": {certPath, keyPath, path}, "no file": {certPath, keyPath, path + "x"},
	} {
		if _, err := keyfile.Server(f[0], f[1], f[2], tls.NoClientCert); err == nil {
			t.Errorf("server, %s: no error", name)
		}
	}
}
