package flags_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

const goodFlag = `{"defaultVariant":"off","state":"ENABLED","variants":{"off":false,"on":true}}`

// onOff is a boolean flag with that targeting.
func onOff(targeting string) string {
	return `{"defaultVariant":"off","state":"ENABLED","targeting":` + targeting + `,"variants":{"off":false,"on":true}}`
}

func evaluatorKey(name string) flags.EntryKey {
	return flags.EntryKey{Kind: flags.KindEvaluator, Name: name}
}

func metadataKey(name string) flags.EntryKey {
	return flags.EntryKey{Kind: flags.KindMetadata, Name: name}
}

func put(key flags.EntryKey, text string) flags.Mutation {
	return flags.Mutation{Key: key, Bytes: []byte(text)}
}

func drop(key flags.EntryKey) flags.Mutation { return flags.Mutation{Key: key} }

// contents returns a live set with those entries, accepted without a check.
func contents(t testing.TB, entries ...flags.Mutation) *flags.Contents {
	t.Helper()
	c := flags.NewContents("s")
	commit(t, c, flags.OpCreate, entries...)
	return c
}

// commit seals and applies changes to c.
func commit(t testing.TB, c *flags.Contents, op flags.Op, changes ...flags.Mutation) *flags.Commit {
	t.Helper()
	next := &flags.Commit{Set: c.Head().Set, ID: flags.NewCommitID(), Op: op, Changes: changes}
	if err := c.Seal(next); err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(next); err != nil {
		t.Fatal(err)
	}
	return next
}

// faultsOf returns the faults of an error as lines.
func faultsOf(t testing.TB, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var invalid *flags.ValidationError
	if !errors.As(err, &invalid) || !errors.Is(err, flags.ErrInvalid) {
		t.Fatalf("want a *ValidationError that is ErrInvalid, got %T: %v", err, err)
	}
	var lines []string
	for _, f := range invalid.Faults {
		lines = append(lines, f.String())
	}
	return lines
}

