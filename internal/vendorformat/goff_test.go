package vendorformat_test

import (
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/vendorformat"
)

const goffYAML = `
checkout:
  variations: {old: false, new: true}
  targeting:
    - name: staff
      query: email ew "@corp.example" and (country eq "NZ" or country eq "AU")
      variation: new
    - query: not (plan pr)
      variation: old
    - query: plan in ["pro", "team"] and seats ge 10
      percentage: {new: 25, old: 75}
    - query: key sw "never"
      variation: new
      disable: true
  defaultRule: {variation: old}
  metadata: {description: one page, owner: shop, issue: 7}
left:
  variations: {a: A, b: B}
  targeting:
    - query: x eq 1 or y eq 1 and z eq 1
      variation: b
  defaultRule: {variation: a}
split:
  variations: {a: A, b: B, c: C}
  bucketingKey: team
  defaultRule:
    percentage: {a: 10.5, b: 39.5, c: 50}
logic:
  variations: {a: 1, b: 2}
  targeting:
    - query: '{"==": [{"var": "plan"}, "pro"]}'
      variation: b
  defaultRule: {variation: a}
words:
  variations: {a: 1, b: 2}
  targeting:
    - {query: beta == true, variation: b}
    - {query: "name ne \"bob\" and age lt 18", variation: b}
    - {query: app gt 1.2.3, variation: b}
    - {query: address.city co "York", variation: b}
  defaultRule: {variation: a}
asleep:
  disable: true
  variations: {a: 1, b: 2}
  defaultRule: {variation: a}
`

func TestGoFeatureFlag(t *testing.T) {
	got := read(t, "goff", goffYAML, vendorformat.Options{Name: "flags.yaml"})
	view := viewOf(t, got)
	ask(t, view, []question{
		{"checkout", `"targetingKey": "a", "plan": "free", "email": "x@corp.example", "country": "AU"`, "true"},
		{"checkout", `"targetingKey": "a", "plan": "free", "email": "x@corp.example", "country": "US"`, "false"},
		{"checkout", `"targetingKey": "a"`, "false"},
		{"checkout", `"targetingKey": "a", "plan": "pro", "seats": 9`, "false"},
		{"checkout", `"targetingKey": "never", "plan": "free"`, "false"}, // the rule is disabled
		// and and or bind alike, from the left: (x or y) and z.
		{"left", `"x": 1`, `"A"`},
		{"left", `"x": 1, "z": 1`, `"B"`},
		{"left", `"y": 1, "z": 1`, `"B"`},
		{"split", `"targetingKey": "a"`, codeDefault},
		{"logic", `"plan": "pro"`, "2"},
		{"logic", ``, "1"},
		{"words", `"beta": true`, "2"},
		{"words", `"beta": false`, "1"},
		{"words", `"name": "ann", "age": 17`, "2"},
		{"words", `"name": "bob", "age": 17`, "1"},
		{"words", `"age": 17`, "1"}, // what is absent does not differ
		{"words", `"name": "ann"`, "1"},
		{"words", `"app": "1.3.0"`, "2"},
		{"words", `"app": "1.2.3"`, "1"},
		{"words", `"address": {"city": "New York"}`, "2"},
		{"asleep", ``, codeDefault},
	})
	wantShares(t, view, "checkout", map[string]any{"plan": "pro", "seats": 10}, "targetingKey", map[string]float64{"true": 25, "false": 75})
	wantShares(t, view, "split", map[string]any{"targetingKey": "one"}, "team", map[string]float64{`"A"`: 10.5, `"B"`: 39.5, `"C"`: 50})
	wantNotes(t, got.Notes,
		vendorformat.Note{Flag: "checkout", Place: "rule 1", Text: "capital letters"},
		vendorformat.Note{Flag: "checkout", Place: "rule 3", Text: "another hash"},
		vendorformat.Note{Flag: "checkout", Place: "rule 4", Text: "disabled"},
		vendorformat.Note{Flag: "checkout", Place: "metadata", Text: `"issue" is not kept`},
		vendorformat.Note{Flag: "split", Place: "defaultRule", Text: `without attribute "team"`},
		vendorformat.Note{Flag: "logic", Place: "rule 1", Text: "JsonLogic"},
		vendorformat.Note{Flag: "words", Place: "rule 3", Text: "begin with v"},
	)
	for _, e := range got.Document.Entries() {
		if d, err := flags.ParseDefinition(e.Bytes); err != nil || e.Key.Name == "checkout" && (d.About().Owner != "shop" || d.Description() != "one page") {
			t.Errorf("%s: %v, %v", e.Key, d, err)
		}
	}
}

