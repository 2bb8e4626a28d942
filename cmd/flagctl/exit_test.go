package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/boltstore"
)

// TestWrongPlaces: who talks to another port of the router, or to a store that a
// router has open, is told which one is right.
func TestWrongPlaces(t *testing.T) {
	page := httptest.NewServer(http.NotFoundHandler()) // HTTP/1.1 alone, as --http-addr
	defer page.Close()
	eval := httptest.NewUnstartedServer(http.NotFoundHandler()) // HTTP/2 without our API, as --eval-addr
	eval.Config.Protocols = new(http.Protocols)
	eval.Config.Protocols.SetUnencryptedHTTP2(true)
	eval.Start()
	defer eval.Close()

	path := filepath.Join(t.TempDir(), "flags.db")
	open, err := boltstore.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Close() }()

	for _, c := range []struct {
		at   []string
		want string
	}{
		{[]string{"--server", page.Listener.Addr().String()}, "hint: " + otherPortHint},
		{[]string{"--server", eval.Listener.Addr().String()}, "hint: " + otherPortHint},
		{[]string{"--store", "bolt:" + path}, "hint: if that is a router, go through it: --server"},
	} {
		var errs bytes.Buffer
		code := run(t.Context(), append([]string{"list", "--timeout", "30s"}, c.at...),
			stdio{in: strings.NewReader(""), out: &errs, err: &errs, getenv: func(string) string { return "" }})
		if code != exitFailed || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%v: exit code %d, %q; want %q", c.at, code, errs.String(), c.want)
		}
	}
}

// TestMessage: what is said of a refusal has nothing of the layers it came through.
func TestMessage(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"rpc error: code = PermissionDenied desc = authz: denied: key:x may not write", "key:x may not write"},
		{"rpc error: code = Unauthenticated desc = authz: unauthenticated: a key is needed", "a key is needed"},
		{"rpc error: code = Unavailable desc = draining", "grpcstore: apply default: draining"},
		{"no connection: refused", "grpcstore: apply default: no connection: refused"},
		{"rpc error: code = Unknown", "grpcstore: apply default: rpc error: code = Unknown"},
	} {
		err := &flags.SourceError{Class: flags.ClassDenied, Op: "grpcstore: apply default", Err: errors.New(c.text)}
		if got := message(err); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}
