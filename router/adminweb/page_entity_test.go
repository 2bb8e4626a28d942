package adminweb_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// TestEntityOverride: an override set where an entity is looked at has its reason in
// the history, and goes by the same form.
func TestEntityOverride(t *testing.T) {
	r := newRig(t, nil)
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate, Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: onOff("ENABLED")}}})
	const page = "/s/default/entity?id=tenant-42"
	if a := r.post(page, page, url.Values{"key": {"f"}, "variant": {"on"}, "reason": {"asked for it"}}); a.StatusCode != 200 || !strings.Contains(a.body, ">override</a>") {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if a := r.post(page, page, url.Values{"key": {"f"}, "base": {"0.2"}, "variant": {""}, "reason": {"no more"}}); a.StatusCode != 200 || strings.Contains(a.body, ">override</a>") {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	long := strings.Repeat("r", 2000)
	if a := r.post(page, page, url.Values{"key": {"f"}, "variant": {"on"}, "reason": {long}}); a.StatusCode != 422 || !strings.Contains(a.body, "too long") || !strings.Contains(a.body, long) {
		t.Errorf("a reason too long: %d %s", a.StatusCode, a.body)
	}
	history := r.get("/s/default/history").body
	for _, reason := range []string{"asked for it", "no more"} {
		if !strings.Contains(history, reason) {
			t.Errorf("no %q in the history: %s", reason, history)
		}
	}
	if a := r.get(page + "&context=plan"); !strings.Contains(a.body, "A context is a JSON object, such as") {
		t.Errorf("a context that is no JSON: %d %s", a.StatusCode, a.body)
	}
}