func TestGoFeatureFlagLosses(t *testing.T) {
	lost, got := lossOf(t, "goff", `{
      "ramp": {"variations": {"a": 1, "b": 2}, "defaultRule": {"progressiveRollout": {"initial": {"variation": "a"}, "end": {"variation": "b"}}}},
      "plan": {"variations": {"a": 1, "b": 2}, "defaultRule": {"variation": "a"}, "scheduledRollout": [{"date": "2030-01-01T00:00:00Z"}]},
      "test": {"variations": {"a": 1, "b": 2}, "defaultRule": {"variation": "a"}, "experimentation": {"start": "2020-01-01T00:00:00Z"}},
      "odd": {"variations": {"a": 1, "b": 2}, "defaultRule": {"variation": "a"}, "targeting": [
        {"query": "a like b", "variation": "b"}, {"query": "(a pr", "variation": "b"}, {"query": "a eq \"b", "variation": "b"}, {"query": "a eq b", "variation": "b"}, {"query": "a pr )", "variation": "b"}]}}`)
	wantNotes(t, lost,
		vendorformat.Note{Flag: "ramp", Place: "defaultRule", Text: "go on by themselves", Lost: true},
		vendorformat.Note{Flag: "plan", Place: "scheduledRollout", Text: "1 steps", Lost: true},
		vendorformat.Note{Flag: "test", Place: "experimentation", Text: "begin and end", Lost: true},
		vendorformat.Note{Flag: "odd", Place: "rule 1", Text: `unknown operator "like"`, Lost: true},
		vendorformat.Note{Flag: "odd", Place: "rule 2", Text: "column 6: want )", Lost: true},
		vendorformat.Note{Flag: "odd", Place: "rule 3", Text: "text that does not end", Lost: true},
		vendorformat.Note{Flag: "odd", Place: "rule 4", Text: "text is quoted", Lost: true},
		vendorformat.Note{Flag: "odd", Place: "rule 5", Text: `unexpected ")"`, Lost: true},
	)
	ask(t, viewOf(t, got), []question{{"ramp", ``, codeDefault}, {"plan", ``, codeDefault}, {"odd", ``, codeDefault}})
}

func TestGoFeatureFlagBadFiles(t *testing.T) {
	refuse(t, "goff", []badFile{
		{"a:\n  variations: {x: 1}\n  defaultRule: {variation: y}\n", `$.a.defaultRule.variation: no variation "y"`},
		{"a:\n  variations: {x: 1}\n", `no "defaultRule"`},
		{"a:\n  true: x\n", `no "variations"`},
		{"a:\n  variations: [x\n", "export:"},
		{"a:\n  variations: {x: 1}\n  disable: maybe\n", "export:3:"},
		{"a:\n  variations: {x: 1, y: 2}\n  defaultRule: {percentage: {x: -5, y: 10}}\n", "a percentage is from 0 to 100"},
	})
}

func FuzzGoFeatureFlag(f *testing.F) {
	fuzz(f, "goff", goffYAML, `{"a":{"variations":{"x":1,"y":2},"targeting":[{"query":"not (a in [1, \"b\"] or c pr) and d co \"e\"","variation":"x"}],"defaultRule":{"percentage":{"x":1,"y":99}}}}`)
}
