package jsonlogic_test

import (
	"testing"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// conformance is one rule, the data it reads, and the result as JSON. The results were worked out from the semantics of
// json-logic-js, not from this package's output. Numbers that JSON cannot write (NaN, infinities) are null, as in
// JSON.stringify. Rows of several rules share operators, not state.
type conformance struct{ rule, data, want string }

func TestConformance(t *testing.T) {
	total := 0
	for name, table := range map[string][]conformance{
		"access": accessTable, "logic": logicTable, "equality": equalityTable, "order": orderTable,
		"arithmetic": arithmeticTable, "text": textTable, "arrays": arraysTable, "deviations": deviationTable,
	} {
		total += len(table)
		t.Run(name, func(t *testing.T) {
			for _, c := range table {
				check(t, c, jsonlogic.Options{})
			}
		})
	}
	if total < 300 {
		t.Errorf("the tables hold %d cases, want at least 300", total)
	}
}

func check(t *testing.T, c conformance, opts jsonlogic.Options) {
	t.Helper()
	p := mustCompile(t, c.rule, opts)
	data, err := jsonlogic.ParseJSON([]byte(c.data))
	if err != nil {
		t.Fatalf("data %s: %v", c.data, err)
	}
	got, err := p.Eval(attributesOf(data), jsonlogic.Env{Now: func() int64 { return 1_700_000_000 }})
	if err != nil || got.String() != c.want {
		t.Errorf("rule %s\ndata %s\n got %s, %v\nwant %s", c.rule, c.data, got, err, c.want)
	}
	// The same through a foreign scope must be the same.
	again, err := p.Eval(objectScope{data}, jsonlogic.Env{Now: func() int64 { return 1_700_000_000 }})
	if err != nil || again.String() != c.want {
		t.Errorf("rule %s\ndata %s through an interface\n got %s, %v\nwant %s", c.rule, c.data, again, err, c.want)
	}
}

func attributesOf(object jsonlogic.Value) *jsonlogic.Attributes {
	var list []jsonlogic.Attribute
	for key, v := range object.Members() {
		list = append(list, jsonlogic.Attribute{Name: jsonlogic.Intern(key), Value: v})
	}
	return jsonlogic.NewAttributes(list...)
}

// objectScope is the plainest Scope: an object.
type objectScope struct{ object jsonlogic.Value }

func (s objectScope) Lookup(name jsonlogic.Symbol) (jsonlogic.Value, bool) {
	return s.object.Get(name.Name())
}
func (s objectScope) Object() jsonlogic.Value { return s.object }

var accessTable = []conformance{
	// var: names, paths, indexes.
	{`{"var":"a"}`, `{"a":1}`, `1`},
	{`{"var":["a"]}`, `{"a":1}`, `1`},
	{`{"var":"b"}`, `{"a":1}`, `null`},
	{`{"var":["b",2]}`, `{"a":1}`, `2`},
	{`{"var":["b",null]}`, `{"a":1}`, `null`},
	{`{"var":["a",2]}`, `{"a":null}`, `null`}, // null is there; only undefined is not
	{`{"var":["a",2]}`, `{"a":false}`, `false`},
	{`{"var":["a",2]}`, `{"a":""}`, `""`},
	{`{"var":["a",2,3]}`, `{}`, `2`},
	{`{"var":"a.b"}`, `{"a":{"b":"c"}}`, `"c"`},
	{`{"var":"a.b.c.d.e.f.g.h"}`, `{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":8}}}}}}}}`, `8`},
	{`{"var":"a.b.c"}`, `{"a":{"b":1}}`, `null`},
	{`{"var":["a.b",9]}`, `{"a":null}`, `9`},
	{`{"var":["a.b",9]}`, `{"a":{"b":null}}`, `null`},
	{`{"var":["a.b.c",9]}`, `{"a":{"b":null}}`, `9`},
	{`{"var":"a.1"}`, `{"a":[10,20,30]}`, `20`},
	{`{"var":"a.3"}`, `{"a":[10,20,30]}`, `null`},
	{`{"var":["a.3","none"]}`, `{"a":[10,20,30]}`, `"none"`},
	{`{"var":"a.-1"}`, `{"a":[10,20,30]}`, `null`},
	{`{"var":"a.01"}`, `{"a":[10,20,30]}`, `null`},
	{`{"var":"a.1.b"}`, `{"a":[{"b":1},{"b":2}]}`, `2`},
	{`{"var":"a.length"}`, `{"a":[10,20,30]}`, `3`},
	{`{"var":"a.length"}`, `{"a":"four"}`, `4`},
	{`{"var":"a.length"}`, `{"a":{"length":"own"}}`, `"own"`},
	{`{"var":"a.length"}`, `{"a":5}`, `null`},
	{`{"var":1}`, `{"1":"one"}`, `"one"`},
	{`{"var":1.5}`, `{"1":{"5":"deep"}}`, `"deep"`},
	{`{"var":true}`, `{"true":"yes"}`, `"yes"`},
	{`{"var":"a..b"}`, `{"a":{"":{"b":7}}}`, `7`},
	{`{"var":{"var":"name"}}`, `{"name":"a","a":5}`, `5`},
	{`{"var":[{"var":"name"},"none"]}`, `{"name":"zz"}`, `"none"`},
	{`{"var":{"cat":["a",".","b"]}}`, `{"a":{"b":3}}`, `3`},
	{`{"var":["b",{"var":"a"}]}`, `{"a":1}`, `1`},
	{`{"var":["b",{"+":[1,{"var":"a"}]}]}`, `{"a":1}`, `2`},
	{`{"var":[[],5]}`, `{}`, `5`}, // the name is "", which only text says by itself
	{`{"var":[["a"]]}`, `{"a":1}`, `1`},
	{`{"var":[["a","b"]]}`, `{"a,b":1}`, `1`},
	{`{"map":[[1,2],{"var":""}]}`, `{}`, `[1,2]`},
	{`{"map":[[1,2],{"var":[]}]}`, `{}`, `[1,2]`},
	{`{"map":[[1,2],{"var":null}]}`, `{}`, `[1,2]`},
	{`{"!!":{"var":""}}`, `{}`, `true`},
	{`{"var":"Ünï.日"}`, `{"Ünï":{"日":"✓"}}`, `"✓"`},

	// missing, missing_some.
	{`{"missing":[]}`, `{}`, `[]`},
	{`{"missing":"a"}`, `{"a":1}`, `[]`},
	{`{"missing":"b"}`, `{"a":1}`, `["b"]`},
	{`{"missing":["a","b"]}`, `{"a":1}`, `["b"]`},
	{`{"missing":[["a","b"]]}`, `{}`, `["a","b"]`},
	{`{"missing":["a"]}`, `{"a":null}`, `["a"]`},
	{`{"missing":["a"]}`, `{"a":""}`, `["a"]`},
	{`{"missing":["a"]}`, `{"a":0}`, `[]`},
	{`{"missing":["a"]}`, `{"a":false}`, `[]`},
	{`{"missing":["a"]}`, `{"a":[]}`, `[]`},
	{`{"missing":["a.b","a.c"]}`, `{"a":{"b":1}}`, `["a.c"]`},
	{`{"missing":[1]}`, `{}`, `[1]`},
	{`{"missing":{"merge":["a",{"if":[{"var":"x"},["b","c"],[]]}]}}`, `{"x":true,"b":1}`, `["a","c"]`},
	{`{"if":[{"missing":"a"},"short","full"]}`, `{"a":1}`, `"full"`},
	{`{"if":[{"missing":"a"},"short","full"]}`, `{}`, `"short"`},
	{`{"missing_some":[1,["a","b"]]}`, `{"a":1}`, `[]`},
	{`{"missing_some":[1,["a","b"]]}`, `{}`, `["a","b"]`},
	{`{"missing_some":[2,["a","b","c"]]}`, `{"a":1}`, `["b","c"]`},
	{`{"missing_some":[2,["a","b","c"]]}`, `{"a":1,"c":0}`, `[]`},
	{`{"missing_some":[0,["a"]]}`, `{}`, `[]`},
	{`{"missing_some":["1",["a","b"]]}`, `{"a":1}`, `[]`},
	{`{"missing_some":[1,[]]}`, `{}`, `[]`},

	// Literals.
	{`true`, `{}`, `true`},
	{`null`, `{}`, `null`},
	{`"apple"`, `{}`, `"apple"`},
	{`17.5`, `{}`, `17.5`},
	{`[]`, `{}`, `[]`},
	{`{}`, `{}`, `{}`},
	{`["a",["b"]]`, `{}`, `["a",["b"]]`},
	{`[1,{"var":"a"}]`, `{"a":2}`, `[1,2]`},
	{`[[{"var":"a"}]]`, `{"a":2}`, `[[2]]`},
	{`{"a":1,"b":{"var":"a"}}`, `{"a":2}`, `{"a":1,"b":{"var":"a"}}`}, // two keys: data, not a rule
}

var logicTable = []conformance{
	// if, ?:
	{`{"if":[]}`, `{}`, `null`},
	{`{"if":[true]}`, `{}`, `true`},
	{`{"if":["apple"]}`, `{}`, `"apple"`},
	{`{"if":[false]}`, `{}`, `false`},
	{`{"if":"apple"}`, `{}`, `"apple"`},
	{`{"if":[true,"a"]}`, `{}`, `"a"`},
	{`{"if":[false,"a"]}`, `{}`, `null`},
	{`{"if":[true,"a","b"]}`, `{}`, `"a"`},
	{`{"if":[false,"a","b"]}`, `{}`, `"b"`},
	{`{"if":[false,"a",true,"b"]}`, `{}`, `"b"`},
	{`{"if":[false,"a",false,"b"]}`, `{}`, `null`},
	{`{"if":[false,"a",false,"b","c"]}`, `{}`, `"c"`},
	{`{"if":[{"var":"x"},"a",{"var":"y"},"b","c"]}`, `{"y":1}`, `"b"`},
	{`{"if":[{"var":"x"},"a",{"var":"y"},"b","c"]}`, `{"x":1,"y":1}`, `"a"`},
	{`{"if":[{"var":"x"},"a",{"var":"y"},"b","c"]}`, `{}`, `"c"`},
	{`{"if":[{"var":"x"},"a",true,"b",{"var":"y"},"c","d"]}`, `{"y":1}`, `"b"`},
	{`{"if":[{"var":"x"},"a",false,"b",{"var":"y"},"c","d"]}`, `{"y":1}`, `"c"`},
	{`{"if":[{"var":"x"},{"if":[{"var":"y"},1,2]},3]}`, `{"x":1}`, `2`},
	{`{"if":[{"var":"x"},{"var":"a"},{"var":"b"}]}`, `{"x":0,"b":"B"}`, `"B"`},
	{`{"?:":[{"var":"x"},1,2]}`, `{"x":true}`, `1`},
	{`{"?:":[false,1,2]}`, `{}`, `2`},

	// Truthiness.
	{`{"!!":[]}`, `{}`, `false`},
	{`{"!!":[[]]}`, `{}`, `false`},
	{`{"!!":[[0]]}`, `{}`, `true`},
	{`{"!!":0}`, `{}`, `false`},
	{`{"!!":-0.0}`, `{}`, `false`},
	{`{"!!":-1}`, `{}`, `true`},
	{`{"!!":""}`, `{}`, `false`},
	{`{"!!":"0"}`, `{}`, `true`},
	{`{"!!":" "}`, `{}`, `true`},
	{`{"!!":"false"}`, `{}`, `true`},
	{`{"!!":null}`, `{}`, `false`},
	{`{"!!":{}}`, `{}`, `true`},
	{`{"!!":{"a":1,"b":2}}`, `{}`, `true`},
	{`{"!!":{"+":["x"]}}`, `{}`, `false`}, // NaN
	{`{"!!":[0,1]}`, `{}`, `false`},
	{`{"!!":{"var":"x"}}`, `{"x":[]}`, `false`},
	{`{"!!":{"var":"x"}}`, `{"x":[[]]}`, `true`},
	{`{"!!":{"var":"x"}}`, `{"x":{}}`, `true`},
	{`{"!!":{"var":"x"}}`, `{}`, `false`},
	{`{"!":[]}`, `{}`, `true`},
	{`{"!":[[]]}`, `{}`, `true`},
	{`{"!":true}`, `{}`, `false`},
	{`{"!":"0"}`, `{}`, `false`},
	{`{"!":{"var":"x"}}`, `{"x":0}`, `true`},
	{`{"!":[{"!":[{"var":"x"}]}]}`, `{"x":"a"}`, `true`},
	{`{"if":[[],"yes","no"]}`, `{}`, `"no"`},
	{`{"if":["0","yes","no"]}`, `{}`, `"yes"`},
	{`{"if":[{"var":"x"},"yes","no"]}`, `{"x":{}}`, `"yes"`},

	// and, or: the deciding operand itself.
	{`{"and":[]}`, `{}`, `null`},
	{`{"or":[]}`, `{}`, `null`},
	{`{"and":[true,true]}`, `{}`, `true`},
	{`{"and":[true,false]}`, `{}`, `false`},
	{`{"and":[1,"",3]}`, `{}`, `""`},
	{`{"and":[1,2,3]}`, `{}`, `3`},
	{`{"and":[1,0,false]}`, `{}`, `0`},
	{`{"and":[[],1]}`, `{}`, `[]`},
	{`{"and":[{"var":"a"},{"var":"b"}]}`, `{"a":1,"b":"x"}`, `"x"`},
	{`{"and":[{"var":"a"},{"var":"b"}]}`, `{"b":"x"}`, `null`},
	{`{"and":{"var":"a"}}`, `{"a":7}`, `7`},
	{`{"or":[true,false]}`, `{}`, `true`},
	{`{"or":[false,false]}`, `{}`, `false`},
	{`{"or":[0,"",null]}`, `{}`, `null`},
	{`{"or":[0,"a",1]}`, `{}`, `"a"`},
	{`{"or":[[],"a"]}`, `{}`, `"a"`},
	{`{"or":[false,0]}`, `{}`, `0`},
	{`{"or":[{"var":"a"},{"var":"b"},"c"]}`, `{"b":"x"}`, `"x"`},
	{`{"or":[{"==":[{"var":"a"},1]},{"==":[{"var":"a"},2]}]}`, `{"a":2}`, `true`},
	{`{"or":[{"and":[{"var":"a"},{"var":"b"}]},{"!":[{"var":"c"}]}]}`, `{"a":1,"c":1}`, `false`},
	{`{"if":[{"and":[{"var":"a"},{"or":[{"var":"b"},{"var":"c"}]}]},1,2]}`, `{"a":1,"c":1}`, `1`},
	{`{"if":[{"or":[]},1,2]}`, `{}`, `2`},
	{`{"if":[{"and":[]},1,2]}`, `{}`, `2`},
}
