package adminweb_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// TestPromote: what is promoted is what was compared, not what somebody made of it since
// in the set that it comes from.
func TestPromote(t *testing.T) {
	r := newRig(t, nil)
	f := flags.FlagKey("f")
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate, Changes: []flags.Mutation{{Key: f, Bytes: onOff("ENABLED")}}})
	r.apply(flags.Commit{Set: "prod", Op: flags.OpCreate, Changes: []flags.Mutation{{Key: f, Bytes: onOff("DISABLED")}}})
	const compare, promote = "/sets/compare?from=default&to=prod", "/s/prod/promote"
	body := r.get(compare).body
	for _, field := range []string{`name="base:flag:f" value="0.1"`, `name="from:flag:f" value="0.1"`} {
		if !strings.Contains(body, field) {
			t.Fatalf("no %s in %s", field, body)
		}
	}
	form := url.Values{"from": {"default"}, "entry": {"flag:f"}, "base:flag:f": {"0.1"}, "from:flag:f": {"0.1"}}
	r.apply(flags.Commit{Set: "default", Changes: []flags.Mutation{{Key: f}}}) // to take that over would delete it
	a := r.post(promote, compare, form)
	if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "changed one of these in default") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if head, err := r.store.Head(t.Context(), "prod"); err != nil || head.Revision != 1 {
		t.Fatalf("it was written: %s, %v", head.Token(), err)
	}
	form.Set("from:flag:f", "") // as it is now
	if a := r.post(promote, compare, form); a.StatusCode != 200 || !strings.Contains(a.body, "revision 2") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}
