package authz_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
)

func TestParseCertRole(t *testing.T) {
	for _, text := range []string{
		"", "CN=a", "role=reader", "CN=,role=reader", "CN=a,role=root", "CN=a,role=reader,role=admin", "CN=a,CN=b,role=reader",
		"L=a,role=reader", "CN=a,role=reader,set=no set", "CN", "CN=a;role=reader",
	} {
		if _, err := authz.ParseCertRole(text); !errors.Is(err, flags.ErrInvalid) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestCertificates: the first entry of which all parts match gives its role.
func TestCertificates(t *testing.T) {
	var roles []authz.CertRole
	for _, text := range []string{"CN=pay,OU=prod,role=editor,set=shop", "CN=pay,role=evaluator,set=shop", "URI=spiffe://a/ops,role=admin"} {
		role, err := authz.ParseCertRole(text)
		if err != nil {
			t.Fatal(err)
		}
		roles = append(roles, role)
	}
	r := newRig(t, authz.KeysOptions{Certificates: roles})
	ops := &url.URL{Scheme: "spiffe", Host: "a", Path: "/ops"}
	for name, c := range map[string]struct {
		cert       x509.Certificate
		write, eva error
	}{
		"both parts": {x509.Certificate{Subject: pkix.Name{CommonName: "pay", OrganizationalUnit: []string{"prod"}}}, nil, nil},
		"one part":   {x509.Certificate{Subject: pkix.Name{CommonName: "pay"}}, authz.ErrDenied, nil},
		"a URI":      {x509.Certificate{URIs: []*url.URL{ops}}, nil, nil},
		"none":       {x509.Certificate{Subject: pkix.Name{CommonName: "Pay"}}, authz.ErrUnauthenticated, authz.ErrUnauthenticated},
	} {
		who, err := r.keys.Authenticate(authz.Credentials{Certificate: &c.cert})
		if err != nil {
			t.Fatal(err)
		}
		again, _ := r.keys.Authenticate(authz.Credentials{Certificate: &c.cert})
		if again != who {
			t.Errorf("%s: two requests of one certificate are two principals", name)
		}
		if err := r.keys.Decide(who, authz.Write, "shop"); !errors.Is(err, c.write) {
			t.Errorf("%s: write: %v, want %v", name, err, c.write)
		}
		if err := r.keys.Decide(who, authz.Evaluate, "shop"); !errors.Is(err, c.eva) {
			t.Errorf("%s: evaluate: %v, want %v", name, err, c.eva)
		}
	}
	// A key goes before a certificate, also one that is no good.
	cert := &x509.Certificate{URIs: []*url.URL{ops}}
	if _, err := r.keys.Authenticate(authz.Credentials{Certificate: cert, Authorization: "Bearer x"}); !errors.Is(err, authz.ErrUnauthenticated) {
		t.Errorf("a bad key with a good certificate: %v", err)
	}
}
