package vendorformat_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/vendorformat"
)

const unleashed = `{
  "features": [
    {"name": "plain", "description": "on for all", "type": "kill-switch", "stale": true},
    {"name": "off", "type": "release"},
    {"name": "rules", "type": "operational"},
    {"name": "half", "type": "experiment"},
    {"name": "by-tenant", "type": "release"},
    {"name": "asleep", "type": "release"},
    {"name": "time", "type": "release"},
    {"name": "shown", "type": "experiment"},
    {"name": "gone", "archived": true}],
  "featureEnvironments": [
    {"featureName": "plain", "environment": "production", "enabled": true},
    {"featureName": "off", "environment": "production", "enabled": false},
    {"featureName": "rules", "environment": "production", "enabled": true},
    {"featureName": "half", "environment": "production", "enabled": true},
    {"featureName": "by-tenant", "environment": "production", "enabled": true},
    {"featureName": "asleep", "environment": "production", "enabled": true},
    {"featureName": "time", "environment": "production", "enabled": true},
    {"featureName": "shown", "environment": "production", "enabled": true, "variants": [
      {"name": "red", "weight": 250, "weightType": "fix", "stickiness": "default", "payload": {"type": "string", "value": "#f00"}, "overrides": [{"contextName": "country", "values": ["NZ"]}]},
      {"name": "blue", "weight": 750, "stickiness": "default", "payload": {"type": "string", "value": "#00f"}}]}],
  "featureStrategies": [
    {"featureName": "off", "name": "default"},
    {"featureName": "rules", "name": "userWithId", "parameters": {"userIds": "ann, bob"}},
    {"featureName": "rules", "name": "default", "segments": [7], "constraints": [
      {"contextName": "plan", "operator": "IN", "values": ["pro", "5"]},
      {"contextName": "country", "operator": "NOT_IN", "values": ["US"]}]},
    {"featureName": "rules", "name": "default", "constraints": [
      {"contextName": "email", "operator": "STR_ENDS_WITH", "values": ["@a.example", "@b.example"]},
      {"contextName": "seats", "operator": "NUM_GTE", "value": "10"},
      {"contextName": "email", "operator": "STR_CONTAINS", "values": ["bot"], "inverted": true}]},
    {"featureName": "rules", "name": "default", "constraints": [{"contextName": "app", "operator": "SEMVER_GT", "value": "2.0.0"}]},
    {"featureName": "half", "name": "flexibleRollout", "parameters": {"rollout": "50", "stickiness": "default", "groupId": "half"}},
    {"featureName": "by-tenant", "name": "flexibleRollout", "parameters": {"rollout": 30, "stickiness": "tenant"}},
    {"featureName": "asleep", "name": "default", "disabled": true},
    {"featureName": "time", "name": "default", "constraints": [{"contextName": "currentTime", "operator": "DATE_AFTER", "value": "2001-01-01T00:00:00Z"}]},
    {"featureName": "shown", "name": "flexibleRollout", "parameters": {"rollout": "40", "stickiness": "userId"}}],
  "segments": [{"id": 7, "name": "down-under", "constraints": [{"contextName": "country", "operator": "IN", "values": ["NZ", "AU"]}]}],
  "featureTags": [{"featureName": "plain", "tagType": "simple", "tagValue": "shop"}, {"featureName": "plain", "tagType": "team", "tagValue": "a"}]
}`

