package jsonlogic_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"
	"unsafe"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

func TestValueSize(t *testing.T) {
	if size := unsafe.Sizeof(jsonlogic.Value{}); size > 24 {
		t.Errorf("a value takes %d bytes, want at most 24", size)
	}
	text := "text"
	if n := testing.AllocsPerRun(100, func() {
		sinkValues = [3]jsonlogic.Value{jsonlogic.String(text), jsonlogic.Number(1.5), jsonlogic.Bool(true)}
	}); n != 0 {
		t.Errorf("making scalars allocates %v times", n)
	}
}

var sinkValues [3]jsonlogic.Value

func TestValueAccessors(t *testing.T) {
	v := parse(t, `{"null":null,"yes":true,"n":2.5,"s":"text","list":[1,"b"],"object":{"k":1}}`)
	at := func(key string) jsonlogic.Value {
		member, ok := v.Get(key)
		if !ok {
			t.Fatalf("no member %q", key)
		}
		return member
	}
	for key, want := range map[string]string{"null": "null", "yes": "boolean", "n": "number", "s": "string", "list": "array", "object": "object"} {
		if got := at(key).Kind().String(); got != want {
			t.Errorf("kind of %s: %s, want %s", key, got, want)
		}
	}
	if !at("null").IsNull() || !at("yes").Bool() || at("n").Float() != 2.5 || at("s").Str() != "text" {
		t.Errorf("wrong scalars in %s", v)
	}
	if list := at("list"); list.Len() != 2 || list.Index(1).Str() != "b" || !list.Index(2).IsNull() || !list.Index(-1).IsNull() {
		t.Errorf("wrong elements in %s", at("list"))
	}
	// Asking for another kind gives the zero of what was asked for.
	if s := at("s"); s.Bool() || s.Float() != 0 || s.Index(0).Kind() != jsonlogic.KindNull || at("n").Str() != "" || at("n").Len() != 0 {
		t.Errorf("values of another kind are not zero")
	}
	if _, ok := at("s").Get("k"); ok {
		t.Error("a string has a member")
	}
	text := ""
	for key, member := range v.Members() {
		text += key + "=" + member.String() + " "
		if key == "object" {
			break
		}
	}
	for i, e := range at("list").All() {
		text += fmt.Sprint(i, e)
	}
	if want := `list=[1,"b"] n=2.5 null=null object={"k":1} 0 11 "b"`; text != want {
		t.Errorf("iterated to %s, want %s", text, want)
	}
}

func TestGetInLargeObjects(t *testing.T) {
	var members []jsonlogic.Member
	for i := range 100 {
		members = append(members, jsonlogic.Member{Key: fmt.Sprint("key", 99-i), Value: jsonlogic.Number(float64(99 - i))})
	}
	v, err := jsonlogic.Object(members...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if member, ok := v.Get(fmt.Sprint("key", i)); !ok || member.Float() != float64(i) {
			t.Errorf("key%d: %s, %v", i, member, ok)
		}
	}
	if _, ok := v.Get("key100"); ok {
		t.Error("found a key that is not there")
	}
}

func TestObjectRefusesRepeatedKeys(t *testing.T) {
	if _, err := jsonlogic.Object(jsonlogic.Member{Key: "a"}, jsonlogic.Member{Key: "b"}, jsonlogic.Member{Key: "a"}); !errors.Is(err, jsonlogic.ErrDuplicateKey) {
		t.Errorf("error %v, want ErrDuplicateKey", err)
	}
}

func TestEqual(t *testing.T) {
	distinct := []string{`null`, `false`, `true`, `0`, `1`, `""`, `"1"`, `[]`, `[1]`, `[1,2]`, `[[1]]`, `{}`, `{"a":1}`, `{"a":2}`, `{"b":1}`, `{"a":1,"b":1}`}
	for i, a := range distinct {
		for j, b := range distinct {
			if parse(t, a).Equal(parse(t, b)) != (i == j) {
				t.Errorf("%s equals %s: %v", a, b, i != j)
			}
		}
	}
	if jsonlogic.Number(math.NaN()).Equal(jsonlogic.Number(math.NaN())) {
		t.Error("NaN equals itself")
	}
	if !parse(t, `{"b":[1],"a":0}`).Equal(parse(t, `{"a":-0,"b":[1]}`)) {
		t.Error("order of keys or sign of zero matters")
	}
}

