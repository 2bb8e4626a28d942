package authz_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/router/authz"
)

func ExampleOpen() {
	var policy authz.Policy = authz.Open{}
	who, err := policy.Authenticate(authz.Credentials{}) // no credentials at all
	fmt.Println(who, err, policy.Decide(who, authz.Write, "default"))
	// Output: anonymous <nil> <nil>
}

func TestOpenTellsKeysApart(t *testing.T) {
	seen := map[authz.Principal]string{}
	for _, key := range []string{"one", "two", "three"} {
		p, err := authz.Open{}.Authenticate(authz.Credentials{Authorization: "bearer " + key})
		if err != nil || p.Kind != "key" || strings.Contains(p.String(), key) {
			t.Errorf("%s: %v, %v", key, p, err)
		}
		if other, twice := seen[p]; twice {
			t.Errorf("%s and %s are one principal", key, other)
		}
		seen[p] = key
	}
	for _, header := range []string{"one", "Basic b25l", "Bearer", "Bearer  "} {
		if _, err := (authz.Open{}).Authenticate(authz.Credentials{Authorization: header}); !errors.Is(err, authz.ErrUnauthenticated) {
			t.Errorf("%q: %v", header, err)
		}
	}
}

func TestPrincipalOf(t *testing.T) {
	if p := authz.PrincipalOf(t.Context()); p != (authz.Principal{}) {
		t.Errorf("a bare context carries %v", p)
	}
	want := authz.Principal{Kind: "key", ID: "7"}
	if p := authz.PrincipalOf(authz.WithPrincipal(t.Context(), want)); p != want {
		t.Errorf("got %v, want %v", p, want)
	}
}

func TestActions(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range []authz.Action{0, authz.Read, authz.Evaluate, authz.Write, authz.List, authz.Admin, authz.Sync, 99} {
		if seen[a.String()] {
			t.Errorf("two actions are called %s", a)
		}
		seen[a.String()] = true
	}
}
