package jsonlogic_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

func parse(t testing.TB, text string) jsonlogic.Value {
	t.Helper()
	v, err := jsonlogic.ParseJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestFaults(t *testing.T) {
	evaluators := jsonlogic.NewEvaluators(map[string]jsonlogic.Value{
		"good":   parse(t, `{"var":"a"}`),
		"nested": parse(t, `{"!":{"$ref":"good"}}`),
		"bad":    parse(t, `{"bogus":1}`),
		"self":   parse(t, `{"$ref":"self"}`),
	})
	tests := []struct {
		rule string
		want jsonlogic.Faults
	}{
		{`{"bogus":[]}`, jsonlogic.Faults{{"", `unknown operator "bogus"`}}},
		{`{"if":[{"equals":[1,2]},{"in":["a",{"nope":1}]},[{"x":1}]]}`, jsonlogic.Faults{
			{".if[0]", `unknown operator "equals"`}, {".if[1].in[1]", `unknown operator "nope"`}, {".if[2][0]", `unknown operator "x"`}}},
		{`{"!":{"bogus":1}}`, jsonlogic.Faults{{".!", `unknown operator "bogus"`}}},
		{`{"var":{"bogus":1}}`, jsonlogic.Faults{{".var", `unknown operator "bogus"`}}},
		{`{"map":[{"p":1},{"q":1},{"r":1}]}`, jsonlogic.Faults{{".map[0]", `unknown operator "p"`}, {".map[1]", `unknown operator "q"`}}},
		{`{"log":"a"}`, jsonlogic.Faults{{"", `operator "log" is not allowed in rules`}}},
		{`{"if":[true,1,{"bogus":1}]}`, jsonlogic.Faults{{".if[2]", `unknown operator "bogus"`}}}, // though never taken
		{`{"and":[{"$ref":"none"},{"$ref":5}]}`, jsonlogic.Faults{
			{".and[0].$ref", `unknown evaluator "none" in $ref`}, {".and[1].$ref", `$ref must be the name of an evaluator, not 5`}}},
		{`{"and":{"$ref":"none"}}`, jsonlogic.Faults{{".and", `unknown evaluator "none" in $ref`}}},
		{`{"$ref":"nested"}`, jsonlogic.Faults{{".$ref.!", `$ref "good" inside an evaluator: evaluators cannot refer to evaluators`}}},
		{`{"$ref":"self"}`, jsonlogic.Faults{{".$ref.$ref", `$ref "self" inside an evaluator: evaluators cannot refer to evaluators`}}},
		{`{"$ref":"bad"}`, jsonlogic.Faults{{".$ref", `unknown operator "bogus"`}}},
		{`{"fractional":[["a",{"bogus":1}],["b",1]]}`, jsonlogic.Faults{{".fractional[0][1]", `unknown operator "bogus"`}}},
	}
	for _, tt := range tests {
		p, err := jsonlogic.Compile(parse(t, tt.rule), jsonlogic.Options{Evaluators: evaluators})
		var faults jsonlogic.Faults
		if !errors.As(err, &faults) || p != nil || !reflect.DeepEqual(faults, tt.want) {
			t.Errorf("%s:\n got %v\nwant %v", tt.rule, err, tt.want)
		}
	}
}

func TestFaultsAreBounded(t *testing.T) {
	rule := parse(t, "["+strings.TrimSuffix(strings.Repeat(`{"x":1},`, 1000), ",")+"]")
	_, err := jsonlogic.Compile(rule, jsonlogic.Options{})
	var faults jsonlogic.Faults
	if !errors.As(err, &faults) || len(faults) != 100 {
		t.Errorf("%d faults, want 100", len(faults))
	}
}

func TestCompileLimits(t *testing.T) {
	deep := jsonlogic.Bool(true)
	for range 200 {
		deep = jsonlogic.Array(deep)
	}
	wide := `{"and":[` + strings.Repeat(`{"$ref":"many"},`, 1000) + `true]}`
	many := jsonlogic.NewEvaluators(map[string]jsonlogic.Value{
		"many": parse(t, `{"or":[`+strings.Repeat(`{"var":"a"},`, 1000)+`1]}`),
	})
	for _, tt := range []struct {
		rule jsonlogic.Value
		want string
	}{{deep, "nested deeper than 128 levels"}, {parse(t, wide), "larger than 262144 operations"}} {
		_, err := jsonlogic.Compile(tt.rule, jsonlogic.Options{Evaluators: many})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %.200v, want %s", err, tt.want)
		}
	}
}

