package flagdfile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
)

const shopYAML = `# the shop's flags
metadata: {team: shop, tier: 2, live: true}
$evaluators:
  beta:
    in: ["@example.com", {var: email}]
flags:
  new-checkout: &checkout
    state: ENABLED
    description: |
      one page,
      no "basket"
    variants:
      on: true
      off: false
    defaultVariant: off
    targeting:
      if:
      - $ref: beta
      - on
    x-overrides:
      tenant-42: on
      "2001-01-01": off
  old-checkout: *checkout
  limit:
    state: DISABLED
    since: 2001-01-01
    variants: {low: 1e1, high: 100.50, hex: 0x1F, many: 1_000, half: .5, 10%: 0.1, 8: 8}
    defaultVariant: ~
`

const shopJSON = `{
  "metadata": {"team": "shop", "tier": 2, "live": true},
  "$evaluators": {"beta": {"in": ["@example.com", {"var": "email"}]}},
  "flags": {
    "new-checkout": {
      "state": "ENABLED", "description": "one page,\nno \"basket\"\n",
      "variants": {"on": true, "off": false}, "defaultVariant": "off",
      "targeting": {"if": [{"$ref": "beta"}, "on"]},
      "x-overrides": {"tenant-42": "on", "2001-01-01": "off"}},
    "old-checkout": {
      "state": "ENABLED", "description": "one page,\nno \"basket\"\n",
      "variants": {"on": true, "off": false}, "defaultVariant": "off",
      "targeting": {"if": [{"$ref": "beta"}, "on"]},
      "x-overrides": {"tenant-42": "on", "2001-01-01": "off"}},
    "limit": {
      "state": "DISABLED", "since": "2001-01-01",
      "variants": {"low": 1e1, "high": 100.50, "hex": 31, "many": 1000, "half": 0.5, "10%": 0.1, "8": 8}, "defaultVariant": null}
  }
}`

func entries(t testing.TB, name, text string) []flags.Entry {
	t.Helper()
	d, err := flagdfile.Parse([]byte(text), name)
	if err != nil {
		t.Fatal(err)
	}
	return d.Entries()
}

func TestYAMLAndJSONSayTheSame(t *testing.T) {
	for _, m := range flags.Diff(entries(t, "a.json", shopJSON), entries(t, "a.yaml", shopYAML), true) {
		t.Errorf("%s differs: %s", m.Key, m.Bytes)
	}
}

func TestFormatRoundTrip(t *testing.T) {
	want := entries(t, "a.json", shopJSON)
	for _, format := range []flagdfile.Format{flagdfile.JSON, flagdfile.YAML} {
		out, err := format.Format(want)
		if err != nil {
			t.Fatal(err)
		}
		got := entries(t, "a."+string(format), string(out))
		if diff := flags.Diff(want, got, true); diff != nil {
			t.Errorf("%s: %v\n%s", format, diff, out)
		}
		again, err := format.Format(got)
		if err != nil || !bytes.Equal(out, again) {
			t.Errorf("%s: not the same bytes twice (%v)", format, err)
		}
	}
}

