package adminweb_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

const importForm = "/s/default/import"

var seenField = regexp.MustCompile(`name="seen" value="([^"]+)"`)

// confirmed is the form that a preview asks to send.
func confirmed(t *testing.T, preview answer, form url.Values) url.Values {
	t.Helper()
	base, seen := baseField.FindStringSubmatch(preview.body), seenField.FindStringSubmatch(preview.body)
	if preview.StatusCode != http.StatusOK || base == nil || seen == nil {
		t.Fatalf("no preview: %d\n%s", preview.StatusCode, preview.body)
	}
	out := url.Values{"do": {"import"}, "base": {base[1]}, "seen": {seen[1]}, "reason": {"moved in"}, "name": {"ana"}}
	for field, values := range form {
		if !out.Has(field) {
			out[field] = values
		}
	}
	return out
}

func (r *rig) revision() uint64 {
	r.t.Helper()
	head, err := r.store.Head(r.t.Context(), "default")
	if err != nil {
		r.t.Fatal(err)
	}
	return head.Revision
}

// TestImport: a file is shown as what it would change, and becomes one commit when that
// is confirmed; only what was shown is done, to what it was shown of.
func TestImport(t *testing.T) {
	r := newRig(t, nil)
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate, Changes: []flags.Mutation{
		{Key: flags.FlagKey("f"), Bytes: onOff("ENABLED")}, {Key: flags.FlagKey("gone"), Bytes: onOff("ENABLED")},
	}})
	file := url.Values{"text": {fmt.Sprintf(`{"flags":{"f":%s,"<b>x":%s}}`, onOff("DISABLED"), onOff("ENABLED"))}, "prune": {"on"}, "do": {"show"}}
	if a := r.postBare(importForm, file); a.StatusCode != http.StatusForbidden {
		t.Errorf("without a token: %d", a.StatusCode)
	}
	preview := r.post(importForm, importForm, file)
	for _, want := range []string{"3 changes, in one commit", "f: state ENABLED -&gt; DISABLED", "flag &#34;gone&#34; deleted", "flag &#34;&lt;b&gt;x&#34; created"} {
		if !strings.Contains(preview.body, want) {
			t.Errorf("the preview lacks %q:\n%s", want, preview.body)
		}
	}
	form := confirmed(t, preview, file)
	other := url.Values{}
	for field, values := range form {
		other[field] = values
	}
	other.Del("prune")
	if a := r.post(importForm, importForm, other); a.StatusCode != 200 || !strings.Contains(a.body, "2 changes, in one commit") || r.revision() != 1 {
		t.Fatalf("what was not shown was done: %d, revision %d", a.StatusCode, r.revision())
	}
	r.apply(flags.Commit{Set: "default", Changes: []flags.Mutation{{Key: flags.FlagKey("gone")}}})
	a := r.post(importForm, importForm, form)
	if a.StatusCode != 422 || !strings.Contains(a.body, "Somebody has changed the set meanwhile") || !strings.Contains(a.body, "2 changes, in one commit") || r.revision() != 2 {
		t.Fatalf("over what somebody has changed: %d, revision %d\n%s", a.StatusCode, r.revision(), a.body)
	}
	form.Set("base", baseField.FindStringSubmatch(a.body)[1])
	for range 2 { // sending it twice is sending it once
		if a := r.post(importForm, importForm, form); a.StatusCode != 200 || !strings.Contains(a.body, "Saved as revision 3") {
			t.Fatalf("%d\n%s", a.StatusCode, a.body)
		}
	}
	commits, err := r.store.Commits(t.Context(), "default", flags.Version{Revision: 3}, flags.Version{Revision: 9}, 9)
	if err != nil || len(commits) != 1 || commits[0].Reason != "moved in" || commits[0].Actor.ID != "ana" || len(commits[0].Changes) != 2 {
		t.Errorf("commits are %+v, %v", commits, err)
	}
	if a := r.post(importForm, importForm, file); !strings.Contains(a.body, "Nothing would change") || strings.Contains(a.body, `value="import"`) {
		t.Errorf("again: %d\n%s", a.StatusCode, a.body)
	}
}