func TestUnleash(t *testing.T) {
	got := read(t, "unleash", unleashed, vendorformat.Options{})
	view := viewOf(t, got)
	ask(t, view, []question{
		{"plain", ``, "true"}, // no strategy: everybody
		{"off", `"targetingKey": "ann"`, "false"},
		{"asleep", `"targetingKey": "ann"`, "false"}, // only disabled strategies: nobody
		// Any strategy; all constraints of one, and its segments.
		{"rules", `"targetingKey": "bob"`, "true"},
		{"rules", `"targetingKey": "eve"`, "false"},
		{"rules", `"targetingKey": "eve", "plan": "pro", "country": "NZ"`, "true"},
		{"rules", `"targetingKey": "eve", "plan": 5, "country": "NZ"`, "true"}, // values are text there
		{"rules", `"targetingKey": "eve", "plan": "pro", "country": "US"`, "false"},
		{"rules", `"targetingKey": "eve", "plan": "pro"`, "false"},
		{"rules", `"targetingKey": "eve", "email": "x@b.example", "seats": 10`, "true"},
		{"rules", `"targetingKey": "eve", "email": "x@b.example", "seats": "11"`, "true"},
		{"rules", `"targetingKey": "eve", "email": "x@b.example"`, "false"},
		{"rules", `"targetingKey": "eve", "email": "bot@b.example", "seats": 10`, "false"},
		{"rules", `"targetingKey": "eve", "app": "2.0.1"`, "true"},
		{"rules", `"targetingKey": "eve", "app": "2.0.0"`, "false"},
		{"half", ``, "false"},
		{"by-tenant", `"targetingKey": "ann"`, "false"}, // without what it goes by
		{"time", ``, "true"},
		{"gone", ``, "FLAG_NOT_FOUND there is no such flag"},
	})
	wantShares(t, view, "half", map[string]any{}, "targetingKey", map[string]float64{"true": 50, "false": 50})
	wantShares(t, view, "by-tenant", map[string]any{"targetingKey": "one"}, "tenant", map[string]float64{"true": 30, "false": 70})
	wantShares(t, view, "shown.variant", map[string]any{}, "targetingKey", map[string]float64{`"#f00"`: 10, `"#00f"`: 30, `""`: 60})
	wantShares(t, view, "shown.variant", map[string]any{"country": "NZ"}, "targetingKey", map[string]float64{`"#f00"`: 40, `""`: 60})
	for i := range 1000 { // getVariant and isEnabled agree
		context := map[string]any{"targetingKey": fmt.Sprintf("user-%d", i)}
		if in, variant := answer(t, view, "shown", context), answer(t, view, "shown.variant", context); (in == "true") != (variant != `""`) {
			t.Fatalf("%v: enabled %s, variant %s", context, in, variant)
		}
	}
	wantNotes(t, got.Notes,
		vendorformat.Note{Flag: "half", Place: "strategy 1", Text: "another hash"},
		vendorformat.Note{Flag: "half", Place: "strategy 1", Text: "else chance"},
		vendorformat.Note{Flag: "rules", Place: "strategy 4", Text: "begin with v"},
		vendorformat.Note{Flag: "off", Text: `first rule serves "off"`},
		vendorformat.Note{Flag: "asleep", Place: "strategy 1", Text: "disabled"},
		vendorformat.Note{Flag: "time", Place: "strategy 1", Text: "currentTime"},
		vendorformat.Note{Flag: "shown", Text: "shown.variant"},
		vendorformat.Note{Flag: "gone", Text: "archived"},
	)
	for _, e := range got.Document.Entries() {
		if e.Key != flags.FlagKey("plain") {
			continue
		}
		d, err := flags.ParseDefinition(e.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if a := d.About(); a.Kind != "ops" || !a.Permanent || strings.Join(a.Tags, " ") != "shop team:a stale" || a.Description != "on for all" {
			t.Errorf("about: %+v", a)
		}
	}
}

// TestUnleashClient: what SDKs are sent holds strategies and variants in the features.
func TestUnleashClient(t *testing.T) {
	got := read(t, "unleash", `{"version": 2, "features": [
      {"name": "a", "enabled": true, "strategies": [{"name": "flexibleRollout", "parameters": {"rollout": "100", "stickiness": "default"},
        "variants": [{"name": "x", "weight": 1000, "payload": {"type": "json", "value": "{\"n\": 1}"}}]}]},
      {"name": "b", "enabled": true, "strategies": [], "variants": [{"name": "y", "weight": 500}, {"name": "z", "weight": 500}]},
      {"name": "c", "enabled": false, "strategies": []}]}`, vendorformat.Options{})
	view := viewOf(t, got)
	ask(t, view, []question{{"a", ``, "true"}, {"a.variant", ``, `{"n":1}`}, {"b", ``, "true"}, {"c", ``, "false"}})
	wantShares(t, view, "b.variant", map[string]any{}, "targetingKey", map[string]float64{`"y"`: 50, `"z"`: 50})
}

func TestUnleashLosses(t *testing.T) {
	lost, got := lossOf(t, "unleash", `{"features": [{"name": "f", "enabled": true, "strategies": [
        {"name": "userWithId", "parameters": {"userIds": "ann"}},
        {"name": "default", "constraints": [{"contextName": "email", "operator": "STR_ENDS_WITH", "values": ["x"], "caseInsensitive": true}]},
        {"name": "default", "constraints": [{"contextName": "born", "operator": "DATE_BEFORE", "value": "2001-01-01T00:00:00Z"}]},
        {"name": "default", "constraints": [{"contextName": "email", "operator": "REGEX", "value": "x$"}]},
        {"name": "remoteAddress", "parameters": {"IPs": "10.0.0.0/8"}}, {"name": "applicationHostname"}, {"name": "ours"},
        {"name": "default", "segments": [3]}]},
      {"name": "g", "enabled": true, "strategies": [], "dependencies": [{"feature": "f"}]}],
    "segments": [{"id": 3, "name": "unknown"}]}`)
	wantNotes(t, lost,
		vendorformat.Note{Flag: "f", Place: "strategy 2", Text: "regard to case", Lost: true},
		vendorformat.Note{Flag: "f", Place: "strategy 3", Text: "dates", Lost: true},
		vendorformat.Note{Flag: "f", Place: "strategy 4", Text: "regular expressions", Lost: true},
		vendorformat.Note{Flag: "f", Place: "strategy 5", Text: "ranges of addresses", Lost: true},
		vendorformat.Note{Flag: "f", Place: "strategy 6", Text: "applicationHostname", Lost: true},
		vendorformat.Note{Flag: "f", Place: "strategy 7", Text: "no such strategy", Lost: true},
		vendorformat.Note{Flag: "f", Place: "strategy 8", Text: "segment 3", Lost: true},
		vendorformat.Note{Flag: "g", Place: "dependencies", Text: "another feature", Lost: true},
	)
	ask(t, viewOf(t, got), []question{{"f", `"targetingKey": "ann"`, "false"}, {"g", ``, "false"}})
}

func TestUnleashBadFiles(t *testing.T) {
	refuse(t, "unleash", []badFile{
		{`{}`, `no "features"`},
		{`{"features": [{"name": 5}]}`, "export:1:"},
		{`{"features": [{"name": "a"}, {"name": "a"}]}`, `$.features[1]: flag "a" is defined twice`},
		{`{"features": [{"name": ""}]}`, `$.features[0]: a flag without a key`},
		{`{"features": [{"name": "a"}], "featureEnvironments": [{"featureName": "a", "environment": "dev"}, {"featureName": "a", "environment": "live"}]}`, "choose with --environment one of: dev, live"},
	})
}

func FuzzUnleash(f *testing.F) {
	fuzz(f, "unleash", unleashed, `{"features":[{"name":"a","enabled":true,"strategies":[{"name":"default","variants":[{"name":"x","weight":1,"payload":{"type":"number","value":"1"}}]}]}]}`)
}
