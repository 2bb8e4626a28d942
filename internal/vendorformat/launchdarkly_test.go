package vendorformat_test

import (
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/vendorformat"
)

const darkly = `{
  "flags": {
    "checkout": {
      "on": true, "variations": [true, false], "offVariation": 1, "salt": "s", "version": 3,
      "targets": [{"variation": 1, "values": ["blocked"]}, {"variation": 0, "values": ["tester", "blocked"]}],
      "rules": [
        {"id": "a", "variation": 0, "clauses": [
          {"attribute": "country", "op": "in", "values": ["NZ", "AU"]},
          {"attribute": "email", "op": "endsWith", "values": ["@example.com", "@example.org"]}]},
        {"id": "b", "variation": 0, "clauses": [{"attribute": "plan", "op": "in", "values": ["free"], "negate": true}]},
        {"id": "c", "variation": 1, "clauses": [{"attribute": "key", "op": "startsWith", "values": ["bot-"]}]}
      ],
      "fallthrough": {"rollout": {"variations": [{"variation": 0, "weight": 30000}, {"variation": 1, "weight": 70000}]}}
    },
    "theme": {"on": false, "variations": ["light", "dark"], "offVariation": 0, "fallthrough": {"variation": 1},
      "rules": [{"variation": 1, "clauses": [{"attribute": "beta", "op": "in", "values": [true]}]}],
      "targets": [{"variation": 1, "values": ["tester"]}]},
    "paused": {"on": false, "variations": [1, 2], "fallthrough": {"variation": 1}},
    "plain-off": {"on": false, "variations": [true, false], "offVariation": 1, "fallthrough": {"variation": 0}},
    "limits": {"on": true, "variations": [{"seats": 5}, {"seats": 50}], "fallthrough": {"variation": 0}, "offVariation": 0, "rules": [
      {"variation": 1, "clauses": [{"attribute": "seats", "op": "greaterThan", "values": [10]}, {"attribute": "seats", "op": "lessThanOrEqual", "values": [90]}]},
      {"variation": 1, "clauses": [{"attribute": "age", "op": "lessThan", "values": [10], "negate": true}]}]},
    "version": {"on": true, "variations": ["old", "new"], "fallthrough": {"variation": 0}, "offVariation": 0, "rules": [
      {"variation": 1, "clauses": [{"attribute": "app", "op": "semVerGreaterThan", "values": ["2.1.0"]}]},
      {"variation": 1, "clauses": [{"attribute": "app", "op": "semVerEqual", "values": ["1.0"]}]}]},
    "staff-only": {"on": true, "variations": [true, false], "fallthrough": {"variation": 1}, "offVariation": 1, "rules": [
      {"variation": 0, "clauses": [{"attribute": "", "op": "segmentMatch", "values": ["staff"]}]}]},
    "not-staff": {"on": true, "variations": [true, false], "fallthrough": {"variation": 1}, "offVariation": 1, "rules": [
      {"variation": 0, "clauses": [{"op": "segmentMatch", "values": ["staff", "nobody"], "negate": true}]}]},
    "nested": {"on": true, "variations": [true, false], "fallthrough": {"variation": 1}, "offVariation": 1, "rules": [
      {"variation": 0, "clauses": [{"op": "segmentMatch", "values": ["outer"]}]}]},
    "org": {"on": true, "variations": ["a", "b"], "fallthrough": {"variation": 0}, "offVariation": 0,
      "contextTargets": [{"contextKind": "org", "variation": 1, "values": ["acme"]}, {"contextKind": "user", "variation": 1, "values": []}],
      "targets": [{"variation": 1, "values": ["vip"]}],
      "rules": [{"variation": 1, "clauses": [{"contextKind": "org", "attribute": "/address/city", "op": "in", "values": ["Oslo"]}]}]},
    "by-company": {"on": true, "variations": ["a", "b", "c"], "offVariation": 0,
      "fallthrough": {"rollout": {"bucketBy": "company", "seed": 61, "kind": "experiment", "variations": [{"variation": 1, "weight": 20000}, {"variation": 2, "weight": 60000}, {"variation": 1, "weight": 10000, "untracked": true}]}}},
    "gone": {"deleted": true}
  },
  "flagValues": {"simple": "value", "on": true},
  "segments": {
    "staff": {"included": ["ann"], "excluded": ["eve"], "rules": [{"clauses": [{"attribute": "email", "op": "contains", "values": ["@corp."]}]}]},
    "nobody": {"included": []},
    "outer": {"rules": [{"clauses": [{"op": "segmentMatch", "values": ["staff"]}, {"attribute": "country", "op": "in", "values": ["NZ"]}]}]},
    "half": {"rules": [{"weight": 50000, "clauses": []}]}
  }
}`