// TestImportOfOthers: the export of another product says what of it cannot be kept, and
// is taken without that only if it is asked for.
func TestImportOfOthers(t *testing.T) {
	r := newRig(t, nil)
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate})
	file := url.Values{"do": {"show"}, "format": {"unleash"}, "text": {`{"version":1,"features":[
		{"name":"plain","enabled":true,"strategies":[{"name":"default"}]},
		{"name":"odd<b>","enabled":true,"strategies":[{"name":"home-made","parameters":{}}]}]}`}}
	a := r.post(importForm, importForm, file)
	if a.StatusCode != 422 || !strings.Contains(a.body, "Cannot be kept") || !strings.Contains(a.body, "odd&lt;b&gt;") || strings.Contains(a.body, `value="import"`) {
		t.Fatalf("%d\n%s", a.StatusCode, a.body)
	}
	file.Set("lossy", "on")
	preview := r.post(importForm, importForm, file)
	if !strings.Contains(preview.body, "2 changes, in one commit") || !strings.Contains(preview.body, "Cannot be kept") {
		t.Fatalf("%d\n%s", preview.StatusCode, preview.body)
	}
	if a := r.post(importForm, importForm, confirmed(t, preview, file)); a.StatusCode != 200 || r.revision() != 2 {
		t.Fatalf("%d\n%s", a.StatusCode, a.body)
	}
	if d := r.definition("odd<b>"); !strings.Contains(d, `"defaultVariant":"off"`) || strings.Contains(d, "targeting") {
		t.Errorf("what lost something is %s", d)
	}
}

// TestImportRefuses: one message at its field, and nothing written.
func TestImportRefuses(t *testing.T) {
	r := newRig(t, nil)
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate})
	for name, c := range map[string]struct {
		form        url.Values
		field, want string
	}{
		"nothing":            {url.Values{"text": {""}}, "text-problem", "may not be empty"},
		"no flag file":       {url.Values{"text": {"[1]"}}, "text-problem", ""},
		"a fault in a line":  {url.Values{"text": {"{\"flags\":{\r\n\"f\":{\"state\":\"ON\",\"variants\":{\"a\":1},\"defaultVariant\":\"a\"}}}"}}, "text-problem", "line 2"},
		"yaml with a fault":  {url.Values{"text": {"flags:\n  f: ["}}, "text-problem", ""},
		"no such segment":    {url.Values{"text": {`{"flags":{"f":{"state":"ENABLED","variants":{"a":1},"defaultVariant":"a","targeting":{"$ref":"none"}}}}`}}, "text-problem", `"none"`},
		"no such format":     {url.Values{"text": {"{}"}, "format": {"x<b>"}}, "format-problem", "x<b>"},
		"not of that format": {url.Values{"text": {`{"features":1}`}, "format": {"unleash"}}, "text-problem", ""},
		"an environment":     {url.Values{"text": {"{}"}, "environment": {"e\x07"}}, "environment-problem", "control character"},
	} {
		for _, do := range []string{"show", "import"} {
			c.form.Set("do", do)
			a := r.post(importForm, importForm, c.form)
			_, message, found := strings.Cut(a.body, `id="`+c.field+`">`)
			message, _, _ = strings.Cut(html.UnescapeString(message), "</p>")
			if a.StatusCode != 422 || !found || message == "" || !strings.Contains(message, c.want) || strings.Contains(a.body, "x<b>") {
				t.Errorf("%s: %d, at %s %.300q; want %q", name, a.StatusCode, c.field, message, c.want)
			}
		}
	}
	if a := r.do(formRequest(t, r.server.URL+importForm, "text="+strings.Repeat("x", 16<<20))); a.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a form larger than any file: %d", a.StatusCode)
	}
	if got := r.revision(); got != 1 {
		t.Errorf("something was written: revision %d", got)
	}
}