// TestFormatYAML: what was text stays text, for readers of YAML 1.1 as well.
func TestFormatYAML(t *testing.T) {
	const text = `{"b":"on","a":"plain","num":"12","e":"","l":[1,2.50,true,null],"o":{"off":false},"m":"two\nlines","none":[]}`
	got, err := flagdfile.FormatYAML([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := "b: \"on\"\na: plain\nnum: \"12\"\ne: \"\"\nl:\n  - 1\n  - 2.50\n  - true\n  - null\no:\n  \"off\": false\nm: |-\n  two\n  lines\nnone: []\n"
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	back, _, err := flagdfile.StrictJSON(got, "a.yaml")
	if err != nil || string(back) != text {
		t.Errorf("reads back as %s, %v", back, err)
	}
	if got, err := flagdfile.FormatYAML([]byte(`{"a":`)); err == nil {
		t.Errorf("half a text became %q", got)
	}
}

func TestFormatOf(t *testing.T) {
	for _, tc := range []struct {
		name, data string
		want       flagdfile.Format
	}{
		{"a.json", "flags: {}", flagdfile.JSON},
		{"a.YML", "{}", flagdfile.YAML},
		{"a.yaml", "{}", flagdfile.YAML},
		{"-", " \n{}", flagdfile.JSON},
		{"-", "\ufeff{}", flagdfile.JSON},
		{"-", "", flagdfile.JSON},
		{"a.flagd", "flags: {}", flagdfile.YAML},
	} {
		if got := flagdfile.FormatOf(tc.name, []byte(tc.data)); got != tc.want {
			t.Errorf("%s %q: %s, want %s", tc.name, tc.data, got, tc.want)
		}
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.yaml")
	if _, err := flagdfile.Read(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(path, []byte(shopYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err := flagdfile.Read(path); err != nil || len(d.Entries()) != 11 {
		t.Errorf("%v, %v", d, err)
	}
	if err := os.Truncate(path, flags.MaxDocumentBytes+1); err != nil {
		t.Fatal(err)
	}
	if _, err := flagdfile.Read(path); !errors.Is(err, flags.ErrTooLarge) {
		t.Errorf("a file beyond the limit: %v", err)
	}
}

// TestBadFiles holds every kind of bad file to one clear answer: what, where, what to do.
func TestBadFiles(t *testing.T) {
	for _, tc := range []struct{ name, file, text, want string }{
		{"JSON syntax", "a.json", "{\"flags\": {\n  \"f\": {\"state\": \"ENABLED\",}\n}}",
			`a.json:2:28: $.flags.f: unexpected '}', want a quoted name`},
		{"JSON duplicate key", "a.json", "{\"flags\": {\n  \"f\": {},\n  \"f\": {}}}",
			`a.json:3:3: $.flags: duplicate key "f"; keep one of them`},
		{"unknown variant", "a.json", "{\"flags\": {\"f\": {\n  \"variants\": {\"on\": true},\n  \"defaultVariant\": \"no\"}}}",
			`a.json:3:21: $.flags.f.defaultVariant: "no" is no variant; known: "on"; did you mean "on"?`},
		{"mixed types", "a.json", "{\"flags\": {\"f\": {\"variants\": {\n  \"on\": true,\n  \"off\": 0}}}}",
			`a.json:3:10: $.flags.f.variants.off: this is a number but "on" is a boolean; variants are all of one type`},
		{"unknown operator", "a.json", "{\"flags\": {\"f\": {\"variants\": {\"on\": true},\n \"targeting\": {\"if\": [{\"equals\": [1, 2]}, \"on\"]}}}}",
			`a.json:2:23: $.flags.f.targeting.if[0]: unknown operator "equals"; there are "if", "==", "in", "and", "or", "fractional", "starts_with", "sem_ver", ...`},
		{"unknown field", "a.json", "{\"flag\": {}}",
			"2 faults:\n  a.json:1:1: $: no \"flags\"; a file without flags says so with \"flags\": {}\n" +
				`  a.json:1:2: $.flag: unknown field; a flag file has "flags", "$evaluators", "metadata"; did you mean "flags"?`},
		{"not an object", "a.json", "[]", `a.json:1:1: $: a flag file is an object with "flags", this is an array`},
		{"empty JSON", "a.json", "", `a.json:1:1: $: unexpected end of the text, want a value`},
		{"no key in an array", "a.json", `{"flags":[{"variants":{"a":1}}]}`, `a.json:1:11: $.flags[0]: a flag in an array needs a "key" that is a string`},
		{"same key in an array", "a.json", `{"flags":[{"key":"a"},{"key":"a"}]}`, `a.json:1:23: $.flags[1]: flag "a" is defined twice; keep one of them`},

		{"YAML syntax", "a.yaml", "flags:\n  f: [1\n  g: 2\n", `a.yaml:2:1: $: did not find expected ',' or ']'`},
		{"YAML duplicate key", "a.yaml", "flags:\n  f: {}\n  f: {}\n", `a.yaml:3:3: $.flags: duplicate key "f"; keep one of them`},
		{"YAML unknown variant", "a.yaml", "flags:\n  f:\n    variants: {on: true}\n    defaultVariant: no\n",
			`a.yaml:4:21: $.flags.f.defaultVariant: "no" is no variant; known: "on"; did you mean "on"?`},
		{"YAML mixed types", "a.yaml", "flags:\n  f:\n    variants:\n      on: true\n      off: 'false'\n",
			`a.yaml:5:12: $.flags.f.variants.off: this is a string but "on" is a boolean; variants are all of one type`},
		{"empty YAML", "a.yaml", "# nothing\n", `a.yaml: $: an empty file; one without flags says "flags: {}"`},
		{"two documents", "a.yaml", "flags: {}\n---\nflags: {}\n", `a.yaml:2:1: $: a second YAML document; a flag file has one`},
		{"merge key", "a.yaml", "flags:\n  a: &a {}\n  b:\n    <<: *a\n", `a.yaml:4:5: $: merge keys (<<) are not taken; write the fields out`},
		{"a name that is none", "a.yaml", "flags:\n  [a]: {}\n", `a.yaml:2:3: $: a name must be plain text`},
		{"not a number", "a.yaml", "flags: {f: {variants: {a: .inf}}}\n", `a.yaml:1:27: $: ".inf" is no number that JSON can hold`},
		{"binary", "a.yaml", "flags: {f: {variants: {a: !!binary aGk=}}}\n", `a.yaml:1:27: $: a value tagged !!binary has no JSON form`},
		{"an alias of itself", "a.yaml", "flags: &a {x: *a}\n", `a.yaml:1:8: $: nested deeper than 64 levels`},
		{"unknown alias", "a.yaml", "flags: *a\n", `a.yaml: $: unknown anchor 'a' referenced`},
	} {
		d, err := flagdfile.Parse([]byte(tc.text), tc.file)
		if err == nil {
			err = d.Check()
		}
		if err == nil || !errors.Is(err, flags.ErrInvalid) || err.Error() != "flags: invalid: "+tc.want {
			t.Errorf("%s:\ngot  %v\nwant flags: invalid: %s", tc.name, err, tc.want)
		}
	}
}

// TestHostileFiles are refused by a short message before they cost anything.
func TestHostileFiles(t *testing.T) {
	const size, yamlSize = 10 << 20, 8 << 20
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 20; i++ {
		prev := "*a" + string(rune('a'+i-2))
		if i == 1 {
			prev = "*a0"
		}
		bomb += "k" + string(rune('a'+i-1)) + ": &a" + string(rune('a'+i-1)) + " [" + strings.Repeat(prev+", ", 9) + "1]\n"
	}
	for _, tc := range []struct{ name, file, text string }{
		{"arrays", "a.json", strings.Repeat("[", size)},
		{"objects", "a.json", strings.Repeat(`{"a":`, size/5)},
		{"flow YAML", "a.yaml", strings.Repeat("[", yamlSize)},
		{"flow maps", "a.yaml", strings.Repeat("{a: ", yamlSize/4)},
		{"block YAML", "a.yaml", strings.Repeat("- ", yamlSize/2)},
		{"alias bomb", "a.yaml", bomb},
		{"too much YAML", "a.yaml", strings.Repeat("- ", size/2)},
		{"many values", "a.json", `{"flags":[` + strings.Repeat("0,", size/2) + `0]}`},
		{"many faults", "a.json", `{"flags":[` + strings.Repeat("0,", 1<<16) + `0]}`},
		{"numbers", "a.json", `{"flags":` + strings.Repeat("9", size)},
	} {
		start := time.Now()
		_, err := flagdfile.Parse([]byte(tc.text), tc.file)
		if !errors.Is(err, flags.ErrInvalid) || len(err.Error()) > 2500 {
			t.Errorf("%s: %.300v", tc.name, err)
		}
		t.Logf("%s: %v %v", tc.name, time.Since(start), err)
	}
}
