package vendorformat_test

import (
	"fmt"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/vendorformat"
)

const fliptYAML = `
version: "1.4"
namespace: default
flags:
- key: theme
  name: Theme
  type: VARIANT_FLAG_TYPE
  description: colours
  enabled: true
  variants:
  - {key: light, attachment: {bg: white}}
  - {key: dark, attachment: {bg: black}}
  - key: none
  rules:
  - segment: staff
    rank: 1
    distributions: [{variant: dark, rollout: 100}]
  - segment: {keys: [nz, paying], operator: AND_SEGMENT_OPERATOR}
    rank: 2
    distributions: [{variant: light, rollout: 50}, {variant: dark, rollout: 30}]
  - segment: {keys: [nz, paying], operator: OR_SEGMENT_OPERATOR}
    rank: 3
    distributions: [{variant: light, rollout: 100}]
- key: asleep
  enabled: false
  variants: [{key: a}, {key: b}]
- key: fallen
  enabled: false
  variants: [{key: a, default: true}, {key: b}]
  rules:
  - segment: everybody
    distributions: [{variant: b, rollout: 100}]
- key: gate
  type: BOOLEAN_FLAG_TYPE
  enabled: false
  rollouts:
  - segment: {key: staff, value: true}
  - threshold: {percentage: 20, value: true}
  - segment: {keys: [nz], operator: OR_SEGMENT_OPERATOR, value: true}
- key: rest
  type: BOOLEAN_FLAG_TYPE
  enabled: true
  rollouts:
  - segment: {key: numbers, value: false}
  - segment: {key: flags, value: false}
segments:
- key: staff
  match_type: ANY_MATCH_TYPE
  constraints:
  - {type: STRING_COMPARISON_TYPE, property: email, operator: suffix, value: "@corp.example"}
  - {type: ENTITY_ID_COMPARISON_TYPE, property: entity, operator: isoneof, value: '["ann", "bob"]'}
- key: nz
  match_type: ALL_MATCH_TYPE
  constraints:
  - {type: STRING_COMPARISON_TYPE, property: country, operator: eq, value: NZ}
  - {type: STRING_COMPARISON_TYPE, property: city, operator: neq, value: Oamaru}
- key: paying
  match_type: ALL_MATCH_TYPE
  constraints:
  - {type: BOOLEAN_COMPARISON_TYPE, property: paid, operator: "true"}
- key: numbers
  match_type: ALL_MATCH_TYPE
  constraints:
  - {type: NUMBER_COMPARISON_TYPE, property: seats, operator: gt, value: "5"}
  - {type: NUMBER_COMPARISON_TYPE, property: seats, operator: neq, value: "7"}
- key: flags
  match_type: ALL_MATCH_TYPE
  constraints:
  - {type: STRING_COMPARISON_TYPE, property: note, operator: notempty}
  - {type: STRING_COMPARISON_TYPE, property: plan, operator: isnotoneof, value: '["free", "5"]'}
- key: everybody
  match_type: ALL_MATCH_TYPE
`

