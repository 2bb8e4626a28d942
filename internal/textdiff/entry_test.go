package textdiff_test

import (
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
	"github.com/holdfast-flags/holdfast/internal/textdiff"
)

var (
	flagKey    = flags.FlagKey("f")
	segmentKey = flags.EntryKey{Kind: flags.KindEvaluator, Name: "nz"}
)

// foreign is a rule that is no expression.
const foreign = `{"+":[{"var":"a"},1]}`

// targeted is a flag with the targeting that text says.
func targeted(t *testing.T, text string) []byte {
	t.Helper()
	targeting, err := expression.ParseTargeting(text)
	if err != nil {
		t.Fatal(err)
	}
	rule, err := targeting.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return withRule(rule)
}

func withRule(rule []byte) []byte {
	if rule == nil {
		return []byte(`{"defaultVariant":"off","variants":{"targeting":0}}`)
	}
	return []byte(`{"defaultVariant":"off","targeting":` + string(rule) + `,"variants":{"targeting":0}}`)
}

func segment(t *testing.T, text string) []byte {
	t.Helper()
	rule, err := expression.CompileSegment(text)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

func TestEntry(t *testing.T) {
	one, two := targeted(t, `when a == 1 serve on`), targeted(t, "when a == 1 serve on\nwhen b serve on\nelse on=25, off=75")
	for name, tc := range map[string]struct {
		key           flags.EntryKey
		before, after []byte
		want          string
	}{
		"a rule more": {flagKey, one, two, `
    "defaultVariant": "off",
    "targeting":
      when a == 1 serve on
+     when b serve on
+     else on = 25, off = 75
    "variants": {
      "targeting": 0
    }
  ...`},
		"the first rule": {flagKey, withRule(nil), one, `
  {
    "defaultVariant": "off",
+   "targeting":
+     when a == 1 serve on
    "variants": {
      "targeting": 0
    }
  ...`},
		"a rollout": {flagKey, nil, targeted(t, "else on=25, off=75"), `
+ {
+   "defaultVariant": "off",
+   "targeting":
+     on = 25, off = 75
+   "variants": {
+     "targeting": 0
+   }
+ }`},
		"no expression": {flagKey, withRule([]byte(`"on"`)), withRule([]byte(foreign)), `
  {
    "defaultVariant": "off",
-   "targeting": "on",
+   "targeting": {
+     "+": [
+       {
+         "var": "a"
+       },
+       1
+     ]
+   },
    "variants": {
      "targeting": 0
    }
  ...`},
		"a segment":            {segmentKey, segment(t, "a == 1"), segment(t, "a == 2"), "\n- a == 1\n+ a == 2"},
		"a segment in JSON":    {segmentKey, []byte(`true`), []byte(`{"+":[1]}`), "\n- true\n+ {\n+   \"+\": [\n+     1\n+   ]\n+ }"},
		"an override":          {flags.OverrideKey("f", "e"), nil, []byte(`{"variant":"on"}`), "\n+ {\n+   \"variant\": \"on\"\n+ }"},
		"what is no flag":      {flagKey, []byte(`1`), []byte(`2`), "\n- 1\n+ 2"},
		"what is no JSON":      {segmentKey, []byte(`x`), []byte(`y`), "\n- x\n+ y"},
		"a deleted definition": {flagKey, []byte(`{"targeting":{}}`), nil, "\n- {\n-   \"targeting\": {}\n- }"},
	} {
		if got := "\n" + strings.Join(textdiff.Entry(tc.key, tc.before, tc.after), "\n"); got != tc.want {
			t.Errorf("%s:%s\nwant%s", name, got, tc.want)
		}
	}
}

func TestSummary(t *testing.T) {
	long := `when x == "` + strings.Repeat("é", 200) + `" serve on`
	for _, tc := range []struct {
		key           flags.EntryKey
		before, after []byte
		want          string
	}{
		{flagKey, withRule(nil), targeted(t, "when a == 1 serve on\nelse off"), `f: targeting -> when a == 1 serve on; else off`},
		{flagKey, withRule([]byte(foreign)), targeted(t, "else on=25, off=75 by tenant"), `f: targeting -> on = 25, off = 75 by tenant`},
		{flagKey, targeted(t, "when a serve on"), withRule(nil), `f: targeting removed`},
		{flagKey, targeted(t, "when a serve on"), withRule([]byte(foreign)), `f: targeting changed`},
		{flagKey, nil, targeted(t, "when a serve on"), `flag "f" created`},
		{flagKey, withRule(nil), targeted(t, long), "f: targeting -> " + string([]rune(long)[:99]) + "…"},
		{segmentKey, segment(t, "a == 1"), segment(t, "a == 2"), `segment "nz" -> a == 2`},
		{segmentKey, segment(t, "a == 1"), []byte(foreign), `segment "nz" changed`},
		{segmentKey, segment(t, "a == 1"), nil, `segment "nz" deleted`},
	} {
		if got := textdiff.Summary(tc.key, tc.before, tc.after); got != tc.want {
			t.Errorf("%s to %s:\n%s\nwant\n%s", tc.before, tc.after, got, tc.want)
		}
	}
}
