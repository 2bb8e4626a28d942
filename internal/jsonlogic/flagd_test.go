package jsonlogic_test

import (
	"testing"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
	"github.com/twmb/murmur3"
)

// hashTexts have the murmur3 x86 32 hashes at which bucketing goes wrong first. Found by inverting the hash.
var hashTexts = map[uint32]string{
	0:         "mgaaaaaad6O-",
	1:         "9saaaaaasUA9",
	1<<31 - 1: "xzaaaaaaGGR8",
	1 << 31:   "wbaaaaaaLiXj",
	1<<32 - 1: "koaaaaaaLWLU",
}

func TestFractionalHashEdges(t *testing.T) {
	tests := []struct {
		entries string
		want    map[uint32]string // hash -> variant
	}{
		{`["a",50],["b",50]`, map[uint32]string{0: "a", 1: "a", 1<<31 - 1: "a", 1 << 31: "b", 1<<32 - 1: "b"}},
		{`["a",1],["b",99]`, map[uint32]string{0: "a", 1: "a", 1<<31 - 1: "b", 1 << 31: "b", 1<<32 - 1: "b"}},
		{`["a",99],["b",1]`, map[uint32]string{0: "a", 1: "a", 1<<31 - 1: "a", 1 << 31: "a", 1<<32 - 1: "b"}},
		{`["a",0],["b",1],["c",0]`, map[uint32]string{0: "b", 1: "b", 1<<31 - 1: "b", 1 << 31: "b", 1<<32 - 1: "b"}},
		{`["a"],["b"],["c"],["d"]`, map[uint32]string{0: "a", 1: "a", 1<<31 - 1: "b", 1 << 31: "c", 1<<32 - 1: "d"}},
		// With the largest total, hash 1 is still in the first half unit; one unit is two hashes.
		{`["a",1],["b",2147483646]`, map[uint32]string{0: "a", 1: "a", 1<<31 - 1: "b", 1 << 31: "b", 1<<32 - 1: "b"}},
		{`["a",2147483646],["b",1]`, map[uint32]string{0: "a", 1: "a", 1<<31 - 1: "a", 1 << 31: "a", 1<<32 - 1: "b"}},
	}
	for hash, text := range hashTexts {
		if got := murmur3.StringSum32(text); got != hash {
			t.Fatalf("%q hashes to %d, want %d", text, got, hash)
		}
	}
	for _, tt := range tests {
		for hash, want := range tt.want {
			text := hashTexts[hash]
			// By argument, by targeting key alone, by a flag key that takes part of the text, and by cat.
			check(t, conformance{`{"fractional":[{"var":"k"},` + tt.entries + `]}`, `{"k":"` + text + `"}`, `"` + want + `"`}, jsonlogic.Options{})
			for cut := range text {
				opts := jsonlogic.Options{FlagKey: text[:cut]}
				data := `{"targetingKey":"` + text[cut:] + `"}`
				check(t, conformance{`{"fractional":[` + tt.entries + `,["z",0]]}`, data, `"` + want + `"`}, opts)
				check(t, conformance{`{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"targetingKey"}]},` + tt.entries + `]}`,
					data, `"` + want + `"`}, opts)
			}
		}
	}
}

// In these tables the flag key is "flag" and "k3" hashes below one half, alone and behind the flag key.
func TestFlagd(t *testing.T) {
	evaluators := map[string]jsonlogic.Value{}
	for name, text := range map[string]string{
		"pro":    `{"==":[{"var":"plan"},"pro"]}`,
		"nz":     `["NZ","AU"]`,
		"either": `[{"var":"a"},{"var":"b"}]`,
		"text":   `"on"`,
	} {
		v, err := jsonlogic.ParseJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		evaluators[name] = v
	}
	opts := jsonlogic.Options{FlagKey: "flag", Evaluators: jsonlogic.NewEvaluators(evaluators)}
	for _, c := range flagdTable {
		check(t, c, opts)
	}
}

