package expression_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags/expression"
)

// TestBothWays: an expression compiles to its rule, and the rule is shown as that expression; other ways to write it
// compile to the same.
func TestBothWays(t *testing.T) {
	for _, tc := range []struct {
		text, rule string
		others     []string
	}{
		{`country in ["NZ", "AU"] && plan == "pro" && !startsWith(email, "test")`,
			`{"and":[{"in":[{"var":"country"},["NZ","AU"]]},{"==":[{"var":"plan"},"pro"]},{"!":{"starts_with":[{"var":"email"},"test"]}}]}`,
			[]string{"country in ['NZ','AU']\n&& (plan=='pro')\n&& !(startsWith( email , 'test' ))"}},
		{`beta`, `{"var":"beta"}`, []string{`(beta)`, `attr("beta")`, " beta\n"}},
		{`!beta`, `{"!":{"var":"beta"}}`, nil},
		{`!!beta`, `{"!":{"!":{"var":"beta"}}}`, []string{`!(!beta)`}},
		{`true`, `true`, nil},
		{`geo.country != null`, `{"!=":[{"var":"geo.country"},null]}`, nil},
		{`items.0.price <= 9.50`, `{"<=":[{"var":"items.0.price"},9.50]}`, nil},
		{`balance < -1e3`, `{"<":[{"var":"balance"},-1e3]}`, nil},
		{`3 < seats`, `{"<":[3,{"var":"seats"}]}`, nil},
		{`plan === "pro" || plan !== tier`, `{"or":[{"===":[{"var":"plan"},"pro"]},{"!==":[{"var":"plan"},{"var":"tier"}]}]}`, nil},
		{`a && b || c && d`, `{"or":[{"and":[{"var":"a"},{"var":"b"}]},{"and":[{"var":"c"},{"var":"d"}]}]}`, []string{`(a && b) || (c && d)`}},
		{`(a || b) && c`, `{"and":[{"or":[{"var":"a"},{"var":"b"}]},{"var":"c"}]}`, nil},
		{`(a && b) && c`, `{"and":[{"and":[{"var":"a"},{"var":"b"}]},{"var":"c"}]}`, nil},
		{`a && b && c`, `{"and":[{"var":"a"},{"var":"b"},{"var":"c"}]}`, nil},
		{`!(a && b)`, `{"!":{"and":[{"var":"a"},{"var":"b"}]}}`, nil},
		{`!(a == 1)`, `{"!":{"==":[{"var":"a"},1]}}`, nil},
		{`region not in []`, `{"!":{"in":[{"var":"region"},[]]}}`, []string{`!(region in [])`}},
		{`!(region not in [1])`, `{"!":{"!":{"in":[{"var":"region"},[1]]}}}`, []string{`!!(region in [1])`}},
		{`x in [1, "a", true, null, -2.0]`, `{"in":[{"var":"x"},[1,"a",true,null,-2.0]]}`, []string{`contains([1,"a",true,null,-2.0], x)`}},
		{`contains(email, "@example.com")`, `{"in":["@example.com",{"var":"email"}]}`, []string{`"@example.com" in email`}},
		{`!contains(groups, team)`, `{"!":{"in":[{"var":"team"},{"var":"groups"}]}}`, []string{`team not in groups`}},
		{`contains("NZ AU", country)`, `{"in":[{"var":"country"},"NZ AU"]}`, []string{`country in "NZ AU"`}},
		{`tenant in segment("pilots")`, `{"in":[{"var":"tenant"},{"$ref":"pilots"}]}`, []string{`contains(segment("pilots"), tenant)`}},
		{`tenant not in segment("pilots")`, `{"!":{"in":[{"var":"tenant"},{"$ref":"pilots"}]}}`, nil},
		{`segment("early birds") && !segment("b")`, `{"and":[{"$ref":"early birds"},{"!":{"$ref":"b"}}]}`, nil},
		{`endsWith(host, suffix)`, `{"ends_with":[{"var":"host"},{"var":"suffix"}]}`, nil},
		{`has(email)`, `{"!":{"missing":["email"]}}`, []string{`!missing(email)`}},
		{`missing(email, geo.city)`, `{"missing":["email","geo.city"]}`, nil},
		{`!has(attr("e-mail"), a)`, `{"!":{"!":{"missing":["e-mail","a"]}}}`, []string{`!!missing(attr("e-mail"), a)`}},
		{`semver(version) >= "1.2.0" && semver(v) == w`, `{"and":[{"sem_ver":[{"var":"version"},">=","1.2.0"]},{"sem_ver":[{"var":"v"},"=",{"var":"w"}]}]}`, nil},
		{`semver(v) ~ "1.2" || semver(v) ^ "v2.0.0-rc.1"`, `{"or":[{"sem_ver":[{"var":"v"},"~","1.2"]},{"sem_ver":[{"var":"v"},"^","v2.0.0-rc.1"]}]}`, nil},
		{`!(semver(v) != "1")`, `{"!":{"sem_ver":[{"var":"v"},"!=","1"]}}`, nil},
		{`targetingKey == "tenant-42"`, `{"==":[{"var":"targetingKey"},"tenant-42"]}`, nil},
		{`$flagd.timestamp > 1735689600`, `{">":[{"var":"$flagd.timestamp"},1735689600]}`, nil},
		{`attr("in") == attr("user-agent")`, `{"==":[{"var":"in"},{"var":"user-agent"}]}`, nil},
		{`attr("a..b")`, `{"var":"a..b"}`, nil},
		{`percent(25)`, `{"==":[{"fractional":[["in",25000],["out",75000]]},"in"]}`, []string{`percent(25.0)`, `percent( 2.5e1 )`}},
		{`percent(0.125)`, `{"==":[{"fractional":[["in",125],["out",99875]]},"in"]}`, nil},
		{`!percent(100)`, `{"!":{"==":[{"fractional":[["in",100000],["out",0]]},"in"]}}`, nil},
		{`percent(10, by: geo.country)`,
			`{"if":[{"var":"geo.country"},{"==":[{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"geo.country"}]},["in",10000],["out",90000]]},"in"]},false]}`, nil},
		{`percent(10, seed: "x y")`,
			`{"if":[{"var":"targetingKey"},{"==":[{"fractional":[{"cat":[{"var":"$flagd.flagKey"},"x y",{"var":"targetingKey"}]},["in",10000],["out",90000]]},"in"]},false]}`,
			[]string{`percent(10, by: targetingKey, seed: "x y")`}},
		{`percent(10, by: attr("a-b"), seed: "s")`,
			`{"if":[{"var":"a-b"},{"==":[{"fractional":[{"cat":[{"var":"$flagd.flagKey"},"s",{"var":"a-b"}]},["in",10000],["out",90000]]},"in"]},false]}`,
			[]string{`percent(10, seed: 's', by: attr('a-b'))`}},
		{`percent(10, by: targetingKey)`,
			`{"if":[{"var":"targetingKey"},{"==":[{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"targetingKey"}]},["in",10000],["out",90000]]},"in"]},false]}`, nil},
		{`name == "\"q\" \\ \n\t é 😀 日本"`, `{"==":[{"var":"name"},"\"q\" \\ \n\t é 😀 日本"]}`, []string{`name == '"q" \\ \n\t \u00e9 \ud83d\ude00 日本'`}},
		{`name == "\u202egnp\u0000\u007f'\u200d"`, `{"==":[{"var":"name"},"` + "\u202egnp" + `\u0000` + "\x7f'\u200d" + `"]}`,
			[]string{"name == \"\u202egnp\\u0000\u007f'\u200d\"", `name == '` + "\u202e" + `gnp\u0000\u007f\'\u200d'`}},
	} {
		for _, text := range append(tc.others, tc.text) {
			if rule, err := expression.Compile(text); err != nil || string(rule) != tc.rule {
				t.Errorf("%s: compiles to\n%s, %v; want\n%s", text, rule, err, tc.rule)
			}
		}
		if text, ok := expression.Show([]byte(tc.rule)); !ok || text != tc.text {
			t.Errorf("%s: shown as\n%s, %v; want\n%s", tc.rule, text, ok, tc.text)
		}
	}
}

