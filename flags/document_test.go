package flags_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

const shopDocument = `{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "x-generator": "by hand",
  "metadata": {"team": "shop", "tier": 2, "live": true},
  "$evaluators": {"beta": {"in": ["@example.com", {"var": "email"}]}},
  "flags": {
    "new-checkout": {
      "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
      "description": "one page", "targeting": {"if": [{"$ref": "beta"}, "on"]},
      "x-overrides": {"tenant-42": "on", "tenant 7": "off"}
    },
    "limit": {"state": "DISABLED", "variants": {"low": 1e1, "high": 100.50}, "defaultVariant": null}
  }
}`

func mustDocument(t *testing.T, text string) *flags.Document {
	t.Helper()
	d, err := flags.ParseDocument([]byte(text), "shop.json")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDocumentEntries(t *testing.T) {
	var got []string
	for _, e := range mustDocument(t, shopDocument).Entries() {
		got = append(got, e.Key.String()+" "+string(e.Bytes))
	}
	want := []string{
		`flag "limit" {"defaultVariant":null,"state":"DISABLED","variants":{"high":100.50,"low":1e1}}`,
		`flag "new-checkout" {"defaultVariant":"off","description":"one page","state":"ENABLED","targeting":{"if":[{"$ref":"beta"},"on"]},"variants":{"off":false,"on":true}}`,
		`evaluator "beta" {"in":["@example.com",{"var":"email"}]}`,
		`metadata "live" true`,
		`metadata "team" "shop"`,
		`metadata "tier" 2`,
		`override "new-checkout" for "tenant 7" {"variant":"off"}`,
		`override "new-checkout" for "tenant-42" {"variant":"on"}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDocumentExportsWhatItImported(t *testing.T) {
	entries := mustDocument(t, shopDocument).Entries()
	out, err := flags.Export(entries)
	if err != nil {
		t.Fatal(err)
	}
	again := mustDocument(t, string(out)).Entries()
	if diff := flags.Diff(entries, again, true); diff != nil {
		t.Errorf("the exported file differs: %v\n%s", diff, out)
	}
	twice, err := flags.Export(again)
	if err != nil || !bytes.Equal(out, twice) {
		t.Errorf("two exports of equal entries differ (%v)", err)
	}
}

func TestDocumentFlagsAsArray(t *testing.T) {
	d := mustDocument(t, `{"flags":[{"key":"a","state":"ENABLED","variants":{"x":1},"x-overrides":{"e":"x"}},{"key":"b"}]}`)
	var got []string
	for _, e := range d.Entries() {
		got = append(got, e.Key.String()+string(e.Bytes))
	}
	want := `flag "a"{"state":"ENABLED","variants":{"x":1}} flag "b"{} override "a" for "e"{"variant":"x"}`
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestDiff(t *testing.T) {
	entry := func(name, text string) flags.Entry {
		return flags.Entry{Key: flags.FlagKey(name), Bytes: []byte(text)}
	}
	from := []flags.Entry{entry("a", "1"), entry("b", "2"), entry("c", "3")}
	to := []flags.Entry{entry("d", "4"), entry("b", "22"), entry("a", "1")}
	show := func(changes []flags.Mutation) string {
		var parts []string
		for _, m := range changes {
			parts = append(parts, m.Key.Name+"="+string(m.Bytes))
		}
		return strings.Join(parts, " ")
	}
	if got := show(flags.Diff(from, to, false)); got != "b=22 d=4" {
		t.Errorf("without prune: %s", got)
	}
	if got := show(flags.Diff(from, to, true)); got != "b=22 c= d=4" {
		t.Errorf("with prune: %s", got)
	}
}

func TestCheckAgainst(t *testing.T) {
	d := mustDocument(t, `{"flags": {
  "a": {"variants": {"on": true}, "targeting": {"if": [{"$ref": "beta"}, "on"]}}
}}`)
	missing := "shop.json:2:65: $.flags.a.targeting.if[0].$ref: "
	if err := d.Check(); err == nil || err.Error() != "flags: invalid: "+missing+`unknown evaluator "beta"; define it under $evaluators` {
		t.Errorf("alone: %v", err)
	}
	set := contents(t, put(evaluatorKey("beta"), `true`), put(flags.FlagKey("a"), goodFlag), put(flags.OverrideKey("a", "e"), `{"variant":"off"}`))
	err := d.CheckAgainst(set, false)
	if err == nil || err.Error() != `flags: invalid: shop.json: $.flags.a.x-overrides.e: "off" is no variant; known: "on"` {
		t.Errorf("into a set with the evaluator, and an override to a variant that goes: %v", err)
	}
	err = d.CheckAgainst(set, true)
	if err == nil || err.Error() != "flags: invalid: "+missing+`evaluator "beta" is deleted but still used here; change the rule first` {
		t.Errorf("in place of all that is there: %v", err)
	}
}

func TestDocumentFaults(t *testing.T) {
	for text, want := range map[string]string{
		`7`:                                     `f.json:1:1: $: a flag file is an object with "flags", this is a number`,
		`{"flags":7}`:                           `f.json:1:10: $.flags: want an object of flags, this is a number`,
		`{"flags":{"a":null}}`:                  `f.json:1:15: $.flags.a: a flag is an object, this is null`,
		`{"flags":[{"key":""}]}`:                `f.json:1:11: $.flags[0]: a flag in an array needs a "key" that is a string`,
		`{"flags":{},"metadata":[]}`:            `f.json:1:24: $.metadata: want an object, this is an array`,
		`{"flags":{},"$evaluators":true}`:       `f.json:1:27: $.$evaluators: want an object, this is a boolean`,
		`{"flags":{},"$evaluator":{}}`:          `f.json:1:13: $.$evaluator: unknown field; a flag file has "flags", "$evaluators", "metadata"; did you mean "$evaluators"?`,
		`{"flags":{"a":{"x-overrides":["e"]}}}`: `f.json:1:30: $.flags.a.x-overrides: want an object of targeting key to variant, this is an array`,
		`{"flags":[{"key":"a"},{"key":"b"},{"key":"a","x":1}]}`:             `f.json:1:35: $.flags[2]: flag "a" is defined twice; keep one of them`,
		`{"flags":{"a":{"variants":{"on":true},"x-overrides":{"e":7}}}}`:    `f.json:1:58: $.flags.a.x-overrides.e: an override names one variant, e.g. "on"`,
		`{"flags":{"a":{"variants":{"on":true},"x-overrides":{"e":"in"}}}}`: `f.json:1:58: $.flags.a.x-overrides.e: "in" is no variant; known: "on"; did you mean "on"?`,
		`{"flags":{"a":{"variants":{"on":true},"x-overrides":{"":"on"}}}}`:  `f.json:1:57: $.flags.a.x-overrides[""]: an override, and nothing else, names a targeting key`,
		`{"flags":{"":{"variants":{"on":true}}}}`:                           `f.json:1:14: $.flags[""]: a name must not be empty`,
		`{"flags":[{"key":"a","variants":{"on":1,"off":"x"}}]}`:             `f.json:1:47: $.flags[0].variants.off: this is a string but "on" is a number; variants are all of one type`,
		`{"flags":{},"metadata":{"m":{}}}`:                                  `f.json:1:29: $.metadata.m: metadata holds strings, numbers and booleans, this is an object`,
	} {
		d, err := flags.ParseDocument([]byte(text), "f.json")
		if err == nil {
			err = d.Check()
		}
		if err == nil || err.Error() != "flags: invalid: "+want {
			t.Errorf("%s\ngot  %v\nwant flags: invalid: %s", text, err, want)
		}
	}
}

func TestExportRefuses(t *testing.T) {
	for name, e := range map[string]flags.Entry{
		"an override without its flag": {Key: flags.OverrideKey("a", "e"), Bytes: []byte(`{"variant":"on"}`)},
		"bytes that are not JSON":      {Key: flags.FlagKey("a"), Bytes: []byte(`{`)},
		"a flag that is no object":     {Key: flags.FlagKey("a"), Bytes: []byte(`7`)},
		"an unknown kind":              {Key: flags.EntryKey{Kind: 9, Name: "a"}, Bytes: []byte(`{}`)},
	} {
		if out, err := flags.Export([]flags.Entry{e}); !errors.Is(err, flags.ErrInvalid) || out != nil {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
}
