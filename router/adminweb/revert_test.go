package adminweb_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// TestRevert: a commit is undone in one new commit and what came after it stays; where a
// later one changed the same, it is named and nothing is written.
func TestRevert(t *testing.T) {
	r := threeRevisions(t) // the second disables f and clears an override
	const page = "/s/default/commit?at=0.2"
	if a := r.get(page); !strings.Contains(a.body, `action="/s/default/revert"`) || !strings.Contains(a.body, `name="at" value="0.2"`) {
		t.Fatalf("the commit offers no way back:\n%s", a.body)
	}
	if a := r.get("/s/default/commit?at=0.1"); strings.Contains(a.body, "/revert") {
		t.Error("the creation of a set can be undone")
	}
	form := url.Values{"at": {"0.2"}, "reason": {"incident"}, "name": {"ana"}}
	if a := r.postBare("/s/default/revert", form); a.StatusCode != http.StatusForbidden {
		t.Errorf("without a token: %d", a.StatusCode)
	}
	a := r.post("/s/default/revert", page, form)
	if a.StatusCode != 200 || !strings.Contains(a.body, "Saved as revision 4") {
		t.Fatalf("%d\n%s", a.StatusCode, a.body)
	}
	commits, err := r.store.Commits(t.Context(), "default", flags.Version{Revision: 4}, flags.Version{Revision: 9}, 9)
	if err != nil || len(commits) != 1 {
		t.Fatalf("%d commits, %v", len(commits), err)
	}
	if c := commits[0]; len(c.Changes) != 2 || c.Count != 3 || c.Reason != "incident" || c.Actor.ID != "ana" {
		t.Errorf("it is %+v", c)
	}
	if d := r.definition("f"); !strings.Contains(d, "ENABLED") {
		t.Errorf("f is %s", d)
	}
	r.apply(flags.Commit{Set: "default", Changes: []flags.Mutation{{Key: flags.FlagKey("g"), Bytes: onOff("DISABLED")}}})
	for name, c := range map[string]struct {
		at, reason, want string
		status           int
	}{
		"done already":       {"0.2", "", "Nothing would change", 422},
		"built upon":         {"0.3", "", `Later revisions have changed flag &#34;g&#34;, too`, 422},
		"the creation":       {"0.1", "", "it cannot be undone", 422},
		"no such revision":   {"0.9", "", "No such revision", 404},
		"no revision at all": {"x<b>", "", "No such revision", 404},
		"a reason that ends": {"0.5", "r\x07", "control character", 422},
	} {
		a := r.post("/s/default/revert", "/s/default/new", url.Values{"at": {c.at}, "reason": {c.reason}})
		if a.StatusCode != c.status || !strings.Contains(a.body, c.want) || strings.Contains(a.body, "x<b>") {
			t.Errorf("%s: %d, want %d with %q\n%s", name, a.StatusCode, c.status, c.want, a.body)
		}
	}
	if head, err := r.store.Head(t.Context(), "default"); err != nil || head.Revision != 5 {
		t.Errorf("something was written: %s, %v", head.Token(), err)
	}
}
