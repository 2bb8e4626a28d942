package adminweb_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/adminweb"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// TestBadInput: whatever is typed, one message says what is wrong with which field,
// nothing changes, and what was typed is there to be mended.
func TestBadInput(t *testing.T) {
	r := newRig(t, nil)
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate, Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: onOff("ENABLED")}}})
	r.apply(flags.Commit{Set: "other", Op: flags.OpCreate, Changes: []flags.Mutation{{Key: flags.FlagKey("g"), Bytes: onOff("ENABLED")}}})
	const page = "/s/default/flag?key=f"
	deep := strings.Repeat(`{"!":[`, 80) + "true" + strings.Repeat("]}", 80)
	for name, c := range map[string]struct {
		path  string
		form  url.Values
		field string // id of the message
		want  string
	}{
		"a name too long":         {"/s/default/new", url.Values{"key": {strings.Repeat("k", 600)}}, "key-problem", "too long"},
		"no name":                 {"/s/default/new", url.Values{"key": {"  "}}, "key-problem", "may not be empty"},
		"a control character":     {"/s/default/new", url.Values{"key": {"a\x07b"}}, "key-problem", "U+0007"},
		"a turned direction":      {"/s/default/new", url.Values{"key": {"a\u202eb"}}, "key-problem", "U+202E"},
		"not UTF-8":               {"/s/default/new", url.Values{"key": {"a\xffb"}}, "key-problem", "not UTF-8"},
		"a name that is taken":    {"/s/default/new", url.Values{"key": {"f"}}, "key-problem", "already"},
		"no such type":            {"/s/default/new", url.Values{"key": {"g"}, "type": {"date"}}, "type-problem", "boolean"},
		"a line without =":        {"/s/default/new", url.Values{"key": {"g"}, "variants": {"on"}}, "variants-problem", "NAME = VALUE"},
		"a variant twice":         {"/s/default/new", url.Values{"key": {"g"}, "variants": {"a=true\na=false"}}, "variants-problem", "twice"},
		"a value of another type": {"/s/default/new", url.Values{"key": {"g"}, "variants": {"a=1"}}, "variants-problem", "boolean"},
		"an unknown default":      {"/s/default/new", url.Values{"key": {"g"}, "default": {"maybe"}}, "default-problem", "no variant"},
		"a rule of 1 MiB":         {page, url.Values{"do": {"rule"}, "as": {"json"}, "rule": {`{"in":["` + strings.Repeat("x", 1<<20) + `",["a"]]}`}}, "rule-problem", "too much"},
		"a condition of 1 MiB":    {page, url.Values{"do": {"rule"}, "rule": {`when a == "` + strings.Repeat("x", 1<<20) + `" serve on`}}, "rule-problem", "1048"},
		"deep nesting":            {page, url.Values{"do": {"rule"}, "as": {"json"}, "rule": {deep}}, "rule-problem", "64"},
		"no JSON":                 {page, url.Values{"do": {"rule"}, "as": {"json"}, "rule": {"{"}}, "rule-problem", "$"},
		"no condition":            {page, url.Values{"do": {"rule"}, "rule": {"when plan = 1 serve on"}}, "rule-problem", "Line 1, column 11"},
		"a rule to nowhere":       {page, url.Values{"do": {"rule"}, "rule": {"when plan == 1 serve maybe"}}, "rule-problem", "maybe"},
		"shares that do not sum":  {page, url.Values{"do": {"rollout"}, "variant": {"on", "off"}, "weight": {"30", "60"}}, "weight-problem", "sum to 90 %"},
		"a share that is none":    {page, url.Values{"do": {"rollout"}, "variant": {"on", "off"}, "weight": {"half", "50"}}, "weight-problem", "whole number"},
		"a share below nothing":   {page, url.Values{"do": {"rollout"}, "variant": {"on", "off"}, "weight": {"-1", "101"}}, "weight-problem", "0 to 100"},
		"a share of nobody":       {page, url.Values{"do": {"rollout"}, "variant": {"on", "maybe"}, "weight": {"50", "50"}}, "weight-problem", "no variant"},
		"a default of nobody":     {page, url.Values{"do": {"default"}, "variant": {"maybe"}}, "default-problem", "no variant"},
		"the default removed":     {page, url.Values{"do": {"variants"}, "variant": {"off", "on"}, "value": {"false", "true"}, "remove": {"off"}}, "value-problem", "off"},
		"a kind there is not":     {page, url.Values{"do": {"about"}, "kind": {"other"}}, "kind-problem", "release"},
		"no day":                  {page, url.Values{"do": {"about"}, "expires": {"soon"}}, "expires-problem", "2027-03-31"},
		"a reason too long":       {page, url.Values{"do": {"about"}, "owner": {"o"}, "reason": {strings.Repeat("r", 2000)}}, "about-reason-problem", "too long"},
		"an override of nobody":   {page, url.Values{"do": {"override"}, "variant": {"on"}}, "entity-problem", "may not be empty"},
		"an override to nothing":  {page, url.Values{"do": {"override"}, "entity": {"t"}, "variant": {"maybe"}}, "override-variant-problem", "maybe"},
		"deletion by mistake":     {page, url.Values{"do": {"delete"}, "confirm": {"g"}}, "confirm-problem", "Type the key"},
		"a segment of nothing":    {"/s/default/segments", url.Values{"do": {"save"}, "segment": {"s"}}, "new-rule-problem", "may not be empty"},
		"an unknown segment":      {page, url.Values{"do": {"rule"}, "rule": {`when segment("nobody") serve on`}}, "rule-problem", `unknown segment "nobody"; make it on the page Segments first`},
		"an unknown one in JSON":  {page, url.Values{"do": {"rule"}, "as": {"json"}, "rule": {`{"if":[{"$ref":"nobody"},"on"]}`}}, "rule-problem", `unknown segment "nobody"; make it`},
		"segments inside, JSON":   {"/s/default/segments", url.Values{"do": {"save"}, "segment": {"s"}, "as": {"json"}, "rule": {`{"!":{"$ref":"s"}}`}}, "new-rule-problem", "a segment cannot refer to another"},
		"a segment of a segment":  {"/s/default/segments", url.Values{"do": {"save"}, "segment": {"s"}, "rule": {`segment("t")`}}, "new-rule-problem", "Line 1"},
		"a set with a space":      {"/sets", url.Values{"set": {"a b"}}, "set-problem", "a-z"},
		"a set that is there":     {"/sets", url.Values{"set": {"default"}}, "set-problem", "already"},
		"a set's name too long":   {"/sets", url.Values{"set": {strings.Repeat("s", 300)}}, "set-problem", "too long"},
		"a variant turned":        {page, url.Values{"do": {"variants"}, "new-name": {"v\u2067"}, "new-value": {"true"}}, "new-name-problem", "U+2067"},
		"a variant too long":      {page, url.Values{"do": {"variants"}, "new-name": {strings.Repeat("v", 600)}, "new-value": {"true"}}, "new-name-problem", "too long"},
		"a variant of no name":    {page, url.Values{"do": {"variants"}, "new-value": {"true"}}, "new-name-problem", "name of its variant"},
		"a variant's other type":  {page, url.Values{"do": {"variants"}, "new-name": {"v"}, "new-value": {"1"}}, "new-value-problem", "boolean"},
		"a value that is no JSON": {page, url.Values{"do": {"variants"}, "variant": {"on"}, "value": {"tru"}}, "value-problem", "on:"},
		"an owner that rings":     {page, url.Values{"do": {"about"}, "owner": {"o\x07"}}, "owner-problem", "U+0007"},
		"tags too long":           {page, url.Values{"do": {"about"}, "tags": {strings.Repeat("t,", 400)}}, "tags-problem", "too long"},
		"a description turned":    {page, url.Values{"do": {"about"}, "description": {"d\u200f"}}, "description-problem", "U+200F"},
		"no day to expire on":     {page, url.Values{"do": {"about"}, "expires": {"2027-02-30"}}, "expires-problem", "2027-03-31"},
		"permanent until then":    {page, url.Values{"do": {"about"}, "expires": {"2027-03-31"}, "permanent": {"on"}}, "expires-problem", "permanent"},
		"told apart by a bell":    {page, url.Values{"do": {"rollout"}, "variant": {"on", "off"}, "weight": {"30", "70"}, "by": {"b\x07"}}, "by-problem", "U+0007"},
		"an entity too long":      {page, url.Values{"do": {"override"}, "variant": {"on"}, "entity": {strings.Repeat("e", 600)}}, "entity-problem", "too long"},
		"an entity turned":        {page, url.Values{"do": {"override"}, "variant": {"on"}, "entity": {"e\u202e"}}, "entity-problem", "U+202E"},
		"a signature too long":    {page, url.Values{"do": {"about"}, "owner": {"o"}, "name": {strings.Repeat("n", 200)}}, "about-name-problem", "too long"},
		"a segment's name turned": {"/s/default/segments", url.Values{"do": {"save"}, "segment": {"s\u202e"}, "rule": {"a == 1"}}, "segment-problem", "U+202E"},
		"a segment of 1 MiB":      {"/s/default/segments", url.Values{"do": {"save"}, "segment": {"s"}, "rule": {`a == "` + strings.Repeat("x", 1<<20) + `"`}}, "new-rule-problem", "1048"},
		"a deep segment":          {"/s/default/segments", url.Values{"do": {"save"}, "segment": {"s"}, "as": {"json"}, "rule": {deep}}, "new-rule-problem", "64"},
		"a switch that rings":     {"/s/default/switch", url.Values{"key": {"f"}, "to": {"disabled"}, "base": {"0.1"}, "reason": {"r\x07"}}, "switch-reason-problem", "U+0007"},
		"an override that rings":  {"/s/default/entity?id=t", url.Values{"key": {"f"}, "variant": {"on"}, "reason": {"r\x07"}}, "reason-problem", "U+0007"},
		"an override to none":     {"/s/default/entity?id=t", url.Values{"key": {"f"}, "variant": {"maybe"}}, "variant-problem", "maybe"},
		"a promotion that rings":  {"/s/default/promote", url.Values{"from": {"other"}, "entry": {"flag:g"}, "base:flag:g": {""}, "reason": {"r\x07"}}, "promote-reason-problem", "U+0007"},
		"a rollback that rings":   {"/s/default/rollback", url.Values{"to": {"0.1"}, "base": {"0.1"}, "reason": {"r\x07"}}, "rollback-reason-problem", "U+0007"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.path == page {
				c.form.Set("base", "0.1")
				if c.form.Get("do") == "override" {
					c.form.Del("base")
				}
			}
			if c.path == "/s/default/new" {
				for field, value := range map[string]string{"type": "boolean", "variants": "on = true\noff = false", "default": "off"} {
					if !c.form.Has(field) {
						c.form.Set(field, value)
					}
				}
			}
			a := r.post(c.path, "/s/default/new", c.form)
			_, message, found := strings.Cut(a.body, `id="`+c.field+`">`)
			message, _, _ = strings.Cut(html.UnescapeString(message), "</p>")
			if a.StatusCode != 422 || !found || !strings.Contains(message, c.want) {
				t.Errorf("%d, at %s %.300q; want %q", a.StatusCode, c.field, message, c.want)
			}
			if head, err := r.store.Head(t.Context(), "default"); err != nil || head.Revision != 1 {
				t.Fatalf("something was written: %s, %v", head.Token(), err)
			}
		})
	}
	for name, base := range map[string]string{"a revision to come": "0.9", "another life of the set": "3.1"} {
		a := r.post(page, page, url.Values{"do": {"about"}, "owner": {"o"}, "base": {base}})
		if a.StatusCode != 409 || !strings.Contains(a.body, "nothing was changed") {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
	}
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"more than a form": {"reason=" + strings.Repeat("x", 5<<20), 413},
		"not a form":       {"%zz", 400},
		"no form of ours":  {"do=nothing", 403},
	} {
		if a := r.do(formRequest(t, r.server.URL+page, c.body)); a.StatusCode != c.status || !strings.Contains(a.body, "othing was changed") {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
	}
}