func TestLaunchDarkly(t *testing.T) {
	got := read(t, "launchdarkly", darkly, vendorformat.Options{})
	view := viewOf(t, got)
	ask(t, view, []question{
		// Targets go before rules, and the first that names somebody wins.
		{"checkout", `"targetingKey": "blocked", "country": "NZ", "email": "a@example.com"`, "false"},
		{"checkout", `"targetingKey": "tester"`, "true"},
		// All clauses of a rule, any value of a clause.
		{"checkout", `"targetingKey": "bot-1", "country": "AU", "email": "a@example.org"`, "true"},
		{"checkout", `"targetingKey": "bot-1", "country": "AU", "email": "a@example.net"`, "false"},
		// A negated clause needs the attribute.
		{"checkout", `"targetingKey": "bot-1", "plan": "pro"`, "true"},
		{"checkout", `"targetingKey": "bot-1", "plan": "free"`, "false"},
		{"checkout", `"targetingKey": "bot-1"`, "false"},
		// Off serves the off variation, to targets too; without one, the code's default.
		{"theme", `"targetingKey": "tester", "beta": true`, `"light"`},
		{"paused", `"targetingKey": "a"`, codeDefault},
		{"plain-off", `"targetingKey": "a"`, "false"},
		{"limits", `"targetingKey": "a", "seats": 11`, `{"seats":50}`},
		{"limits", `"targetingKey": "a", "seats": 91`, `{"seats":5}`},
		{"limits", `"targetingKey": "a"`, `{"seats":5}`},
		{"limits", `"targetingKey": "a", "age": 12`, `{"seats":50}`},
		{"limits", `"targetingKey": "a", "age": 9`, `{"seats":5}`},
		{"version", `"targetingKey": "a", "app": "2.1.1"`, `"new"`},
		{"version", `"targetingKey": "a", "app": "2.1.0"`, `"old"`},
		{"version", `"targetingKey": "a", "app": "1.0.0"`, `"new"`},
		{"version", `"targetingKey": "a", "app": "newest"`, `"old"`},
		// Included, else not excluded and a rule.
		{"staff-only", `"targetingKey": "ann"`, "true"},
		{"staff-only", `"targetingKey": "eve", "email": "eve@corp.example"`, "false"},
		{"staff-only", `"targetingKey": "bob", "email": "bob@corp.example"`, "true"},
		{"staff-only", `"targetingKey": "bob"`, "false"},
		{"not-staff", `"targetingKey": "bob"`, "true"},
		{"not-staff", `"targetingKey": "ann"`, "false"},
		{"nested", `"targetingKey": "ann", "country": "NZ"`, "true"},
		{"nested", `"targetingKey": "ann", "country": "US"`, "false"},
		{"org", `"targetingKey": "a", "org": {"key": "acme"}`, `"b"`},
		{"org", `"targetingKey": "vip"`, `"b"`},
		{"org", `"targetingKey": "a", "org": {"key": "x", "address": {"city": "Oslo"}}`, `"b"`},
		{"org", `"targetingKey": "a", "org": {"key": "x"}`, `"a"`},
		{"by-company", `"targetingKey": "a"`, `"b"`}, // without the attribute: the beginning of the scale
		{"gone", ``, "FLAG_NOT_FOUND there is no such flag"},
		{"simple", ``, `"value"`},
		{"on", ``, "true"},
	})
	wantShares(t, view, "checkout", map[string]any{}, "targetingKey", map[string]float64{"true": 30, "false": 70})
	wantShares(t, view, "by-company", map[string]any{"targetingKey": "one"}, "company", map[string]float64{`"b"`: 40, `"c"`: 60})
	wantNotes(t, got.Notes,
		vendorformat.Note{Flag: "checkout", Place: "fallthrough", Text: "another hash"},
		vendorformat.Note{Flag: "theme", Text: `first rule serves "light"`},
		vendorformat.Note{Flag: "plain-off", Text: `it is off: its default is "off"; switched on it would be "on"`},
		vendorformat.Note{Flag: "limits", Place: "rule 1, rule 2", Text: "compared as one here"},
		vendorformat.Note{Flag: "version", Place: "rule 1, rule 2", Text: "begin with v"},
		vendorformat.Note{Flag: "org", Place: "targets 1, rule 1", Text: `kind "org"`},
		vendorformat.Note{Flag: "by-company", Place: "fallthrough", Text: "experiment"},
		vendorformat.Note{Place: `segment "half"`, Text: "another hash"},
		vendorformat.Note{Place: "all rules", Text: "list"},
	)
}

