package keyfile_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/internal/keyfile"
)

func ExampleKey() {
	path := filepath.Join(os.TempDir(), "no-such-holdfast-key")
	_, err := keyfile.Key(path)
	fmt.Println(err != nil)
	// Output: true
}

func write(t *testing.T, path, text string) {
	t.Helper()
	temp := path + ".new" // renamed over it, as whoever renews a credential does
	if err := os.WriteFile(temp, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, path); err != nil {
		t.Fatal(err)
	}
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

// issue returns a certificate of its own with its key, as PEM.
func issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	der8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", der8)
}

// TestTLS: a certificate is renewed with its key, and never without.
func TestTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		certPath, keyPath := filepath.Join(t.TempDir(), "cert"), filepath.Join(t.TempDir(), "key")
		cert, key := issue(t, "first")
		write(t, certPath, cert)
		write(t, keyPath, key)
		config, err := keyfile.TLS(certPath, keyPath, certPath)
		if err != nil {
			t.Fatal(err)
		}
		shows := func(want string) {
			t.Helper()
			time.Sleep(1100 * time.Millisecond)
			c, err := config.GetClientCertificate(nil)
			if err != nil {
				t.Fatal(err)
			}
			if leaf, err := x509.ParseCertificate(c.Certificate[0]); err != nil || leaf.Subject.CommonName != want {
				t.Errorf("shows %v, %v; want %s", leaf.Subject, err, want)
			}
		}
		shows("first")
		cert, key = issue(t, "second")
		write(t, certPath, cert)
		shows("first") // the key of the second is not there yet
		write(t, keyPath, key)
		shows("second")
	})
}

func TestNoTLS(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "nothing")
	for name, f := range map[string][3]string{
		"a certificate alone": {path, "", ""}, "no certificate": {path, path, ""}, "no authority": {"", "", path}, "no file": {"", "", path + "x"},
	} {
		if _, err := keyfile.TLS(f[0], f[1], f[2]); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