// TestBadKeys: the same for API keys, of which none is made then.
func TestBadKeys(t *testing.T) {
	st := memstore.New(nil)
	r := newRig(t, func(o *adminweb.Options) { o.Records = st })
	for name, c := range map[string]struct{ field, text, want string }{
		"a name that rings":   {"keyname", "k\x07", "U+0007"},
		"a name turned":       {"keyname", "k\u202e", "U+202E"},
		"a name too long":     {"keyname", strings.Repeat("k", 200), "too long"},
		"no such role":        {"role", "owner", "owner"},
		"no name of a set":    {"sets", "default, a/b", "a/b"},
		"no number of days":   {"days", "soon", "1 to 3650"},
		"a day before":        {"days", "0", "1 to 3650"},
		"more than ten years": {"days", "3651", "1 to 3650"},
	} {
		form := url.Values{"do": {"new"}, "role": {"reader"}, "keyname": {"k"}}
		form.Set(c.field, c.text)
		a := r.post("/keys", "/keys", form)
		_, message, found := strings.Cut(a.body, `id="`+c.field+`-problem">`)
		message, _, _ = strings.Cut(html.UnescapeString(message), "</p>")
		if a.StatusCode != 422 || !found || !strings.Contains(message, c.want) {
			t.Errorf("%s: %d, at %s %.300q; want %q", name, a.StatusCode, c.field, message, c.want)
		}
	}
	if keys, err := authz.ListKeys(t.Context(), st); err != nil || len(keys) != 0 {
		t.Errorf("%d keys were made, %v", len(keys), err)
	}
}

