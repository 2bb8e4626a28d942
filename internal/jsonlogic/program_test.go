package jsonlogic_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// Rules that make no text, arrays or objects make no garbage either.
func TestEvalAllocatesNothing(t *testing.T) {
	data := `{"targetingKey":"tenant-42","country":"NZ","plan":"pro","version":"2.4.1","seats":30,"on":true,
		"list":["a","b","c"],"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":8}}}}}}},"users":[{"n":1},{"n":2}],"num":"12","key":"a.b"}`
	rules := []string{
		`"on"`,
		`{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}`,
		tenRules(),
		`{"and":[{"===":[{"var":"plan"},"pro"]},{"!=":[{"var":"country"},"AU"]},{"or":[{"!":{"var":"on"}},{"!!":{"var":"on"}}]}]}`,
		`{"in":[{"var":"targetingKey"},["` + strings.Join(manyIDs(1000), `","`) + `"]]}`,
		`{"in":["b",{"var":"list"}]}`,
		`{"in":["ant",{"var":"targetingKey"}]}`,
		`{"fractional":[["on",50],["off",50]]}`,
		`{"fractional":[{"var":"country"},["on",50],["off",50]]}`,
		`{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"country"},{"var":"seats"}]},["on",50],["off",50]]}`,
		`{"fractional":[{"if":[{"var":"on"},{"var":"country"}]},[{"var":"plan"},{"var":"seats"}],["off",50]]}`,
		`{"sem_ver":[{"var":"version"},">=","2.1.0"]}`,
		`{"sem_ver":[{"var":"seats"},"^",{"var":"version"}]}`,
		`{"starts_with":[{"var":"targetingKey"},"tenant-"]}`,
		`{"ends_with":[{"var":"targetingKey"},{"var":"country"}]}`,
		`{"<":[1,{"var":"seats"},100]}`,
		`{">":[{"var":"num"},{"var":"seats"}]}`,
		`{"==":[{"var":"num"},12]}`,
		`{"+":[{"var":"num"},{"var":"seats"},{"*":[2,{"-":[{"var":"seats"}]}]},{"%":[{"var":"seats"},7]},{"/":[1,3]}]}`,
		`{"max":[{"var":"seats"},{"min":[{"var":"num"},3]}]}`,
		`{"var":"a.b.c.d.e.f.g.h"}`,
		`{"var":["a.b.x.y","none"]}`,
		`{"var":{"var":"key"}}`,
		`{"var":"a"}`,
		`{"var":"list.1"}`,
		`{"var":"list.length"}`,
		`{"some":[{"var":"users"},{"==":[{"var":"n"},2]}]}`,
		`{"all":[{"var":"list"},{"in":[{"var":""},["a","b","c"]]}]}`,
		`{"none":[{"var":"users"},{">":[{"var":"n"},2]}]}`,
		`{"reduce":[{"var":"users"},{"+":[{"var":"current.n"},{"var":"accumulator"}]},0]}`,
		`{"<":[{"var":"$flagd.timestamp"},2000000000]}`,
	}
	attributes := attributesOf(parse(t, data))
	var foreign jsonlogic.Scope = &objectScope{parse(t, data)}
	env := jsonlogic.Env{Now: func() int64 { return 1 }}
	for _, rule := range rules {
		p := mustCompile(t, rule, jsonlogic.Options{FlagKey: "flag"})
		for _, scope := range []jsonlogic.Scope{attributes, foreign} {
			n := testing.AllocsPerRun(100, func() {
				if _, err := p.Eval(scope, env); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%.100s on %T: %v allocations", rule, scope, n)
			}
		}
	}
}

func TestClockIsAskedOnlyIfTheRuleReadsIt(t *testing.T) {
	tests := []struct {
		rule  string
		uses  bool
		calls int
	}{
		{`{"if":[{"var":"a"},{"var":"$flagd.flagKey"},"off"]}`, false, 0},
		{`{"var":"$flagd.timestamp"}`, true, 1},
		{`{"if":[{"var":"a"},{"var":"$flagd.timestamp"},"off"]}`, true, 0},
		{`{"var":"$flagd"}`, true, 1},
		{`{"var":""}`, true, 1},
		{`{"var":{"var":"a"}}`, true, 1}, // a name computed at run time; here it is null: the whole context
		{`{"map":[[1],{"var":""}]}`, false, 0},
	}
	for _, tt := range tests {
		p := mustCompile(t, tt.rule, jsonlogic.Options{})
		calls := 0
		if _, err := p.Eval(jsonlogic.NewAttributes(), jsonlogic.Env{Now: func() int64 { calls++; return 7 }}); err != nil {
			t.Fatal(err)
		}
		if p.UsesTimestamp() != tt.uses || calls != tt.calls {
			t.Errorf("%s: uses %v, %d calls; want %v, %d", tt.rule, p.UsesTimestamp(), calls, tt.uses, tt.calls)
		}
	}
}

func TestHints(t *testing.T) {
	for rule, want := range map[string][3]bool{ // fractional, iteration, constant
		`{"var":"a"}`: {},
		`{"and":[{"fractional":[["a",1],["b",1]]},{"var":"a"}]}`: {true, false, false},
		`{"some":[{"var":"a"},{"var":""}]}`:                      {false, true, false},
		`{"if":[{"==":[{"+":[1,1]},2]},"a",{"var":"b"}]}`:        {false, false, true},
		`{"in":["b",{"merge":[["a"],"b"]}]}`:                     {false, false, true},
	} {
		p := mustCompile(t, rule, jsonlogic.Options{})
		_, constant := p.Constant()
		if got := [3]bool{p.UsesFractional(), p.UsesIteration(), constant}; got != want {
			t.Errorf("%s: %v, want %v", rule, got, want)
		}
	}
}

// A whole rule that comes to nothing is null, whether that is known beforehand or not.
func TestNothingIsNull(t *testing.T) {
	for _, rule := range []string{`{"or":[]}`, `{"and":[]}`, `{"if":[{"var":"a"},1,{"or":[]}]}`, `null`} {
		p := mustCompile(t, rule, jsonlogic.Options{})
		v, err := p.Eval(jsonlogic.NewAttributes(), jsonlogic.Env{})
		if c, constant := p.Constant(); err != nil || !v.IsNull() || constant && !c.IsNull() {
			t.Errorf("%s: %v %v, constant %v", rule, v, err, c)
		}
	}
}

func TestMark(t *testing.T) {
	marks := map[string]uint32{"on": 1, "off": 2, "maybe": 3}
	opts := jsonlogic.Options{FlagKey: "f", Mark: func(v jsonlogic.Value) uint32 { return marks[v.Str()] }}
	for _, tt := range []struct {
		rule, want string
		mark       uint32
	}{
		{`"on"`, "on", 1},
		{`{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}`, "on", 1},
		{`{"if":[{"==":[{"var":"plan"},"free"]},"on",{"if":[{"var":"none"},"on","off"]}]}`, "off", 2},
		{`{"or":[{"var":"none"},"maybe"]}`, "maybe", 3},
		{`{"fractional":[{"var":"plan"},["on",0],["maybe",1]]}`, "maybe", 3},
		{`{"fractional":[["on",0],["off",1]]}`, "off", 2},
		{`{"cat":[{"var":"half"},"n"]}`, "on", 0}, // computed, though it looks the same
		{`{"var":"maybe"}`, "maybe", 0},
	} {
		p := mustCompile(t, tt.rule, opts)
		v, err := p.Eval(attributesOf(parse(t, `{"plan":"pro","half":"o","maybe":"maybe","targetingKey":"k"}`)), jsonlogic.Env{})
		if err != nil || v.Str() != tt.want || v.Mark() != tt.mark {
			t.Errorf("%s: %s marked %d, %v; want %s marked %d", tt.rule, v, v.Mark(), err, tt.want, tt.mark)
		}
	}
}

func TestNilScopes(t *testing.T) {
	p := mustCompile(t, `[{"var":"a"},{"missing":["a"]},{"var":{"cat":["a"]}},{"fractional":[["a",1],["b",1]]}]`, jsonlogic.Options{})
	for name, scope := range map[string]jsonlogic.Scope{
		"none": nil, "nil attributes": (*jsonlogic.Attributes)(nil), "empty": &jsonlogic.Attributes{},
	} {
		if v, err := p.Eval(scope, jsonlogic.Env{}); err != nil || v.String() != `[null,["a"],null,null]` {
			t.Errorf("%s: %s, %v", name, v, err)
		}
	}
}

// One program and one set of evaluators serve many goroutines; the race detector watches.
func TestConcurrentUse(t *testing.T) {
	evaluators := jsonlogic.NewEvaluators(map[string]jsonlogic.Value{"ids": parse(t, `["`+strings.Join(manyIDs(100), `","`)+`"]`)})
	rule := parse(t, `{"in":[{"var":"targetingKey"},{"$ref":"ids"}]}`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			p, err := jsonlogic.Compile(rule, jsonlogic.Options{Evaluators: evaluators})
			if err != nil {
				t.Error(err)
				return
			}
			for range 100 {
				if v, err := p.Eval(benchUser, jsonlogic.Env{}); err != nil || v.Bool() {
					t.Errorf("%s, %v", v, err)
				}
			}
		})
	}
	wg.Wait()
}
