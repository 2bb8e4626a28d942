package adminweb_test

import (
	"html"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
)

// TestChangesReadAsExpressions: wherever the page says what changed, rules stand as
// people write them, before and after; a rule that is none stays JSON.
func TestChangesReadAsExpressions(t *testing.T) {
	r := newRig(t, nil)
	targeted := func(rule string) []byte {
		return []byte(`{"defaultVariant":"off","state":"ENABLED","targeting":` + rule + `,"variants":{"off":false,"on":true}}`)
	}
	when := func(text string) string {
		targeting, err := expression.ParseTargeting(text)
		if err != nil {
			t.Fatal(err)
		}
		rule, err := targeting.Compile()
		if err != nil {
			t.Fatal(err)
		}
		return string(rule)
	}
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate, Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: targeted(when(`when plan == "free" serve on`))}}})
	r.apply(flags.Commit{Set: "default", Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: targeted(when(`when plan == "pro" serve on`))}}})
	r.apply(flags.Commit{Set: "other", Op: flags.OpCreate})
	const before, after = `-     when plan == "free" serve on`, `+     when plan == "pro" serve on`
	for path, wants := range map[string][]string{
		"/s/default/history":                  {`f: targeting -> when plan == "pro" serve on`},
		"/s/default/commit?at=0.2":            {before, after, `f: targeting -> when`},
		"/s/default/flag?key=f":               {before, after, `f: targeting -> when`},
		"/s/default/rollback?to=0.1":          {"-" + after[1:], "+" + before[1:]},
		"/sets/compare?from=default&to=other": {after},
		"/s/default/flag?key=f&revision=1":    {`+     when plan == "free" serve on`},
	} {
		body := html.UnescapeString(r.get(path).body)
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("GET %s lacks %q:\n%s", path, want, body)
			}
		}
	}
	r.apply(flags.Commit{Set: "default", Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: targeted(`{"+":[{"var":"a"},1]}`)}}})
	if body := html.UnescapeString(r.get("/s/default/commit?at=0.3").body); !strings.Contains(body, `+     "+": [`) || !strings.Contains(body, "f: targeting changed") {
		t.Errorf("a rule that is no expression is not shown as JSON:\n%s", body)
	}
}
