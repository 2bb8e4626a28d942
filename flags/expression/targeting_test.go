package expression_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
)

func variant(name string) expression.Serve { return expression.Serve{Variant: name} }

func split(by string, shares ...flags.Share) expression.Serve {
	return expression.Serve{Split: shares, By: by}
}

// TestTargetingBothWays: a list of rules, its JsonLogic and its text are three notations of one thing.
func TestTargetingBothWays(t *testing.T) {
	half := []flags.Share{{Variant: "on", Weight: 50}, {Variant: "off", Weight: 50}}
	for _, tc := range []struct {
		targeting  expression.Targeting
		rule, text string
	}{
		{expression.Targeting{}, ``, ``},
		{expression.Targeting{Rules: []expression.Rule{{When: `beta`, Serve: variant("on")}}}, `{"if":[{"var":"beta"},"on"]}`, `when beta serve on`},
		{expression.Targeting{Rules: []expression.Rule{{When: `plan == "pro"`, Serve: variant("on")}}, Else: variant("off")},
			`{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}`, "when plan == \"pro\" serve on\nelse off"},
		{expression.Targeting{Rules: []expression.Rule{{When: `a`, Serve: variant("25 %")}, {When: `b`, Serve: variant("true")}}, Else: variant("else")},
			`{"if":[{"var":"a"},"25 %",{"var":"b"},"true","else"]}`, "when a serve \"25 %\"\nwhen b serve \"true\"\nelse \"else\""},
		{expression.Targeting{Else: split("", half...)}, `{"fractional":[["on",50],["off",50]]}`, `else on = 50, off = 50`},
		{expression.Targeting{Else: split("tenant", half...)},
			`{"if":[{"var":"tenant"},{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"tenant"}]},["on",50],["off",50]]},null]}`, `else on = 50, off = 50 by tenant`},
		{expression.Targeting{Rules: []expression.Rule{{When: `tenant`, Serve: split("tenant", half...)}}, Else: split("targetingKey", half...)},
			`{"if":[{"var":"tenant"},{"if":[{"var":"tenant"},{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"tenant"}]},["on",50],["off",50]]},null]},` +
				`{"if":[{"var":"targetingKey"},{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"targetingKey"}]},["on",50],["off",50]]},null]}]}`,
			"when tenant serve on = 50, off = 50 by tenant\nelse on = 50, off = 50 by targetingKey"},
		{expression.Targeting{Rules: []expression.Rule{{When: `percent(10)`, Serve: variant("on")}, {When: `percent(20, seed: "x")`, Serve: split("", half...)}}, Else: variant("off")}, "refused", ""},
		{expression.Targeting{Rules: []expression.Rule{{When: `percent(10, seed: "a")`, Serve: split("", half...)}}},
			`{"if":[{"if":[{"var":"targetingKey"},{"==":[{"fractional":[{"cat":[{"var":"$flagd.flagKey"},"a",{"var":"targetingKey"}]},["in",10000],["out",90000]]},"in"]},false]},{"fractional":[["on",50],["off",50]]}]}`,
			`when percent(10, seed: "a") serve on = 50, off = 50`},
	} {
		rule, err := tc.targeting.Compile()
		if tc.rule == "refused" {
			if err == nil || !strings.Contains(err.Error(), "rule 2: a percent(...) before this split goes by the same hash") {
				t.Errorf("%s: %v", tc.targeting, err)
			}
			continue
		}
		if err != nil || string(rule) != tc.rule {
			t.Errorf("%s: compiles to\n%s, %v; want\n%s", tc.targeting, rule, err, tc.rule)
		}
		if shown, ok := expression.ShowTargeting(rule); !ok || !reflect.DeepEqual(shown, tc.targeting) {
			t.Errorf("%s: shown as %v, %v", tc.rule, shown, ok)
		}
		if text := tc.targeting.String(); text != tc.text {
			t.Errorf("got text\n%s\nwant\n%s", text, tc.text)
		}
		if read, err := expression.ParseTargeting(tc.text); err != nil || !reflect.DeepEqual(read, tc.targeting) {
			t.Errorf("%s: read as %v, %v", tc.text, read, err)
		}
	}
}

func TestTargetingNotShown(t *testing.T) {
	for _, rule := range []string{
		`{}`, `null`, `"on"`, `true`, `[]`, `{`, `{"if":[]}`, `{"if":["on"]}`, `{"if":[{"var":"a"},true,false]}`, `{"if":[{"var":"a"},"on",null]}`,
		`{"if":[{"var":"a"},null,"on"]}`, `{"if":[{"var":"a"},""]}`, `{"if":[{"var":"a"},"on",{"if":[{"var":"b"},"off"]}]}`, `{"?:":[{"var":"a"},"on","off"]}`,
		`{"fractional":[["on",50]]}`, `{"fractional":[["on"],["off"]]}`, `{"fractional":[["on",0],["off",0]]}`, `{"fractional":[["on",1],["on",1]]}`,
		`{"fractional":[["on",-1],["off",2]]}`, `{"fractional":[[true,1],[false,2]]}`, `{"fractional":[["on",2147483647],["off",1]]}`,
		`{"fractional":[{"var":"email"},["on",50],["off",50]]}`, `{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"a"}]},["on",50],["off",50]]}`,
		`{"if":[{"==":[{"fractional":[["in",25000],["out",75000]]},"in"]},{"fractional":[["on",50],["off",50]]}]}`,
		`{"$ref":"rollout"}`,
	} {
		if shown, ok := expression.ShowTargeting([]byte(rule)); ok {
			t.Errorf("%s: shown as %s", rule, shown)
		}
	}
}