// TestLaunchDarklyLosses: what cannot be kept is named; with Lossy the flag is off.
func TestLaunchDarklyLosses(t *testing.T) {
	lost, got := lossOf(t, "launchdarkly", `{"flags": {
    "child": {"on": true, "variations": [true, false], "offVariation": 1, "prerequisites": [{"key": "parent", "variation": 0}], "fallthrough": {"variation": 0}},
    "mail": {"on": true, "variations": [true, false], "offVariation": 1, "fallthrough": {"variation": 0}, "rules": [
      {"variation": 0, "clauses": [{"attribute": "country", "op": "in", "values": ["NZ"]}]},
      {"variation": 1, "clauses": [{"attribute": "email", "op": "matches", "values": ["^.*@spam"]}]}]},
    "late": {"on": true, "variations": [1, 2], "fallthrough": {"variation": 0}, "rules": [
      {"variation": 1, "clauses": [{"attribute": "born", "op": "before", "values": ["2001-01-01T00:00:00Z"]}]}]},
    "big": {"on": true, "variations": [true, false], "offVariation": 1, "fallthrough": {"variation": 1}, "rules": [
      {"variation": 0, "clauses": [{"op": "segmentMatch", "values": ["stored"]}]}]},
    "round": {"on": true, "variations": [true, false], "offVariation": 1, "fallthrough": {"variation": 1}, "rules": [
      {"variation": 0, "clauses": [{"op": "segmentMatch", "values": ["a"]}]}]},
    "odd": {"on": true, "variations": [true, "x"], "offVariation": 1, "fallthrough": {"variation": 1}},
    "list": {"on": true, "variations": [[1], [2]], "offVariation": 1, "fallthrough": {"variation": 1}}},
  "segments": {"stored": {"unbounded": true},
    "a": {"rules": [{"clauses": [{"op": "segmentMatch", "values": ["b"]}]}]}, "b": {"rules": [{"clauses": [{"op": "segmentMatch", "values": ["a"]}]}]}}}`)
	wantNotes(t, lost,
		vendorformat.Note{Flag: "child", Place: "prerequisites", Text: `flag "parent"`, Lost: true},
		vendorformat.Note{Flag: "mail", Place: "rule 2", Text: "no regular expressions", Lost: true},
		vendorformat.Note{Flag: "late", Place: "rule 1", Text: "no comparisons of dates", Lost: true},
		vendorformat.Note{Flag: "big", Place: "rule 1", Text: `segment "stored"`, Lost: true},
		vendorformat.Note{Flag: "round", Place: "rule 1", Text: `segment "a"`, Lost: true},
		vendorformat.Note{Place: `segment "b"`, Text: "contains itself", Lost: true},
		vendorformat.Note{Flag: "odd", Text: "several types", Lost: true},
		vendorformat.Note{Flag: "list", Text: "JSON array", Lost: true},
	)
	ask(t, viewOf(t, got), []question{
		{"child", `"targetingKey": "a"`, "false"},
		{"mail", `"targetingKey": "a", "country": "NZ"`, "false"},
		{"late", `"targetingKey": "a"`, codeDefault},
		{"big", `"targetingKey": "a"`, "false"},
		{"odd", ``, "FLAG_NOT_FOUND there is no such flag"},
	})
	wantNotes(t, got.Notes, vendorformat.Note{Flag: "mail", Text: `switched off, because something of it is lost: its first rule serves "off"`})
}

