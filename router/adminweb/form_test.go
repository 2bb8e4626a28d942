package adminweb_test

import (
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// TestBadInput: whatever is typed, one message says what is wrong with which field,
// nothing changes, and what was typed is there to be mended.
func TestBadInput(t *testing.T) {
	r := newRig(t, nil)
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate, Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: onOff("ENABLED")}}})
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
		"a segment of a segment":  {"/s/default/segments", url.Values{"do": {"save"}, "segment": {"s"}, "rule": {`segment("t")`}}, "new-rule-problem", "Line 1"},
		"a set with a space":      {"/sets", url.Values{"set": {"a b"}}, "set-problem", "a-z"},
		"a set that is there":     {"/sets", url.Values{"set": {"default"}}, "set-problem", "already"},
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
			a := r.post(c.path, c.path, c.form)
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
