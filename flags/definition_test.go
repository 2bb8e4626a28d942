package flags_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

const checkoutFlag = `{
  "state": "ENABLED", "description": "one-page <checkout> & more", "owner": {"team": "pay", "size": 3.0},
  "variants": {"on": true, "off": false}, "defaultVariant": "off",
  "targeting": {"if": [{"==": [{"var": "plan"}, "pro"]}, "on", null]}
}`

func mustParse(t *testing.T, text string) flags.Definition {
	t.Helper()
	d, err := flags.ParseDefinition([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDefinitionParts(t *testing.T) {
	d := mustParse(t, checkoutFlag)
	if !d.Enabled() || d.Type() != flags.TypeBoolean || d.Description() != "one-page <checkout> & more" {
		t.Errorf("enabled %v, type %v, description %q", d.Enabled(), d.Type(), d.Description())
	}
	if name, ok := d.DefaultVariant(); !ok || name != "off" {
		t.Errorf("default variant %q, %v", name, ok)
	}
	if got := string(d.Targeting()); got != `{"if":[{"==":[{"var":"plan"},"pro"]},"on",null]}` {
		t.Errorf("targeting %s", got)
	}
	if got := string(d.Field("owner")); got != `{"size":3.0,"team":"pay"}` {
		t.Errorf("a field beyond the schema: %s", got)
	}
	variants := d.Variants()
	if len(variants) != 2 || variants[0].Name != "off" || string(variants[1].Value) != "true" {
		t.Errorf("variants %v", variants)
	}
	if value, ok := d.Variant("on"); !ok || string(value) != "true" {
		t.Errorf("variant on: %s, %v", value, ok)
	}
	if _, ok := d.Variant("maybe"); ok {
		t.Error("a variant that is not there was found")
	}
}

func TestDefinitionTypes(t *testing.T) {
	for variants, want := range map[string]flags.Type{
		`{"a":true,"b":false}`: flags.TypeBoolean,
		`{"a":"x"}`:            flags.TypeString,
		`{"a":1,"b":0.5}`:      flags.TypeNumber,
		`{"a":{},"b":{"x":1}}`: flags.TypeObject,
		`{"a":1,"b":"x"}`:      flags.TypeUnknown,
		`{"a":[1]}`:            flags.TypeUnknown,
		`{"a":null}`:           flags.TypeUnknown,
		`{}`:                   flags.TypeUnknown,
		`[1]`:                  flags.TypeUnknown,
	} {
		d := mustParse(t, `{"variants":`+variants+`}`)
		if got := d.Type(); got != want {
			t.Errorf("variants %s: type %v, want %v", variants, got, want)
		}
	}
}

func TestDefinitionWithoutTargeting(t *testing.T) {
	for _, text := range []string{`{}`, `{"targeting":null}`, `{"targeting":{}}`} {
		if got := mustParse(t, text).Targeting(); got != nil {
			t.Errorf("%s has targeting %s", text, got)
		}
	}
}

func TestDefinitionEdits(t *testing.T) {
	edit := func(d flags.Definition, err error) flags.Definition {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := mustParse(t, checkoutFlag)
	before := d.String()
	for _, tc := range []struct {
		name string
		got  flags.Definition
		want string // what must be in it
		gone string // what must not
	}{
		{"disable", d.WithEnabled(false), `"state":"DISABLED"`, `"ENABLED"`},
		{"enable", d.WithEnabled(false).WithEnabled(true), `"state":"ENABLED"`, "DISABLED"},
		{"default", d.WithDefaultVariant("on"), `"defaultVariant":"on"`, `"defaultVariant":"off"`},
		{"describe", d.WithDescription(`a "b"`), `"description":"a \"b\""`, "checkout"},
		{"undescribe", d.WithDescription(""), `"owner"`, "description"},
		{"retarget", edit(d.WithTargeting([]byte(`{"var": "v"}`))), `"targeting":{"var":"v"}`, "plan"},
		{"untarget", edit(d.WithTargeting(nil)), `"owner"`, "targeting"},
		{"add variant", edit(d.WithVariant("maybe", []byte("true"))), `"variants":{"maybe":true,"off":false,"on":true}`, "\n"},
		{"replace variant", edit(d.WithVariant("on", []byte(" false"))), `"variants":{"off":false,"on":false}`, "\n"},
		{"drop variant", d.WithoutVariant("on"), `"variants":{"off":false}`, `"on":true`},
		{"field", edit(d.WithField("metadata", []byte(`{"b": 1e3, "a": "x"}`))), `"metadata":{"a":"x","b":1e3}`, "\n"},
		{"from nothing", edit(flags.Definition{}.WithEnabled(true).WithVariant("on", []byte("1"))), `{"state":"ENABLED","variants":{"on":1}}`, "\n"},
	} {
		got := tc.got.String()
		if !strings.Contains(got, tc.want) || tc.gone != "" && strings.Contains(got, tc.gone) {
			t.Errorf("%s: %s", tc.name, got)
		}
		if canonical, err := flags.Canonical([]byte(got)); err != nil || string(canonical) != got {
			t.Errorf("%s: not canonical: %s (%v)", tc.name, got, err)
		}
	}
	if d.String() != before {
		t.Errorf("an edit changed the original: %s", d)
	}
}

func TestDefinitionRefusesWhatIsNoFlag(t *testing.T) {
	for _, text := range []string{``, `null`, `[]`, `"on"`, `{"a":1,"a":2}`, `{`} {
		if _, err := flags.ParseDefinition([]byte(text)); !errors.Is(err, flags.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	d := mustParse(t, checkoutFlag)
	if _, err := d.WithVariant("on", []byte("tru")); !errors.Is(err, flags.ErrInvalid) {
		t.Errorf("a variant that is no JSON: %v", err)
	}
	if _, err := d.WithTargeting([]byte(`{"if":`)); !errors.Is(err, flags.ErrInvalid) {
		t.Errorf("targeting that is no JSON: %v", err)
	}
}
