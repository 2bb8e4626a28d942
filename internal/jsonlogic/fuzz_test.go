package jsonlogic_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// generator makes rules and data out of bytes, so that a fuzzer can steer it.
type generator struct{ bytes []byte }

func (g *generator) pick(n int) int {
	if len(g.bytes) == 0 {
		return 0
	}
	b := g.bytes[0]
	g.bytes = g.bytes[1:]
	return int(b) % n
}

var (
	fuzzOps = []string{"var", "missing", "missing_some", "if", "?:", "==", "===", "!=", "!==", "!", "!!", "or", "and", ">",
		">=", "<", "<=", "max", "min", "+", "-", "*", "/", "%", "map", "filter", "reduce", "all", "none", "some", "merge",
		"in", "cat", "substr", "fractional", "sem_ver", "starts_with", "ends_with", "$ref"}
	fuzzNames = []any{"a", "b", "c", "a.b", "a.b.c", "list", "list.0", "list.length", "", "current", "accumulator",
		"current.a", "targetingKey", "$flagd", "$flagd.flagKey", "$flagd.timestamp", "$flagd.flagKey.length", nil, 1.0, "zz"}
	fuzzScalars = []any{nil, true, false, 0.0, 1.0, -1.0, 2.5, 1e21, 1e-7, 2147483647.0, 50.0, "", "a", "b", "1", " 2 ",
		"0x1F", "-.5e1x", "Infinity", "1.2.3", "v1.2", "2.0.0-rc.1+b", ">=", "^", "~", "=", "日本語", "abc", "\ufeff7\u00a0",
		math.Copysign(0, -1)}
	fuzzEvaluators = map[string]any{
		"pro":  map[string]any{"==": []any{map[string]any{"var": "a"}, "b"}},
		"args": []any{map[string]any{"var": "a"}, "b", 3.0},
		"ids":  []any{"a", "b", "1", "c", "d", "e", "f", "g", "h", "i"},
	}
	fuzzRefs = []any{"pro", "args", "ids"}
)

func (g *generator) scalar() any { return fuzzScalars[g.pick(len(fuzzScalars))] }

func (g *generator) data(depth int) any {
	switch g.pick(5) {
	case 0:
		if depth > 0 {
			list := []any{}
			for range g.pick(4) {
				list = append(list, g.data(depth-1))
			}
			return list
		}
	case 1:
		if depth > 0 {
			return g.object(depth - 1)
		}
	}
	return g.scalar()
}

func (g *generator) object(depth int) map[string]any {
	object := map[string]any{}
	for range g.pick(4) {
		object[[]string{"a", "b", "c", "list"}[g.pick(4)]] = g.data(depth)
	}
	return object
}

func (g *generator) rule(depth int) any {
	shape := g.pick(8)
	switch {
	case depth == 0 || shape == 0:
		if g.pick(2) == 0 {
			return map[string]any{"var": fuzzNames[g.pick(len(fuzzNames))]}
		}
		return g.scalar()
	case shape == 1:
		return g.rules(depth)
	}
	op := fuzzOps[g.pick(len(fuzzOps))]
	switch op {
	case "$ref":
		return map[string]any{op: fuzzRefs[g.pick(len(fuzzRefs))]}
	case "var":
		if g.pick(3) > 0 {
			return map[string]any{op: fuzzNames[g.pick(len(fuzzNames))]}
		}
	case "fractional":
		list := []any{}
		if g.pick(2) == 0 {
			list = append(list, g.rule(depth-1))
		}
		for range g.pick(11) {
			list = append(list, []any{g.rule(depth - 1), g.scalar()})
		}
		return map[string]any{op: list}
	case "in":
		if g.pick(2) == 0 {
			return map[string]any{op: []any{g.rule(depth - 1), map[string]any{"$ref": "ids"}}}
		}
	}
	if g.pick(8) == 0 {
		return map[string]any{op: g.rule(depth - 1)}
	}
	return map[string]any{op: g.rules(depth)}
}

func (g *generator) rules(depth int) []any {
	list := []any{}
	for range g.pick(5) {
		list = append(list, g.rule(depth-1))
	}
	return list
}

// compareWithReference evaluates what the bytes come to with both engines.
func compareWithReference(t *testing.T, bytes []byte) {
	g := &generator{bytes: bytes}
	data := g.object(3)
	if g.pick(2) == 0 {
		data["targetingKey"] = g.scalar()
	}
	rule := g.rule(4)

	evaluators := map[string]jsonlogic.Value{}
	for name, e := range fuzzEvaluators {
		evaluators[name] = mustValue(t, e)
	}
	p, err := jsonlogic.Compile(mustValue(t, rule), jsonlogic.Options{FlagKey: "flag", Evaluators: jsonlogic.NewEvaluators(evaluators)})
	if err != nil {
		text, _ := json.Marshal(rule)
		t.Fatalf("rule %s: %v", text, err)
	}
	context := mustValue(t, data)
	env := jsonlogic.Env{Now: func() int64 { return 1_700_000_000 }}
	got, err := p.Eval(attributesOf(context), env)
	if err != nil {
		return // out of budget; the reference would take for ever
	}
	root := map[string]any{"$flagd": map[string]any{"flagKey": "flag", "timestamp": 1_700_000_000.0}}
	for k, v := range data {
		root[k] = v
	}
	ref := &reference{root: root, evaluators: fuzzEvaluators, flagKey: "flag"}
	want := mustValue(t, orNull(ref.apply(rule, root)))
	if got.String() != want.String() {
		text, _ := json.Marshal(rule)
		t.Fatalf("rule %s\ndata %s\n got %s\nwant %s", text, context, got, want)
	}
	foreign, err := p.Eval(objectScope{context}, env)
	if err != nil || foreign.String() != want.String() {
		t.Fatalf("through an interface: %s, %v, want %s", foreign, err, want)
	}
}

func mustValue(t *testing.T, x any) jsonlogic.Value {
	t.Helper()
	v, err := jsonlogic.FromAny(scrub(x))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// scrub replaces undefined, which only the reference has.
func scrub(x any) any {
	if list, ok := x.([]any); ok {
		clean := make([]any, len(list))
		for i, e := range list {
			clean[i] = scrub(e)
		}
		return clean
	}
	return orNull(x)
}

func TestAgainstReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 30_000 {
		bytes := make([]byte, 20+rng.IntN(300))
		for i := range bytes {
			bytes[i] = byte(rng.Uint32())
		}
		compareWithReference(t, bytes)
	}
}

func FuzzAgainstReference(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Add([]byte{1, 2, 4, 3, 2, 24, 9, 5, 0, 7, 31, 2, 33, 4, 34, 1, 10, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Fuzz(compareWithReference)
}
