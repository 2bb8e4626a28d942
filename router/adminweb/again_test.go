package adminweb_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// TestAgain: a form that says what one said before is obeyed once more where that was
// undone meanwhile; one that is only sent twice is not.
func TestAgain(t *testing.T) {
	r := newRig(t, nil)
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate, Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: onOff("ENABLED")}}})
	const page = "/s/default/entity?id=tenant-42"
	own := flags.OverrideKey("f", "tenant-42")
	set := func(revision string) {
		t.Helper()
		a := r.post(page, page, url.Values{"key": {"f"}, "variant": {"on"}})
		if a.StatusCode != 200 || !strings.Contains(a.body, ">override</a>") || !strings.Contains(a.body, "Saved as revision "+revision) {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	set("2")
	set("2") // sent twice
	r.apply(flags.Commit{Set: "default", Changes: []flags.Mutation{{Key: own}}})
	set("4")

	create := url.Values{"set": {"shop"}}
	if a := r.post("/sets", "/sets", create); a.StatusCode != 200 || !strings.Contains(a.body, "Saved as revision 1") {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	r.apply(flags.Commit{Set: "shop", Op: flags.OpDelete})
	if a := r.post("/sets", "/sets", create); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if head, err := r.store.Head(t.Context(), "shop"); err != nil || head.Status != flags.StatusLive {
		t.Errorf("created again it is %s, %v", head.Status, err)
	}
}