func TestFlagFaults(t *testing.T) {
	for _, tc := range []struct {
		flag string
		want []string // empty: accepted
	}{
		{goodFlag, nil},
		{`{"variants":{"a":1}}`, nil},
		{`{"defaultVariant":null,"variants":{"a":{}}}`, nil},
		{`{"description":"d","metadata":{"a":1,"b":"x","c":true},"owners":[1],"variants":{"a":"x"}}`, nil},

		{`7`, []string{`$.flags.f: a flag is an object, this is a number`}},
		{`{"a":1,"a":2}`, []string{`$.flags.f: duplicate key "a"; keep one of them`}},
		{`{"variants":{"a":1}`, []string{`$.flags.f.variants: unexpected end of the text, want "," or "}"`}},
		{`{ "variants":{"a":1}}`, []string{`$.flags.f: not in canonical form; pass it through flags.Canonical`}},
		{`{}`, []string{`$.flags.f: no "variants"; a flag has at least one, e.g. {"on": true, "off": false}`}},
		{`{"variants":{}}`, []string{`$.flags.f.variants: no variants; a flag has at least one`}},
		{`{"variants":["on"]}`, []string{`$.flags.f.variants: variants are an object of name to value, this is an array`}},
		{`{"variants":{"":1}}`, []string{`$.flags.f.variants[""]: the name of a variant must not be empty`}},
		{`{"variants":{"a":[1]}}`, []string{`$.flags.f.variants.a: a value is a boolean, string, number or object, this is an array`}},
		{`{"variants":{"a":null}}`, []string{`$.flags.f.variants.a: a value is a boolean, string, number or object, this is null`}},
		{`{"variants":{"a":1,"b":"x","c":true}}`, []string{
			`$.flags.f.variants.b: this is a string but "a" is a number; variants are all of one type`,
			`$.flags.f.variants.c: this is a boolean but "a" is a number; variants are all of one type`}},
		{`{"defaultVariant":"onn","variants":{"off":false,"on":true}}`, []string{
			`$.flags.f.defaultVariant: "onn" is no variant; known: "off", "on"; did you mean "on"?`}},
		{`{"defaultVariant":true,"variants":{"off":false,"on":true}}`, []string{
			`$.flags.f.defaultVariant: the default is the name of a variant or null, this is a boolean`}},
		{`{"state":"OFF","variants":{"a":1}}`, []string{`$.flags.f.state: unknown state "OFF"; it is "ENABLED" or "DISABLED"`}},
		{`{"state":true,"variants":{"a":1}}`, []string{`$.flags.f.state: unknown state true; it is "ENABLED" or "DISABLED"`}},
		{`{"metadata":1,"variants":{"a":1}}`, []string{`$.flags.f.metadata: metadata is an object, this is a number`}},
		{`{"metadata":{"a":null,"b":{},"c":"ok"},"variants":{"a":1}}`, []string{
			`$.flags.f.metadata.a: metadata holds strings, numbers and booleans, this is null`,
			`$.flags.f.metadata.b: metadata holds strings, numbers and booleans, this is an object`}},
		{`{"defaultvariant":"a","targetin":{},"variants":{"a":1}}`, []string{
			`$.flags.f.defaultvariant: unknown field; did you mean "defaultVariant"?`,
			`$.flags.f.targetin: unknown field; did you mean "targeting"?`}},
		{`{"variants":{"a":1},"x-overrides":{}}`, []string{
			`$.flags.f.x-overrides: overrides are written as entries of their own, not inside the flag`}},
		{`{"defaultVariant":"z","state":"x","targeting":{"iff":[]},"variants":{"a":1}}`, []string{
			`$.flags.f.defaultVariant: "z" is no variant; known: "a"`,
			`$.flags.f.state: unknown state "x"; it is "ENABLED" or "DISABLED"`,
			`$.flags.f.targeting: unknown operator "iff"; did you mean "if"?`}},
	} {
		got := faultsOf(t, contents(t).CheckChanges(flags.OpChange, []flags.Mutation{put(flags.FlagKey("f"), tc.flag)}))
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s\ngot  %s\nwant %s", tc.flag, strings.Join(got, "\n     "), strings.Join(tc.want, "\n     "))
		}
	}
}