var flagdTable = []conformance{
	// fractional: keys.
	{`{"fractional":["k3",["a",50],["b",50]]}`, `{}`, `"a"`},
	{`{"fractional":[["a",50],["b",50]]}`, `{}`, `null`},
	{`{"fractional":[["a",50],["b",50]]}`, `{"targetingKey":""}`, `null`},
	{`{"fractional":[["a",50],["b",50]]}`, `{"targetingKey":5}`, `null`},
	{`{"fractional":[["a",50],["b",50]]}`, `{"targetingKey":"k3"}`, `"a"`},
	{`{"fractional":[null,["a",50],["b",50]]}`, `{"targetingKey":"k3"}`, `"a"`},
	{`{"fractional":[{"var":"none"},["a",50],["b",50]]}`, `{"targetingKey":"k3"}`, `"a"`},
	{`{"fractional":[{"var":"none"},["a",50],["b",50]]}`, `{}`, `null`},
	{`{"fractional":[{"var":"n"},["a",50],["b",50]]}`, `{"n":5,"targetingKey":"k3"}`, `null`},
	{`{"fractional":[{"var":"n"},["a",50],["b",50]]}`, `{"n":true,"targetingKey":"k3"}`, `null`},
	{`{"fractional":[{"var":"n"},["a",50],["b",50]]}`, `{"n":["c",0],"targetingKey":"k3"}`, `"a"`}, // an entry
	{`{"fractional":[{"var":"n"},["a",0],["b",0]]}`, `{"n":["c",1],"targetingKey":"k3"}`, `"c"`},
	{`{"fractional":[{"var":"n"},["a",50],["b",50]]}`, `{"n":[],"targetingKey":"k3"}`, `null`},
	{`{"fractional":[5,["a",50],["b",50]]}`, `{"targetingKey":"k3"}`, `null`},
	{`{"fractional":["",["a",50],["b",50]]}`, `{}`, `"a"`}, // empty text is text: hash 0
	{`{"fractional":[{"if":[{"var":"x"},{"var":"y"},null]},["a",50],["b",50]]}`, `{"x":1,"y":"k3"}`, `"a"`},
	// fractional: entries.
	{`{"fractional":[]}`, `{"targetingKey":"k3"}`, `null`},
	{`{"fractional":[["a",100]]}`, `{"targetingKey":"k3"}`, `null`}, // fewer than two arguments
	{`{"fractional":["k3",["a",100]]}`, `{}`, `"a"`},
	{`{"fractional":["k3",["a"],["b"]]}`, `{}`, `"a"`},
	{`{"fractional":["k3",["a",0],["b",0]]}`, `{}`, `null`},
	{`{"fractional":["k3",["a",-5],["b",1]]}`, `{}`, `"b"`},
	{`{"fractional":["k3",["a",1.5],["b",1]]}`, `{}`, `null`},
	{`{"fractional":["k3",["a","1"],["b",1]]}`, `{}`, `null`},
	{`{"fractional":["k3",["a",null],["b",0]]}`, `{}`, `"a"`},
	{`{"fractional":["k3",["a",2147483647],["b",0]]}`, `{}`, `"a"`},
	{`{"fractional":["k3",["a",2147483648],["b",0]]}`, `{}`, `null`},
	{`{"fractional":["k3",["a",2147483647],["b",1]]}`, `{}`, `null`},
	{`{"fractional":["k3",["a",1e300],["b",1]]}`, `{}`, `null`},
	{`{"fractional":["k3",[],["b",1]]}`, `{}`, `null`},
	{`{"fractional":["k3","a","b"]}`, `{}`, `null`},
	{`{"fractional":["k3",[true,1],["b",0]]}`, `{}`, `true`},
	{`{"fractional":["k3",[7,1],["b",0]]}`, `{}`, `7`},
	{`{"fractional":["k3",[null,1],["b",0]]}`, `{}`, `null`},
	{`{"fractional":["k3",["a",1],[["b"],0]]}`, `{}`, `null`},
	{`{"fractional":["k3",["a",1,"more"],["b",0]]}`, `{}`, `"a"`},
	{`{"fractional":["k3",[{"if":[{"var":"x"},"a","b"]},1],["c",0]]}`, `{"x":true}`, `"a"`},
	{`{"fractional":["k3",[{"var":"x"},1],["c",0]]}`, `{"x":{}}`, `null`},
	{`{"fractional":["k3",["a",{"var":"w"}],["b",{"-":[100,{"var":"w"}]}]]}`, `{"w":0}`, `"b"`},
	{`{"fractional":["k3",["a",{"var":"w"}],["b",{"-":[100,{"var":"w"}]}]]}`, `{"w":100}`, `"a"`},
	{`{"fractional":["k3",{"var":"x"},["b",0]]}`, `{"x":["a",1]}`, `"a"`},
	{`{"fractional":["k3",{"if":[{"var":"x"},["a",1],["b",1]]},["c",0]]}`, `{}`, `"b"`},
	{`{"fractional":["k3",[{"fractional":["k3",["x",1],["y",0]]},1],["c",0]]}`, `{}`, `"x"`},
	{`{"if":[{"fractional":["k3",[true,1],[false,0]]},"in","out"]}`, `{}`, `"in"`},
	{`{"fractional":["é-0-日",["a",50],["b",50]]}`, `{}`, `"b"`}, // UTF-8 is hashed

	// sem_ver
	{`{"sem_ver":["1.2.3","=","1.2.3"]}`, `{}`, `true`},
	{`{"sem_ver":["v1.2.3","=","V1.2.3"]}`, `{}`, `true`},
	{`{"sem_ver":["1.2.3","!=","1.2.4"]}`, `{}`, `true`},
	{`{"sem_ver":["1.2.3","<","1.2.10"]}`, `{}`, `true`},
	{`{"sem_ver":["1.2.3","<=","1.2.3"]}`, `{}`, `true`},
	{`{"sem_ver":["1.2.3",">","1.2.3-rc.1"]}`, `{}`, `true`},
	{`{"sem_ver":["1.2.3",">=","1.3.0"]}`, `{}`, `false`},
	{`{"sem_ver":["1.9.0","^","1.0.0"]}`, `{}`, `true`},
	{`{"sem_ver":["2.0.0","^","1.0.0"]}`, `{}`, `false`},
	{`{"sem_ver":["1.2.9","~","1.2.0"]}`, `{}`, `true`},
	{`{"sem_ver":["1.3.0","~","1.2.0"]}`, `{}`, `false`},
	{`{"sem_ver":["1","=","1.0.0"]}`, `{}`, `true`},
	{`{"sem_ver":[1,"=","1.0"]}`, `{}`, `true`},
	{`{"sem_ver":[1.2,"~","1.2.7"]}`, `{}`, `true`},
	{`{"sem_ver":["1.2.3+build","=","1.2.3+other"]}`, `{}`, `true`},
	{`{"sem_ver":["1.2","=","1.2-rc"]}`, `{}`, `null`},
	{`{"sem_ver":["01.2.3","=","1.2.3"]}`, `{}`, `null`},
	{`{"sem_ver":["x","=","1.2.3"]}`, `{}`, `null`},
	{`{"sem_ver":["1.2.3","==","1.2.3"]}`, `{}`, `null`},
	{`{"sem_ver":["1.2.3",5,"1.2.3"]}`, `{}`, `null`},
	{`{"sem_ver":["1.2.3","="]}`, `{}`, `null`},
	{`{"sem_ver":["1.2.3","=","1.2.3","more"]}`, `{}`, `null`},
	{`{"sem_ver":"1.2.3"}`, `{}`, `null`},
	{`{"sem_ver":[true,"=","1"]}`, `{}`, `null`},
	{`{"sem_ver":[{"var":"v"},">=","2.1"]}`, `{"v":"2.1.0"}`, `true`},
	{`{"sem_ver":[{"var":"v"},">=","2.1"]}`, `{"v":"2.1.0-beta"}`, `false`},
	{`{"sem_ver":[{"var":"v"},">=","2.1"]}`, `{}`, `null`},
	{`{"sem_ver":[{"var":"v"},{"var":"op"},{"var":"w"}]}`, `{"v":"3.0.0","op":"<","w":"10.0.0"}`, `true`},
	{`{"sem_ver":[{"var":"v"},{"var":"op"},{"var":"w"}]}`, `{"v":"3.0.0","op":"<","w":""}`, `null`},
	{`{"if":[{"sem_ver":[{"var":"v"},">=","x"]},"new","old"]}`, `{"v":"1.0.0"}`, `"old"`},

	// starts_with, ends_with
	{`{"starts_with":["abc","ab"]}`, `{}`, `true`},
	{`{"starts_with":["abc",""]}`, `{}`, `true`},
	{`{"starts_with":["ab","abc"]}`, `{}`, `false`},
	{`{"starts_with":["abc",1]}`, `{}`, `null`},
	{`{"starts_with":[{"var":"e"},"ann"]}`, `{"e":"ann@x"}`, `true`},
	{`{"starts_with":[{"var":"e"},"ann"]}`, `{}`, `null`},
	{`{"starts_with":"abc"}`, `{}`, `null`},
	{`{"starts_with":["a","a","a"]}`, `{}`, `null`},
	{`{"ends_with":["abc","bc"]}`, `{}`, `true`},
	{`{"ends_with":["abc","b"]}`, `{}`, `false`},
	{`{"ends_with":[{"var":"e"},"@x"]}`, `{"e":"ann@x"}`, `true`},
	{`{"ends_with":[null,"x"]}`, `{}`, `null`},
	{`{"if":[{"ends_with":[{"var":"e"},"@x"]},"in","out"]}`, `{"e":5}`, `"out"`},

	// $flagd
	{`{"var":"$flagd.flagKey"}`, `{}`, `"flag"`},
	{`{"var":"$flagd.timestamp"}`, `{}`, `1700000000`},
	{`{"var":"$flagd"}`, `{}`, `{"flagKey":"flag","timestamp":1700000000}`},
	{`{"var":"$flagd.flagKey"}`, `{"$flagd":{"flagKey":"forged"}}`, `"flag"`},
	{`{"var":""}`, `{"$flagd":1,"a":2}`, `{"$flagd":{"flagKey":"flag","timestamp":1700000000},"a":2}`},
	{`{"var":["$flagd.other",3]}`, `{}`, `3`},
	{`{"var":{"cat":["$flagd.","timestamp"]}}`, `{}`, `1700000000`},
	{`{"var":{"var":"n"}}`, `{"n":"$flagd.flagKey"}`, `"flag"`},
	{`{">":[{"var":"$flagd.timestamp"},1600000000]}`, `{}`, `true`},
	{`{"map":[[1],{"var":"$flagd.flagKey"}]}`, `{}`, `[null]`}, // the body sees the element only
	{`{"missing":["$flagd.flagKey"]}`, `{}`, `[]`},

	// $ref
	{`{"$ref":"pro"}`, `{"plan":"pro"}`, `true`},
	{`{"if":[{"$ref":"pro"},{"$ref":"text"},"off"]}`, `{"plan":"pro"}`, `"on"`},
	{`{"in":[{"var":"c"},{"$ref":"nz"}]}`, `{"c":"NZ"}`, `true`},
	{`{"in":[{"var":"c"},{"$ref":"nz"}]}`, `{"c":"FR"}`, `false`},
	{`{"or":{"$ref":"either"}}`, `{"b":"B"}`, `"B"`}, // a list of arguments
	{`{"cat":{"$ref":"either"}}`, `{"a":1,"b":2}`, `"12"`},
	{`{"!":{"$ref":"pro"}}`, `{"plan":"free"}`, `true`},
	{`{"if":[{"in":[{"var":"a"},[]]},"on","off"]}`, `{"a":"x"}`, `"off"`},
	{`{"if":[{"!":{"in":[{"var":"a"},[]]}},"on","off"]}`, `{}`, `"on"`},
	{`{"if":[{"and":[{"in":[{"var":"a"},[]]},{"==":[{"var":"a"},"x"]}]},"on","off"]}`, `{"a":"x"}`, `"off"`},
	{`{"if":[{"or":[{"!":{"in":[{"var":"a"},[["x"]]]}},{"==":[{"var":"a"},"y"]}]},"on","off"]}`, `{"a":"x"}`, `"on"`},
	{`{"filter":[{"var":"list"},{"$ref":"pro"}]}`, `{"list":[{"plan":"pro"},{"plan":"free"}]}`, `[{"plan":"pro"}]`},
}
