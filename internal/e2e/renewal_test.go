package e2e

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/internal/testenv"
)

// TestRenewal: everything that proves who somebody is gets replaced under a router and
// its applications, none of which starts anew: keys, certificates, authorities, on both
// sides. What was good before is good for nothing then.
func TestRenewal(t *testing.T) {
	s := startSecured(t)
	keyID, key := s.admin.newKey("--role", "evaluator", "--set", "shop", "--name", "old")
	keyPath := testenv.Replace(t, filepath.Join(t.TempDir(), "key"), []byte(key))
	certified := newFiles(t, s.ca, "payments", s.ca)
	apps := map[string]*app{}
	for name, cfg := range map[string]standard.Config{
		"key, gRPC":         {Primary: "grpcs://%s", APIKeyFile: keyPath, TLSCA: s.files.ca},
		"key, REST":         {Primary: "rest+https://%s", APIKeyFile: keyPath, TLSCA: s.files.ca},
		"certificate, gRPC": {Primary: "grpcs://%s", TLSCert: certified.cert, TLSKey: certified.key, TLSCA: certified.ca},
		"certificate, REST": {Primary: "rest+https://%s", TLSCert: certified.cert, TLSKey: certified.key, TLSCA: certified.ca},
	} {
		apps[name] = s.open(t, cfg)
	}
	s.wants(apps, "disable")

	_, key = s.admin.newKey("--role", "evaluator", "--set", "shop", "--name", "new")
	testenv.Replace(t, keyPath, []byte(key))
	s.admin.run("apikey", "revoke", keyID)
	s.wants(apps, "enable")

	old, renewed := s.ca, testenv.NewAuthority(t, "renewed")
	certified.replace(t, renewed, "payments", renewed)
	s.files.replace(t, renewed, "router", renewed)
	eventually(t, 20*time.Second, "router shows its new certificate", func() error {
		conn, err := tls.Dial("tcp", s.grpc, &tls.Config{RootCAs: renewed.Pool(), MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}})
		if err != nil {
			return err
		}
		return conn.Close()
	})
	for _, a := range apps {
		a.cut(t)
	}
	s.wants(apps, "disable")
	s.wants(apps, "enable")

	former := old.Client(t, "payments")
	former.RootCAs = renewed.Pool()
	for way, try := range s.ways() {
		if got := try(t.Context(), former); got != "no handshake" {
			t.Errorf("%s with a certificate of the former authority: %s", way, got)
		}
		if got := try(t.Context(), old.Client(t, "")); got != "no handshake" {
			t.Errorf("%s, trusting the former authority: %s", way, got)
		}
		if got := try(t.Context(), renewed.Client(t, "desk")); got != "allowed" {
			t.Errorf("%s with a new certificate: %s", way, got)
		}
	}
}

// app is an application behind a network that can be cut.
type app struct {
	client *flags.Client
	net    *faultnet.Proxy
}

// open starts an application; the Primary of cfg has a %s for the address.
func (s *secured) open(t *testing.T, cfg standard.Config) *app {
	t.Helper()
	target := s.grpc
	if cfg.Primary[:4] == "rest" {
		target = s.http
	}
	proxy, err := faultnet.Listen(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	cfg.Primary, cfg.Set = fmt.Sprintf(cfg.Primary, proxy.Addr()), "shop"
	cfg.PrimaryTimeout, cfg.StartTimeout, cfg.Logger = 10*time.Second, 20*time.Second, slog.New(slog.DiscardHandler)
	cfg.Breaker.Cooldown = time.Second
	return &app{open(t, cfg), proxy}
}

// cut ends the connections there are.
func (a *app) cut(t *testing.T) {
	t.Helper()
	for _, mode := range []faultnet.Mode{faultnet.Reset, faultnet.Pass} {
		if err := a.net.Set(faultnet.Faults{Mode: mode}); err != nil {
			t.Fatal(err)
		}
	}
}

// wants has flagctl enable or disable the flag and every application see it.
func (s *secured) wants(apps map[string]*app, verb string) {
	s.t.Helper()
	s.admin.run("-s", "shop", verb, "beta")
	for name, a := range apps {
		eventually(s.t, 60*time.Second, name+" sees "+verb, func() error {
			if a.client.Bool(s.t.Context(), "beta", flags.Entity("me"), false) != (verb == "enable") {
				status, _ := a.client.Status().ByName("primary")
				return fmt.Errorf("it does not; primary: %+v", status)
			}
			return nil
		})
	}
}