const darklyREST = `{"items": [
  {"key": "checkout", "name": "Checkout", "description": "one page", "temporary": false, "tags": ["shop", "a,b"], "_maintainer": {"email": "ann@example.com"},
   "variations": [{"_id": "1", "name": "Shown", "value": true}, {"_id": "2", "value": false}],
   "environments": {
     "production": {"on": true, "offVariation": 1, "fallthrough": {"variation": 1}, "targets": [{"variation": 0, "values": ["ann"]}], "rules": []},
     "test": {"on": true, "offVariation": 1, "fallthrough": {"variation": 0}}}},
  {"key": "old", "archived": true, "variations": [], "environments": {}}]}`

func TestLaunchDarklyREST(t *testing.T) {
	got := read(t, "launchdarkly", darklyREST, vendorformat.Options{Environment: "production"})
	view := viewOf(t, got)
	ask(t, view, []question{{"checkout", `"targetingKey": "ann"`, "true"}, {"checkout", `"targetingKey": "bob"`, "false"}})
	ask(t, viewOf(t, read(t, "launchdarkly", darklyREST, vendorformat.Options{Environment: "test"})), []question{{"checkout", `"targetingKey": "bob"`, "true"}})
	definition, err := flags.ParseDefinition(got.Document.Entries()[0].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	about := definition.About()
	if about.Description != "one page" || about.Owner != "ann@example.com" || !about.Permanent || len(about.Tags) != 2 || about.Tags[1] != "a b" {
		t.Errorf("about: %+v", about)
	}
	if _, named := definition.Variant("Shown"); !named {
		t.Errorf("variants: %s", definition)
	}
	wantNotes(t, got.Notes, vendorformat.Note{Flag: "old", Text: "archived"})
}

func TestLaunchDarklyBadFiles(t *testing.T) {
	refuse(t, "launchdarkly", []badFile{
		{`{"flags": {"a": }}`, "export:1:17: $.flags.a: unexpected '}'"},
		{"{\"flags\": {\"a\": {\n  \"on\": \"yes\"}}}", "export:2:"},
		{`{"flags": {"a": {"variations": [true], "on": true, "fallthrough": {"variation": 3}}}}`, "$.flags.a.fallthrough.variation: variation 3 of 1"},
		{`{"flags": {"a": {"variations": [true], "on": true}}}`, "$.flags.a.fallthrough: neither a variation nor a rollout"},
		{`{"flags": {"a": {"variations": [true], "on": true, "fallthrough": {"rollout": {"variations": [{"variation": 0, "weight": -1}]}}}}}`, "a weight is from 0"},
		{`{}`, `no "flags"`},
		{darklyREST, `no environment ""; choose with --environment one of: production, test`},
	})
}

func FuzzLaunchDarkly(f *testing.F) {
	fuzz(f, "launchdarkly", darkly, darklyREST, `{"flags":{"a":{"on":true,"variations":[1],"fallthrough":{"rollout":{"variations":[{"weight":5}]}}}}}`)
}
