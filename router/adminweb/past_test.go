package adminweb_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// threeRevisions is a set whose flag f was on first, and off since; g came last.
func threeRevisions(t *testing.T) *rig {
	own, err := flags.OverrideBytes("on")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, nil)
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate, Actor: flags.Actor{ID: "ana"}, Changes: []flags.Mutation{
		{Key: flags.FlagKey("f"), Bytes: onOff("ENABLED")},
		{Key: flags.OverrideKey("f", "tenant-1"), Bytes: own},
	}})
	r.apply(flags.Commit{Set: "default", Actor: flags.Actor{ID: "ben"}, Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: onOff("DISABLED")}, {Key: flags.OverrideKey("f", "tenant-1")}}})
	r.apply(flags.Commit{Set: "default", Actor: flags.Actor{ID: "cleo"}, Changes: []flags.Mutation{{Key: flags.FlagKey("g"), Bytes: onOff("ENABLED")}}})
	return r
}

// TestPast: pages of a set at a revision show what was there then, say so, and offer
// nothing that changes anything.
func TestPast(t *testing.T) {
	r := threeRevisions(t)
	for _, c := range []struct {
		path       string
		status     int
		want, lack string
	}{
		{"/s/default/flags?revision=0.1", 200, `1 flag<`, "cleo"},
		{"/s/default/flags?revision=1", 200, `aria-checked="true"`, `data-key="g"`},
		{"/s/default/flags?revision=1", 200, `flag?key=f&amp;revision=0.1"`, "data-live-from"},
		{"/s/default/flags?revision=2", 200, `aria-checked="false"`, `data-key="g"`},
		{"/s/default/flag?key=f&revision=1", 200, "tenant-1", "<button class=\"primary\""},
		{"/s/default/flag?key=f&revision=1", 200, "<fieldset class=\"columns\" disabled>", ">ben<"},
		{"/s/default/flag?key=g&revision=2", 404, "at revision 0.2", "Save"},
		{"/s/default/segments?revision=1", 200, "No segments yet", "New segment"},
		{"/s/default/entity?id=tenant-1&revision=1", 200, "override", "<select"},
		{"/s/default/playground?key=f&context=%7B%22targetingKey%22%3A%22tenant-1%22%7D&revision=1", 200, "TARGETING_MATCH", "DISABLED"},
		{"/s/default/flags?revision=4", 404, "never was at revision 0.4", "<table"},
		{"/s/default/flags?revision=0", 400, "is no revision", "<table"},
		{"/s/default/flags?revision=x", 400, "is no revision", "<table"},
		{"/s/default/flags?revision=7.1", 404, "never was", "<table"},
	} {
		a := r.get(c.path)
		if a.StatusCode != c.status || !strings.Contains(a.body, c.want) || strings.Contains(a.body, c.lack) {
			t.Errorf("GET %s: %d, want %d with %q and without %q\n%s", c.path, a.StatusCode, c.status, c.want, c.lack, a.body)
		}
		if marked := strings.Contains(a.body, `id="past"`); marked != (c.status == 200 || strings.Contains(c.want, "at revision 0.2")) {
			t.Errorf("GET %s: marked as past: %v", c.path, marked)
		}
	}
	if a := r.get("/s/default/flags?revision=3"); strings.Contains(a.body, `id="past"`) || !strings.Contains(a.body, "data-live-from") {
		t.Error("the newest revision is shown as past")
	}
}

var baseField = regexp.MustCompile(`name="base" value="([^"]+)"`)

// TestRollback: a set goes back to a revision in one commit; a change that came after
// what was confirmed is a conflict, which overwrites nothing.
func TestRollback(t *testing.T) {
	r := threeRevisions(t)
	const page = "/s/default/rollback?to=0.1"
	a := r.get(page)
	for _, want := range []string{`flag &#34;g&#34; deleted`, "f: state DISABLED -&gt; ENABLED", "3 differences"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the question lacks %q:\n%s", want, a.body)
		}
	}
	form := url.Values{"to": {"0.1"}, "base": {baseField.FindStringSubmatch(a.body)[1]}, "reason": {"incident"}, "name": {"ana"}}
	r.apply(flags.Commit{Set: "default", Actor: flags.Actor{ID: "dora"}, Changes: []flags.Mutation{{Key: flags.FlagKey("h"), Bytes: onOff("ENABLED")}}})
	a = r.post("/s/default/rollback", page, form)
	for _, want := range []string{"Somebody was faster", "dora", `flag &#34;h&#34; created`, `flag &#34;h&#34; deleted`, `value="incident"`, "4 differences"} {
		if a.StatusCode != http.StatusConflict || !strings.Contains(a.body, want) {
			t.Errorf("%d, without %q:\n%s", a.StatusCode, want, a.body)
		}
	}
	form.Set("base", baseField.FindStringSubmatch(a.body)[1])
	for range 2 { // sending it twice is sending it once
		if a = r.post("/s/default/rollback", page, form); a.StatusCode != 200 || !strings.Contains(a.body, "Saved as revision 5") {
			t.Fatalf("%d\n%s", a.StatusCode, a.body)
		}
	}
	commits, err := r.store.Commits(t.Context(), "default", flags.Version{Revision: 5}, flags.Version{Revision: 9}, 9)
	if err != nil || len(commits) != 1 {
		t.Fatalf("%d commits, %v", len(commits), err)
	}
	then, err := r.store.Commits(t.Context(), "default", flags.Version{Revision: 1}, flags.Version{Revision: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c := commits[0]; c.Digest != then[0].Digest || c.Count != 2 || c.Reason != "incident" || c.Actor.ID != "ana" {
		t.Errorf("it is %+v", c)
	}
	a = r.post("/s/default/rollback", "/s/default/new", url.Values{"to": {"0.1"}, "base": {"0.5"}})
	if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Nothing would change") {
		t.Errorf("to what is there: %d", a.StatusCode)
	}
	for name, form := range map[string]url.Values{
		"no base":           {"to": {"0.1"}},
		"a base to come":    {"to": {"0.1"}, "base": {"0.9"}},
		"no revision":       {"to": {"x"}, "base": {"0.5"}},
		"a reason too long": {"to": {"0.2"}, "base": {"0.5"}, "reason": {strings.Repeat("r", 2000)}},
	} {
		if a := r.post("/s/default/rollback", "/s/default/new", form); a.StatusCode < 400 || a.StatusCode == http.StatusForbidden {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
	}
	if head, err := r.store.Head(t.Context(), "default"); err != nil || head.Revision != 5 {
		t.Errorf("something was written: %s, %v", head.Token(), err)
	}
}