func TestTargetingErrors(t *testing.T) {
	on := variant("on")
	for _, tc := range []struct {
		targeting expression.Targeting
		want      string
	}{
		{expression.Targeting{Rules: []expression.Rule{{When: "a", Serve: on}, {When: "a =", Serve: on}}}, `rule 2: column 3: unexpected "="; write ==`},
		{expression.Targeting{Rules: []expression.Rule{{When: "a"}}}, `rule 1: it serves nothing; name a variant`},
		{expression.Targeting{Else: on}, `expression: a variant for everybody is no rule; make "on" the default variant`},
		{expression.Targeting{Rules: []expression.Rule{{When: "a", Serve: expression.Serve{Variant: "on", By: "b"}}}}, `rule 1: it serves both a variant and a split; choose one`},
		{expression.Targeting{Else: split("", flags.Share{Variant: "on", Weight: 1})}, `else: a split has two shares or more: give every variant its own, such as on = 25, off = 75`},
		{expression.Targeting{Else: expression.Serve{By: "b"}}, `else: a split has two shares or more: give every variant its own, such as on = 25, off = 75`},
		{expression.Targeting{Else: split("", flags.Share{Variant: "on", Weight: 1}, flags.Share{Variant: "on"})}, `else: "on" has two shares`},
		{expression.Targeting{Else: split("", flags.Share{Variant: "on", Weight: 1}, flags.Share{Weight: 1})}, `else: a share without a variant`},
		{expression.Targeting{Else: split("", flags.Share{Variant: "on"}, flags.Share{Variant: "off"})}, `else: all weights are 0`},
		{expression.Targeting{Else: split("", flags.Share{Variant: "on", Weight: -1}, flags.Share{Variant: "off"})}, `else: the weight of "on" is negative`},
		{expression.Targeting{Else: split("", flags.Share{Variant: "on", Weight: 1 << 31}, flags.Share{Variant: "off"})}, `else: the weight of "on" is negative, or the sum is more than 2147483647`},
		{expression.Targeting{Rules: []expression.Rule{{When: `!(b || a && percent(5, by: t))`, Serve: on}}, Else: split("t", flags.Share{Variant: "on", Weight: 1}, flags.Share{Variant: "off", Weight: 1})}, `else: a percent(...) before`},
		{expression.Targeting{Rules: []expression.Rule{{When: `percent(5, by: targetingKey)`, Serve: on}}, Else: split("", flags.Share{Variant: "on", Weight: 1}, flags.Share{Variant: "off", Weight: 1})}, `else: a percent(...) before`},
		{expression.Targeting{Rules: []expression.Rule{{When: `percent(5)`, Serve: on}}, Else: split("targetingKey", flags.Share{Variant: "on", Weight: 1}, flags.Share{Variant: "off", Weight: 1})}, `else: a percent(...) before`},
	} {
		if rule, err := tc.targeting.Compile(); err == nil || !strings.HasPrefix(err.Error(), tc.want) || rule != nil {
			t.Errorf("%s: %s, %v; want %s", tc.targeting, rule, err, tc.want)
		}
	}
	for text, want := range map[string]string{
		`when a serve on when`:                   `column 21: unexpected end of the text`,
		`when a = 1 serve on`:                    `column 8: unexpected "=", want "serve" after the condition`,
		`when a serve`:                           `column 13: unexpected end of the text, want a variant`,
		"when a serve on\nelse off\nwhen b":      `line 3, column 1: unexpected "when", want a rule`,
		`on`:                                     `column 1: unexpected "on", want a rule; a rule is: when`,
		`else on = 5, off`:                       `column 17: unexpected end of the text, want "=" and a weight; every variant`,
		`else on = 0.5, off = 1`:                 `column 11: unexpected number 0.5, want a whole number`,
		`else on = 1, off = 1 by "x"`:            `column 25: unexpected text "x", want an attribute`,
		`else on by x`:                           `column 9: unexpected "by", want a rule`,
		`else 5`:                                 `column 6: unexpected number 5, want a variant; quote names`,
		`else on`:                                `expression: a variant for everybody`,
		`when ` + strings.Repeat("a || ", 99999): `column 1: 500000 bytes are too long`,
	} {
		if read, err := expression.ParseTargeting(text); err == nil || !strings.HasPrefix(err.Error(), want) || read.Rules != nil {
			t.Errorf("%.50s: %v, %v; want %s", text, read, err, want)
		}
	}
	var e *expression.Error
	if _, err := (expression.Targeting{Rules: []expression.Rule{{When: "a b", Serve: on}}}).Compile(); !errors.As(err, &e) || e.Column != 3 {
		t.Errorf("%v", err)
	}
}

// TestRolloutIsShown: what a flag's rollout writes is a split for everybody.
func TestRolloutIsShown(t *testing.T) {
	for _, by := range []string{"", "tenant", "targetingKey"} {
		want := expression.Targeting{Else: split(by, flags.Share{Variant: "on", Weight: 25}, flags.Share{Variant: "off", Weight: 75})}
		d, err := flags.Definition{}.WithRollout(want.Else.Split, by)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := expression.ShowTargeting(d.Targeting()); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: shown as %v, %v", d.Targeting(), got, ok)
		}
	}
}