func TestTargetingFaults(t *testing.T) {
	const at = `$.flags.f.targeting`
	for _, tc := range []struct{ rule, want string }{
		// Accepted: flagd's rules in all their forms.
		{`null`, ``}, {`{}`, ``}, {`"on"`, ``},
		{`{"if":[{"==":[{"var":"plan"},"pro"]},"on",null]}`, ``},
		{`{"if":[{"var":["a.b",1]},"on",{"!":{"var":"c"}},"off","on"]}`, ``},
		{`{"?:":[{"missing":["a"]},"on","off"]}`, ``},
		{`{"fractional":[["on",25],["off",75]]}`, ``},
		{`{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"email"}]},["on",0],["off"]]}`, ``},
		{`{"fractional":[null,["on",-1],["off",1]]}`, ``},
		{`{"fractional":[["on",{"var":"w"}],[{"var":"v"},1],[null,1]]}`, ``},
		{`{"if":[{"sem_ver":[{"var":"v"},"^","1.2.3"]},"on"]}`, ``},
		{`{"if":[{"starts_with":[{"var":"e"},"a"]},{"var":"which"},"off"]}`, ``},
		{`{"if":[{"<":[1,{"var":"x"},9]},"on"]}`, ``},
		{`{"if":[{"some":[{"var":"roles"},{"in":[{"var":""},["a","b"]]}]},"on"]}`, ``},
		{`{"if":[{"$ref":"beta"},"on"]}`, ``},
		{`{"if":[{"and":{"$ref":"beta"}},"on"]}`, ``},
		{`{"$ref":"result"}`, ``},

		{`{"unless":[1,2]}`, at + `: unknown operator "unless"; there are "if", "==", "in", "and", "or", "fractional", "starts_with", "sem_ver", ...`},
		{`{"if":[{"log":"x"},"on"]}`, at + `.if[0]: unknown operator "log"; there are "if", "==", "in", "and", "or", "fractional", "starts_with", "sem_ver", ...`},
		{`{"if":[{"startsWith":[{"var":"e"},"a"]},"on"]}`,
			at + `.if[0]: unknown operator "startsWith"; did you mean "starts_with"?`},
		{`{"if":["on"]}`, at + `.if: if takes at least 2 arguments, not 1`},
		{`{"if":[{"==":[1]},"on"]}`, at + `.if[0].==: == takes 2 arguments, not 1`},
		{`{"if":[{"<":[1,2,3,4]},"on"]}`, at + `.if[0].<: < takes 2 to 3 arguments, not 4`},
		{`{"if":[{"!":[1,2]},"on"]}`, at + `.if[0].!: ! takes 1 argument, not 2`},
		{`{"if":[{"and":[]},"on"]}`, at + `.if[0].and: and takes at least 1 argument, not 0`},
		{`{"if":[{"a":1,"b":2},"on"]}`, at + `.if[0]: an operation is an object with one operator, this one has 2: "a", "b"`},
		{`{"if":[{"$ref":"betta"},"on"]}`, at + `.if[0].$ref: unknown evaluator "betta"; define it under $evaluators`},
		{`{"if":[{"$ref":7},"on"]}`, at + `.if[0].$ref: $ref takes the name of an evaluator, this is a number`},
		{`{"if":[{"==":[{"var":"$flagd.flagkey"},"f"]},"on"]}`,
			at + `.if[0].==[0].var: unknown variable "$flagd.flagkey"; there are "$flagd.flagKey", "$flagd.timestamp"; did you mean "$flagd.flagKey"?`},
		{`{"if":[{"in":["a",7]},"on"]}`, at + `.if[0].in[1]: in looks into an array or a string, not a number`},
		{`{"if":[{"ends_with":[{"var":"e"},7]},"on"]}`, at + `.if[0].ends_with[1]: ends_with compares strings, a number never matches; quote it`},
		{`{"if":[{"sem_ver":[{"var":"v"},"=>","1.0.0"]},"on"]}`,
			at + `.if[0].sem_ver[1]: unknown comparison "=>"; sem_ver has "=", "!=", "<", "<=", ">", ">=", "~", "^"; did you mean ">="?`},
		{`{"fractional":[]}`, at + `.fractional: fractional takes at least 1 argument, not 0`},
		{`{"fractional":[{"var":"e"}]}`, at + `.fractional: fractional without entries; add [variant, weight] for each variant`},
		{`{"fractional":[7,["on",1]]}`, at + `.fractional[0]: fractional buckets by a string, not a number`},
		{`{"fractional":[["on",1],"off"]}`, at + `.fractional[1]: an entry of fractional is [variant] or [variant, weight]`},
		{`{"fractional":[["on",1,2]]}`, at + `.fractional[0]: an entry of fractional is [variant] or [variant, weight]`},
		{`{"fractional":[["on",0.5]]}`, at + `.fractional[0][1]: a weight is a whole number up to 2147483647`},
		{`{"fractional":[["on","50"]]}`, at + `.fractional[0][1]: a weight is a whole number up to 2147483647`},
		{`{"fractional":[["on",2147483647],["off",1]]}`, at + `.fractional: weights add up to 2147483648, at most 2147483647`},

		// What a rule can answer must be a variant, as far as that stands in its text.
		{`"onn"`, at + `: "onn" is no variant; known: "off", "on"; did you mean "on"?`},
		{`true`, at + `: "true" is no variant; known: "off", "on"`},
		{`1.0`, at + `: "1" is no variant; known: "off", "on"`},
		{`["on"]`, at + `: an array names no variant`},
		{`{"if":[{"var":"a"},"yes",{"var":"b"},"on","no"]}`,
			at + `.if[1]: "yes" is no variant; known: "off", "on"` + "\n" + at + `.if[4]: "no" is no variant; known: "off", "on"; did you mean "on"?`},
		{`{"if":[{"var":"a"},{"if":[{"var":"b"},"maybe"]}]}`, at + `.if[1].if[1]: "maybe" is no variant; known: "off", "on"`},
		{`{"and":[{"var":"a"},"yes"]}`, at + `.and[1]: "yes" is no variant; known: "off", "on"`},
		{`{"fractional":[["on",1],["yes",1]]}`, at + `.fractional[1][0]: "yes" is no variant; known: "off", "on"`},
		{`{"fractional":[[{"if":[{"var":"a"},"yes"]},1]]}`, at + `.fractional[0][0].if[1]: "yes" is no variant; known: "off", "on"`},
		{`{"==":[{"var":"a"},1]}`, at + `.==: == answers true or false, which are no variants; write {"if": [..., "variant", "other"]} around it`},
		{`{"filter":[{"var":"a"},true]}`, at + `.filter: filter answers an array, which names no variant`},
		{`{"$ref":"beta"}`, at + `.$ref: evaluator "beta": in answers true or false, which are no variants; write {"if": [..., "variant", "other"]} around it`},
		{`{"$ref":"50%"}`, at + `.$ref: evaluator "50%": "100%" is no variant; known: "off", "on"`},
	} {
		set := contents(t,
			put(evaluatorKey("beta"), `{"in":["@x",{"var":"email"}]}`),
			put(evaluatorKey("result"), `{"if":[{"var":"a"},"on"]}`),
			put(evaluatorKey("50%"), `"100%"`))
		err := set.CheckChanges(flags.OpChange, []flags.Mutation{put(flags.FlagKey("f"), onOff(tc.rule))})
		if got := strings.Join(faultsOf(t, err), "\n"); got != tc.want {
			t.Errorf("%s\ngot  %s\nwant %s", tc.rule, got, tc.want)
		}
	}
}