func TestFlipt(t *testing.T) {
	got := read(t, "flipt", fliptYAML, vendorformat.Options{Name: "features.yaml"})
	view := viewOf(t, got)
	ask(t, view, []question{
		{"theme", `"targetingKey": "x", "email": "x@corp.example"`, `"dark"`},
		{"theme", `"targetingKey": "bob"`, `"dark"`},
		{"theme", `"targetingKey": "x", "country": "NZ", "city": "Nelson"`, `"light"`},
		{"theme", `"targetingKey": "x", "country": "NZ"`, codeDefault}, // what is absent does not differ
		{"theme", `"targetingKey": "x", "paid": "T"`, `"light"`},
		{"theme", `"targetingKey": "x", "paid": true`, `"light"`},
		{"theme", `"targetingKey": "x", "paid": false`, codeDefault},
		{"theme.attachment", `"targetingKey": "bob"`, `{"bg":"black"}`},
		{"asleep", `"targetingKey": "x"`, codeDefault},
		{"fallen", `"targetingKey": "x"`, `"a"`}, // off with a default variant
		{"gate", `"targetingKey": "ann"`, "true"},
		{"gate", `"targetingKey": "x", "country": "NZ", "city": "Nelson"`, "true"},
		{"rest", `"targetingKey": "x"`, "true"},
		{"rest", `"targetingKey": "x", "seats": 6`, "false"},
		{"rest", `"targetingKey": "x", "seats": "6"`, "false"},
		{"rest", `"targetingKey": "x", "seats": 7`, "true"},
		{"rest", `"targetingKey": "x", "seats": "many"`, "true"},
		{"rest", `"targetingKey": "x", "note": "n", "plan": "pro"`, "false"},
		{"rest", `"targetingKey": "x", "note": "n", "plan": 5`, "true"},
		{"rest", `"targetingKey": "x", "note": "", "plan": "pro"`, "true"},
		{"rest", `"targetingKey": "x", "note": "n"`, "true"},
	})
	both := map[string]any{"country": "NZ", "city": "Nelson", "paid": true}
	wantShares(t, view, "theme", both, "targetingKey", map[string]float64{`"light"`: 50, `"dark"`: 30, codeDefault: 20})
	wantShares(t, view, "gate", map[string]any{}, "targetingKey", map[string]float64{"true": 20, "false": 80})
	colour := map[string]string{`"light"`: `{"bg":"white"}`, `"dark"`: `{"bg":"black"}`, codeDefault: codeDefault}
	for i := range 1000 { // variant and attachment agree
		both["targetingKey"] = fmt.Sprintf("user-%d", i)
		if variant, attachment := answer(t, view, "theme", both), answer(t, view, "theme.attachment", both); colour[variant] != attachment {
			t.Fatalf("%v: %s, %s", both, variant, attachment)
		}
	}
	wantNotes(t, got.Notes,
		vendorformat.Note{Flag: "theme", Place: "rule 2", Text: "another hash"},
		vendorformat.Note{Flag: "theme", Text: "theme.attachment"},
		vendorformat.Note{Flag: "fallen", Text: `first rule serves "a"`},
		vendorformat.Note{Flag: "gate", Place: "rollout 2", Text: "another hash"},
		vendorformat.Note{Place: `segment "staff"`, Text: "spaces"},
	)
}

func TestFliptLosses(t *testing.T) {
	lost, got := lossOf(t, "flipt", `{"flags": [
      {"key": "a", "enabled": true, "variants": [{"key": "x"}], "rules": [{"segment": "late", "distributions": [{"variant": "x", "rollout": 100}]}]},
      {"key": "b", "type": "BOOLEAN_FLAG_TYPE", "enabled": true, "rollouts": [{"segment": {"key": "late", "value": false}}]}],
    "segments": [{"key": "late", "match_type": "ALL_MATCH_TYPE", "constraints": [{"type": "DATETIME_COMPARISON_TYPE", "property": "born", "operator": "lt", "value": "2001-01-01"}]}]}`)
	wantNotes(t, lost,
		vendorformat.Note{Place: `segment "late"`, Text: "constraint 1: datetime lt", Lost: true},
		vendorformat.Note{Flag: "a", Place: "rule 1", Text: `segment "late"`, Lost: true},
		vendorformat.Note{Flag: "b", Place: "rollout 1", Text: `segment "late"`, Lost: true},
	)
	ask(t, viewOf(t, got), []question{{"a", ``, codeDefault}, {"b", ``, "false"}})
}

func TestFliptBadFiles(t *testing.T) {
	refuse(t, "flipt", []badFile{
		{"version: 1\n", "export:1:"},
		{"version: '1.0'\n", `no "flags"`},
		{"flags: [{key: a, type: ODD}]\n", `$.flags[0].type: unknown type of flag "ODD"`},
		{"flags: [{key: a, variants: [{key: x}], rules: [{segment: nobody}]}]\n", `$.flags[0].rules[0].segment: no segment "nobody"`},
		{"flags: [{key: a, variants: [{key: x}], rules: [{segment: 5}]}]\n", `want a name`},
		{"flags: [{key: a, variants: [{key: x}], rules: [{segment: s, distributions: [{variant: y, rollout: 1}]}]}]\nsegments: [{key: s}]\n", `no variant "y"`},
		{"flags: [\n", "export:"},
	})
}

func FuzzFlipt(f *testing.F) {
	fuzz(f, "flipt", fliptYAML, `{"flags":[{"key":"a","enabled":true,"variants":[{"key":"x"}],"rules":[{"segment":"s","distributions":[{"variant":"x","rollout":33.3}]}]}],"segments":[{"key":"s"}]}`)
}