// TestNotShown: what cannot be said exactly is not said.
func TestNotShown(t *testing.T) {
	for _, rule := range []string{
		``, `{`, `nonsense`, `{}`, `[]`, `"on"`, `1`, `null`, `[{"var":"a"}]`,
		`{"var":["a"]}`, `{"var":["a",1]}`, `{"var":""}`, `{"var":1}`, `{"var":"$flagd.other"}`,
		`{"!":[{"var":"a"}]}`, `{"!":"text"}`, `{"!!":{"var":"a"}}`, `{"and":[{"var":"a"}]}`, `{"and":[]}`, `{"and":{"var":"a"}}`,
		`{"or":[{"var":"a"},"text"]}`, `{"or":[{"var":"a"},1]}`, `{"or":[{"var":"a"},null]}`,
		`{"<":[1,{"var":"a"},3]}`, `{"==":[{"var":"a"}]}`, `{"==":[{"+":[1,2]},3]}`, `{"==":[[1],[2]]}`,
		`{"in":[{"var":"a"},["x",{"var":"b"}]]}`, `{"in":[{"var":"a"},[["x"]]]}`, `{"in":[{"var":"a"},7]}`, `{"in":[["x"],{"var":"a"}]}`,
		`{"starts_with":[{"var":"a"},1]}`, `{"starts_with":[{"var":"a"}]}`, `{"sem_ver":[{"var":"a"},"==","1"]}`, `{"sem_ver":["1","=","1"]}`,
		`{"sem_ver":[{"var":"a"},"=","one"]}`, `{"sem_ver":[{"var":"a"},"=",1]}`,
		`{"missing":"a"}`, `{"missing":[]}`, `{"missing":[1]}`, `{"missing_some":[1,["a"]]}`, `{"missing":[["a"]]}`,
		`{"if":[{"var":"a"},true,false]}`, `{"==":[{"fractional":[["in",25],["out",75]]},"in"]}`,
		`{"==":[{"fractional":[["in",25000],["out",75001]]},"in"]}`, `{"==":[{"fractional":[["on",25000],["out",75000]]},"in"]}`,
		`{"==":[{"fractional":[["in",025000],["out",75000]]},"in"]}`, `{"==":[{"fractional":[["in",2.5e4],["out",75000]]},"in"]}`,
		`{"==":[{"fractional":[["in",25000],["out",75000],["x",0]]},"in"]}`, `{"===":[{"fractional":[["in",25000],["out",75000]]},"in"]}`,
		`{"if":[{"var":"b"},{"==":[{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"a"}]},["in",10000],["out",90000]]},"in"]},false]}`,
		`{"if":[{"var":"a"},{"==":[{"fractional":[["in",10000],["out",90000]]},"in"]},false]}`,
		`{"$ref":""}`, `{"$ref":["a"]}`, `{"unknown":[1]}`, `{"a":1,"b":2}`, `{"cat":["a"]}`, `{"filter":[{"var":"a"},true]}`,
		strings.Repeat(`{"!":`, 21) + `true` + strings.Repeat(`}`, 21),
		`{"==":[{"var":"a"},"` + strings.Repeat("x", expression.MaxLength) + `"]}`,
	} {
		if text, ok := expression.Show([]byte(rule)); ok {
			t.Errorf("%.100s: shown as %s", rule, text)
		}
	}
}

func TestFormat(t *testing.T) {
	const want = `(a == "x" || b) && c not in [1, 2]`
	for range 2 {
		if got, err := expression.Format(`(a=='x'||(b))&&!(c in[1,2])`); err != nil || got != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
	var e *expression.Error
	if _, err := expression.Format(`a =`); !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}

func TestSegmentsDoNotNest(t *testing.T) {
	if rule, err := expression.CompileSegment(`plan == "pro"`); err != nil || string(rule) != `{"==":[{"var":"plan"},"pro"]}` {
		t.Errorf("%s, %v", rule, err)
	}
	for _, text := range []string{`a && segment("x")`, `a in segment("x")`, `contains(segment("x"), a)`} {
		var e *expression.Error
		if _, err := expression.CompileSegment(text); !errors.As(err, &e) || e.Column != 1+strings.Index(text, "segment") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