func TestResultsOfOtherTypesNameVariants(t *testing.T) {
	for _, text := range []string{
		`{"targeting":{"==":[{"var":"a"},1]},"variants":{"false":0,"true":1}}`,
		`{"targeting":true,"variants":{"true":1}}`,
		`{"targeting":10.0,"variants":{"10":1}}`,
	} {
		if err := contents(t).CheckChanges(flags.OpChange, []flags.Mutation{put(flags.FlagKey("f"), text)}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestChangesThatBreakOthers(t *testing.T) {
	a, b, beta := flags.FlagKey("a"), flags.FlagKey("b"), evaluatorKey("beta")
	start := []flags.Mutation{
		put(a, goodFlag),
		put(b, onOff(`{"if":[{"$ref":"beta"},"on"]}`)),
		put(flags.FlagKey("c"), onOff(`{"$ref":"answer"}`)),
		put(beta, `{"var":"beta"}`),
		put(evaluatorKey("answer"), `"on"`),
		put(flags.OverrideKey("a", "t1"), `{"variant":"on"}`),
		put(flags.OverrideKey("a", "t2"), `{"variant":"off"}`),
	}
	for _, tc := range []struct {
		name    string
		changes []flags.Mutation
		want    string
	}{
		{"delete a flag with overrides", []flags.Mutation{drop(a)}, `$.flags.a: still has overrides (2); delete them in the same commit`},
		{"one of them is left", []flags.Mutation{drop(a), drop(flags.OverrideKey("a", "t1"))}, `$.flags.a: still has overrides (1); delete them in the same commit`},
		{"with all of them", []flags.Mutation{drop(a), drop(flags.OverrideKey("a", "t1")), drop(flags.OverrideKey("a", "t2"))}, ``},
		{"delete a flag while overriding it", []flags.Mutation{drop(b), put(flags.OverrideKey("b", "t"), `{"variant":"on"}`)},
			"$.flags.b: still has overrides (1); delete them in the same commit\n" +
				`$.flags.b.x-overrides.t: there is no flag "b"; create it in the same commit or before`},
		{"drop a variant that is overridden to", []flags.Mutation{put(a, `{"variants":{"off":false}}`)},
			`$.flags.a.x-overrides.t1: "on" is no variant; known: "off"`},
		{"rename it with its override", []flags.Mutation{put(a, `{"variants":{"off":false,"yes":true}}`), put(flags.OverrideKey("a", "t1"), `{"variant":"yes"}`)}, ``},
		{"add a variant", []flags.Mutation{put(a, `{"variants":{"maybe":true,"off":false,"on":true}}`)}, ``},
		{"delete an evaluator in use", []flags.Mutation{drop(beta)},
			`$.flags.b.targeting.if[0].$ref: evaluator "beta" is deleted but still used here; change the rule first`},
		{"with the flag", []flags.Mutation{drop(beta), drop(b)}, ``},
		{"with its use", []flags.Mutation{drop(beta), put(b, goodFlag)}, ``},
		{"change an evaluator", []flags.Mutation{put(beta, `{"var":"gamma"}`)}, ``},
		{"change what an evaluator answers", []flags.Mutation{put(evaluatorKey("answer"), `"yes"`)},
			`$.flags.c.targeting.$ref: evaluator "answer": "yes" is no variant; known: "off", "on"`},
		{"override of a flag that is not there", []flags.Mutation{put(flags.OverrideKey("x", "t"), `{"variant":"on"}`)},
			`$.flags.x.x-overrides.t: there is no flag "x"; create it in the same commit or before`},
		{"of one that comes with it", []flags.Mutation{put(flags.FlagKey("x"), goodFlag), put(flags.OverrideKey("x", "t"), `{"variant":"on"}`)}, ``},
		{"override to no variant", []flags.Mutation{put(flags.OverrideKey("b", "t.1"), `{"variant":"of"}`)},
			`$.flags.b.x-overrides["t.1"]: "of" is no variant; known: "off", "on"; did you mean "off"?`},
		{"override without a variant", []flags.Mutation{put(flags.OverrideKey("b", "t"), `{"value":"on"}`)},
			`$.flags.b.x-overrides.t: an override names one variant, e.g. "on"`},
		{"evaluator of an evaluator", []flags.Mutation{put(evaluatorKey("x"), `{"!":{"$ref":"beta"}}`)},
			`$.$evaluators.x.!.$ref: an evaluator cannot refer to another; write its rule out`},
		{"evaluator with an unknown operator", []flags.Mutation{put(evaluatorKey("x"), `{"plus":[1,2]}`)},
			`$.$evaluators.x: unknown operator "plus"; there are "if", "==", "in", "and", "or", "fractional", "starts_with", "sem_ver", ...`},
		{"break an evaluator in use", []flags.Mutation{put(beta, `{"plus":[1,2]}`)},
			`$.$evaluators.beta: unknown operator "plus"; there are "if", "==", "in", "and", "or", "fractional", "starts_with", "sem_ver", ...`},
		{"make one a list, where a rule is wanted", []flags.Mutation{put(evaluatorKey("answer"), `["on"]`)},
			`$.flags.c.targeting.$ref: evaluator "answer": an array names no variant`},
		{"empty evaluator", []flags.Mutation{put(evaluatorKey("x"), `{}`)}, `$.$evaluators.x: an evaluator without a rule; delete it or write one`},
		{"metadata", []flags.Mutation{put(metadataKey("m"), `"x"`)}, ``},
		{"metadata of a wrong type", []flags.Mutation{put(metadataKey("m"), `["x"]`)}, `$.metadata.m: metadata holds strings, numbers and booleans, this is an array`},
		{"delete what is not there", []flags.Mutation{drop(flags.FlagKey("x")), drop(metadataKey("x"))}, ``},
		{"no name", []flags.Mutation{put(flags.FlagKey(""), goodFlag)}, `$.flags[""]: a name must not be empty`},
		{"a name that is no text", []flags.Mutation{put(metadataKey("\xff"), `1`)}, "$.metadata.\xff: a name takes 1 to 512 bytes of UTF-8"},
		{"an entity on a flag", []flags.Mutation{put(flags.EntryKey{Kind: flags.KindFlag, Name: "x", Entity: "e"}, goodFlag)},
			`$.flags.x: an override, and nothing else, names a targeting key`},
		{"an unknown kind", []flags.Mutation{put(flags.EntryKey{Kind: 9, Name: "x"}, `1`)}, `$.flags.x: unknown kind of entry`},
	} {
		got := strings.Join(faultsOf(t, contents(t, start...).CheckChanges(flags.OpChange, tc.changes)), "\n")
		if got != tc.want {
			t.Errorf("%s\ngot  %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

func TestCreateIsCheckedAgainstNothing(t *testing.T) {
	set := contents(t, put(flags.FlagKey("a"), goodFlag))
	override := []flags.Mutation{put(flags.OverrideKey("a", "t"), `{"variant":"on"}`)}
	if err := set.CheckChanges(flags.OpChange, override); err != nil {
		t.Errorf("an override of a flag that is there: %v", err)
	}
	if err := set.CheckChanges(flags.OpCreate, override); !errors.Is(err, flags.ErrInvalid) {
		t.Errorf("a new epoch begins empty, so the flag is not there: %v", err)
	}
}

// TestUncheckedChangesBreakTheFlag is why every write is checked: contents take
// what they are given, and a bad flag then answers nobody.
func TestUncheckedChangesBreakTheFlag(t *testing.T) {
	for rule, want := range map[string]flags.ErrorCode{
		`{"unless":[1,"on"]}`:           flags.ErrorParse,
		`{"if":[{"$ref":"beta"},"on"]}`: flags.ErrorParse,
		`{"if":[true,"onn"]}`:           flags.ErrorGeneral,
		`{"==":[1,1]}`:                  flags.ErrorGeneral,
		`{"filter":[[1,2],{"var":""}]}`: flags.ErrorGeneral,
		`{"if":[{"var":"x"},"a","on"]}`: flags.ErrorNone, // only somebody with an x would find out
	} {
		change := put(flags.FlagKey("f"), onOff(rule))
		if err := contents(t).CheckChanges(flags.OpChange, []flags.Mutation{change}); err == nil {
			t.Errorf("%s is accepted", rule)
		}
		view := flags.NewSnapshot(contents(t, change).Checkpoint()).View()
		if got := view.BoolDetails("f", flags.Entity("somebody"), false); got.ErrorCode != want {
			t.Errorf("%s, unchecked: %q %s", rule, got.ErrorCode, got.ErrorMessage())
		}
	}
}

func TestLimits(t *testing.T) {
	check := func(changes ...flags.Mutation) string {
		return strings.Join(faultsOf(t, contents(t).CheckChanges(flags.OpChange, changes)), "\n")
	}
	long := strings.Repeat("k", flags.MaxKeyBytes+1)
	if got := check(put(flags.FlagKey(long), goodFlag)); !strings.HasSuffix(got, "a name takes 1 to 512 bytes of UTF-8") || len(got) > 200 {
		t.Errorf("a long name: %s", got)
	}
	big := `{"variants":{"a":"` + strings.Repeat("x", flags.MaxEntryBytes) + `"}}`
	if got := check(put(flags.FlagKey("f"), big)); got != fmt.Sprintf("$.flags.f: %d bytes are too much, at most 1048576", len(big)) {
		t.Errorf("a big entry: %s", got)
	}
	for depth, want := range map[int]string{58: "", 59: "$.flags.f: nested 61 levels deep, at most 60"} {
		deep := `{"variants":{"a":` + strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth) + "}}"
		if got := check(put(flags.FlagKey("f"), deep)); got != want {
			t.Errorf("%d levels: %s", depth, got)
		}
	}
}

func TestTooManyEntries(t *testing.T) {
	entries := make([]flags.Mutation, flags.MaxEntries)
	for i := range entries {
		entries[i] = put(metadataKey(fmt.Sprint(i)), "1")
	}
	set := contents(t, entries...)
	if err := set.CheckChanges(flags.OpChange, []flags.Mutation{put(metadataKey("0"), "2")}); err != nil {
		t.Errorf("a full set can be changed: %v", err)
	}
	if err := set.CheckChanges(flags.OpChange, []flags.Mutation{put(metadataKey("x"), "1"), drop(metadataKey("0"))}); err != nil {
		t.Errorf("one for another: %v", err)
	}
	got := faultsOf(t, set.CheckChanges(flags.OpChange, []flags.Mutation{put(metadataKey("x"), "1")}))
	if len(got) != 1 || got[0] != "$: 100001 entries, overrides included, are too many; a set has at most 100000" {
		t.Errorf("one more: %s", got)
	}
}

func TestErrorListsTwentyFaults(t *testing.T) {
	var changes []flags.Mutation
	for i := range 25 {
		changes = append(changes, put(flags.FlagKey(fmt.Sprintf("f%02d", i)), `{}`))
	}
	err := contents(t).CheckChanges(flags.OpChange, changes)
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 22 || lines[0] != "flags: invalid: 25 faults:" || lines[21] != "  and 5 more" || !strings.HasPrefix(lines[1], "  $.flags.f00: ") {
		t.Errorf("%s", err)
	}
	if len(faultsOf(t, err)) != 25 {
		t.Error("Faults must hold them all")
	}
}

// TestOperatorsAreThoseOfTheCompiler: the check must neither refuse an operator
// that evaluates nor accept one that does not.
func TestOperatorsAreThoseOfTheCompiler(t *testing.T) {
	names := strings.Fields(`var missing missing_some if ?: and or ! !! == === != !== > >= < <= max min + - * / %
		map filter reduce all none some merge in cat substr fractional sem_ver starts_with ends_with log method unknown`)
	for _, name := range names {
		text := `{"if":[{` + fmt.Sprintf("%q", name) + `:[{"var":"a"},{"var":"b"},{"var":"c"}]},"on"]}`
		rule, err := jsonlogic.ParseJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		_, compiled := jsonlogic.Compile(rule, jsonlogic.Options{})
		faults := strings.Join(faultsOf(t, contents(t).CheckChanges(flags.OpChange, []flags.Mutation{put(flags.FlagKey("f"), onOff(text))})), "\n")
		if known := !strings.Contains(faults, "unknown operator"); known != (compiled == nil) {
			t.Errorf("%s: compiler says %v, check says %s", name, compiled, faults)
		}
	}
}

// TestHostileWrites are answered with a bounded number of faults, however much
// there is to say.
func TestHostileWrites(t *testing.T) {
	list := func(n int, item string) string {
		return strings.TrimSuffix(strings.Repeat(item+",", n), ",")
	}
	var variants strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&variants, `"variant-%05d":1,`, i)
	}
	many := strings.TrimSuffix(variants.String(), ",")
	for name, text := range map[string]string{
		"many results, many variants": `{"targeting":{"fractional":[` + list(30_000, `["varian-x",1]`) + `]},"variants":{` + many + `}}`,
		"many unknown operators":      onOff(`{"and":[` + list(50_000, `{"startswith":[]}`) + `]}`),
		"many unknown evaluators":     onOff(`{"and":[` + list(50_000, `{"$ref":"betta"}`) + `]}`),
		"many types":                  `{"variants":{` + strings.ReplaceAll(many, "5\":1", "5\":true") + `}}`,
	} {
		if len(text) > flags.MaxEntryBytes {
			t.Fatalf("%s: %d bytes, which is refused for its size", name, len(text))
		}
		set := contents(t, put(evaluatorKey("beta"), `true`))
		got := faultsOf(t, set.CheckChanges(flags.OpChange, []flags.Mutation{put(flags.FlagKey("f"), text)}))
		if len(got) != 1000 {
			t.Errorf("%s: %d faults", name, len(got))
		}
	}
}

// TestFaultsPastTheLimit: what is no longer listed must not pass for sound.
func TestFaultsPastTheLimit(t *testing.T) {
	var changes []flags.Mutation
	for i := range 1100 {
		changes = append(changes, put(flags.FlagKey(fmt.Sprintf("f%04d", i)), onOff(`{"if":[{"$ref":"gone"},"on"]}`)))
	}
	if got := faultsOf(t, contents(t).CheckChanges(flags.OpChange, changes)); len(got) != 1000 {
		t.Errorf("%d faults", len(got))
	}
}