func TestAppendJSON(t *testing.T) {
	v := jsonlogic.Array(jsonlogic.String("q\"b\\n\n\r\t\x01\x1f/<é日\u2028\xff"), jsonlogic.Number(math.Inf(1)), jsonlogic.Null())
	got := string(v.AppendJSON([]byte("x")))
	if want := `x["q\"b\\n\n\r\t\u0001\u001f/<é日` + "\u2028\ufffd" + `",null,null]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFromAny(t *testing.T) {
	type plan string
	n := 7
	for _, tt := range []struct {
		in   any
		want string
	}{
		{nil, `null`}, {true, `true`}, {"a", `"a"`}, {1, `1`}, {int8(-1), `-1`}, {uint64(5), `5`}, {float32(0.5), `0.5`}, {1.5, `1.5`},
		{int64(9007199254740993), `9007199254740992`}, {json.Number("1e3"), `1000`}, {plan("pro"), `"pro"`}, {&n, `7`}, {(*int)(nil), `null`},
		{time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), `"2026-01-02T03:04:05.000006Z"`},
		{[]any{1, "b", nil}, `[1,"b",null]`}, {[]string{"a", "b"}, `["a","b"]`}, {[2]int{1, 2}, `[1,2]`},
		{map[string]any{"b": 1, "a": []int{}}, `{"a":[],"b":1}`}, {map[plan]bool{"x": true}, `{"x":true}`},
		{jsonlogic.Bool(true), `true`},
	} {
		v, err := jsonlogic.FromAny(tt.in)
		if err != nil || v.String() != tt.want {
			t.Errorf("%#v: %s, %v, want %s", tt.in, v, err, tt.want)
		}
	}
}

func TestFromAnyRefuses(t *testing.T) {
	self := []any{nil, nil}
	self[0], self[1] = self, self
	loop := map[string]any{}
	loop["loop"] = loop
	for name, in := range map[string]any{
		"channel": make(chan int), "function": func() {}, "struct": struct{ A int }{1}, "nested": map[string]any{"a": []any{struct{}{}}},
		"keys": map[int]string{1: "a"}, "number": json.Number("x"), "slice in itself": self, "map in itself": loop, "complex": 1i,
	} {
		if v, err := jsonlogic.FromAny(in); !errors.Is(err, jsonlogic.ErrUnsupported) || !v.IsNull() {
			t.Errorf("%s: %v, want ErrUnsupported", name, err)
		}
	}
}

func TestAttributes(t *testing.T) {
	number := func(name string, n int) jsonlogic.Attribute {
		return jsonlogic.Attribute{Name: jsonlogic.Intern(name), Value: jsonlogic.Number(float64(n))}
	}
	for _, size := range []int{0, 1, 16, 17, 200} { // around the switch from a list to a map
		var list []jsonlogic.Attribute
		for i := range size {
			list = append(list, number(fmt.Sprint("a", i), -1), number("twice", i), number(fmt.Sprint("a", i), i))
		}
		a := jsonlogic.NewAttributes(list...)
		for i := range size {
			if v, ok := a.Lookup(jsonlogic.Intern(fmt.Sprint("a", i))); !ok || v.Float() != float64(i) {
				t.Errorf("%d attributes: a%d is %s, %v", size, i, v, ok)
			}
		}
		if v, ok := a.Lookup(jsonlogic.Intern("twice")); ok != (size > 0) || ok && v.Float() != float64(size-1) {
			t.Errorf("%d attributes: the last of one name is %s, %v", size, v, ok)
		}
		if _, ok := a.Lookup(jsonlogic.Intern("none")); ok {
			t.Errorf("%d attributes: found what is not there", size)
		}
		want := 0
		if size > 0 {
			want = size + 1
		}
		if a.Len() != want || len(a.All()) != want || a.Object().Len() != want {
			t.Errorf("%d attributes: %d, %d, %d, want %d", size, a.Len(), len(a.All()), a.Object().Len(), want)
		}
	}
	x, again := jsonlogic.Intern("x"), jsonlogic.Intern("xy"[:1])
	if (jsonlogic.Symbol{}).Name() != "" || x.Name() != "x" || x != again {
		t.Error("symbols do not keep their names")
	}
}