// Rules that would take for ever, or all memory, end with ErrBudget. Each is small and finishes under a larger budget
// or with a smaller input, so that it is the budget that stops it.
func TestBudget(t *testing.T) {
	nested := `{"var":""}`
	for range 8 {
		nested = `{"map":[[1,2,3,4,5,6,7,8,9,10],` + nested + `]}`
	}
	doubling := func(op string, n int) string {
		return fmt.Sprintf(`{"reduce":[{"var":"list%d"},%s,"xy"]}`, n, op)
	}
	tests := map[string]string{
		"nested map":    nested,
		"cat doubles":   doubling(`{"cat":[{"var":"accumulator"},{"var":"accumulator"}]}`, 100),
		"merge doubles": doubling(`{"merge":[{"var":"accumulator"},{"var":"accumulator"}]}`, 100),
		"shared result": doubling(`[{"var":"accumulator"},{"var":"accumulator"}]`, 100),
		"shared text":   `{"cat":` + doubling(`[{"var":"accumulator"},{"var":"accumulator"}]`, 100) + `}`,
		"deep result":   doubling(`[{"var":"accumulator"}]`, 5000),
		"deep text":     `{"==":["a",` + doubling(`[{"var":"accumulator"}]`, 5000) + `]}`,
		"long search":   `{"map":[{"var":"list5000"},{"in":["b",{"cat":["` + strings.Repeat("a", 20_000) + `",{"var":""}]}]}]}`,
		"quadratic":     `{"filter":[{"var":"list5000"},{"some":[` + longList(5000) + `,{"==":[{"var":""},-1]}]}]}`,
	}
	data := parse(t, `{"list100":`+longList(100)+`,"list5000":`+longList(5000)+`}`)
	for name, rule := range tests {
		p := mustCompile(t, rule, jsonlogic.Options{})
		if v, err := p.Eval(attributesOf(data), jsonlogic.Env{}); !errors.Is(err, jsonlogic.ErrBudget) || !v.IsNull() {
			t.Errorf("%s: %.80s, %v, want ErrBudget", name, v, err)
		}
		if _, err := p.Eval(attributesOf(parse(t, `{"list100":[1],"list5000":[1]}`)), jsonlogic.Env{}); name != "nested map" && err != nil {
			t.Errorf("%s on a short list: %v", name, err)
		}
	}
	p := mustCompile(t, `{"reduce":[{"var":"list5000"},{"+":[{"var":"current"},{"var":"accumulator"}]},0]}`, jsonlogic.Options{})
	if v, err := p.Eval(attributesOf(data), jsonlogic.Env{}); err != nil || v.Float() != 12497500 {
		t.Errorf("an ordinary sum: %v, %v", v, err)
	}
	p = mustCompile(t, `{"some":[{"var":"list5000"},{"==":[{"var":""},-1]}]}`, jsonlogic.Options{MaxSteps: 100})
	if _, err := p.Eval(attributesOf(data), jsonlogic.Env{}); !errors.Is(err, jsonlogic.ErrBudget) {
		t.Errorf("a budget of 100 steps: %v", err)
	}
}

// With the budget out of the way, what it stops does run on, so it is the budget that stops it and nothing else.
func TestBudgetIsTheGuard(t *testing.T) {
	data := attributesOf(parse(t, `{"list":`+longList(20)+`}`))
	rule := `{"reduce":[{"var":"list"},{"cat":[{"var":"accumulator"},{"var":"accumulator"}]},"xy"]}`
	if _, err := mustCompile(t, rule, jsonlogic.Options{}).Eval(data, jsonlogic.Env{}); !errors.Is(err, jsonlogic.ErrBudget) {
		t.Errorf("within the default budget: %v, want ErrBudget", err)
	}
	v, err := mustCompile(t, rule, jsonlogic.Options{MaxSteps: 1 << 30}).Eval(data, jsonlogic.Env{})
	if err != nil || v.Len() != 2<<20 {
		t.Errorf("with a budget of a billion: %d bytes, %v, want %d", v.Len(), err, 2<<20)
	}
}

func longList(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",%d", i)
	}
	return "[" + b.String()[1:] + "]"
}

// The whole budget goes into folding at most once, however many constants a rule has.
func TestFoldingIsBounded(t *testing.T) {
	text := `{"cat":["` + strings.Repeat("x", 100_000) + `","y"]}`
	evaluators := jsonlogic.NewEvaluators(map[string]jsonlogic.Value{"long": parse(t, text)})
	rule := `{"or":[false` + strings.Repeat(`,{"starts_with":[{"var":"a"},{"$ref":"long"}]}`, 2000) + `]}`
	p, err := jsonlogic.Compile(parse(t, rule), jsonlogic.Options{Evaluators: evaluators})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Eval(jsonlogic.NewAttributes(), jsonlogic.Env{}); !errors.Is(err, jsonlogic.ErrBudget) {
		t.Errorf("2,000 times 100 kB of text: %v", err)
	}
}