var (
	postForms = regexp.MustCompile(`(?s)<form[^>]* method="post" action="([^"]+)".*?</form>`)
	allFields = regexp.MustCompile(`<(?:input|textarea|select|button)[^>]* name="([^"]+)"(?:[^>]* value="([^"]*)")?`)
)

// TestHostileFields: whatever is typed into any field of any form comes back as text.
func TestHostileFields(t *testing.T) {
	st := memstore.New(nil)
	r := newRig(t, func(o *adminweb.Options) { o.Records = st })
	segment := flags.Mutation{Key: flags.EntryKey{Kind: flags.KindEvaluator, Name: "s"}, Bytes: []byte(`{"==":[{"var":"a"},1]}`)}
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate, Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: onOff("ENABLED")}, segment}})
	r.apply(flags.Commit{Set: "default", Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: onOff("DISABLED")}}})
	r.apply(flags.Commit{Set: "other", Op: flags.OpCreate})
	fields := 0
	for _, page := range []string{
		"/s/default/new", "/s/default/flag?key=f", "/s/default/flag?key=f&as=json", "/s/default/switch?key=f&to=enabled", "/s/default/segments", "/s/default/entity?id=t",
		"/sets", "/sets/compare?from=default&to=other", "/keys", "/s/default/rollback?to=1", "/s/default/commit?at=0.2", importForm, "/login",
	} {
		for _, form := range postForms.FindAllStringSubmatch(r.get(page).body, -1) {
			values := url.Values{}
			for _, field := range allFields.FindAllStringSubmatch(form[0], -1) {
				values.Set(field[1], html.UnescapeString(field[2]))
			}
			for field, was := range values {
				if field == "token" || field == "next" {
					continue
				}
				fields++
				values[field] = []string{evil}
				a := r.post(html.UnescapeString(form[1]), page, values)
				if strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "<img") {
					t.Errorf("%s: the field %s of %s is not escaped", page, field, form[1])
				}
				values[field] = was
			}
		}
	}
	if fields < 60 {
		t.Errorf("only %d fields were found", fields)
	}
}
