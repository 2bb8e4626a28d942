package flags_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

func TestValueRoundTrip(t *testing.T) {
	for text, kind := range map[string]flags.ValueKind{
		`null`: flags.ValueNull, `true`: flags.ValueBool, `-1.5`: flags.ValueNumber, `"a\"世"`: flags.ValueString,
		`[1,[],"x"]`: flags.ValueArray, `{"a":{"b":[null]},"c":1}`: flags.ValueObject,
	} {
		v := mustValue(t, text)
		if v.Kind() != kind || v.String() != text {
			t.Errorf("%s: kind %s, text %s", text, v.Kind(), v)
		}
		var again flags.Value
		data, err := json.Marshal(v)
		if err == nil {
			err = json.Unmarshal(data, &again)
		}
		if err != nil || !again.Equal(v) {
			t.Errorf("%s came back from JSON as %s, %v", text, again, err)
		}
		if made, err := flags.ValueOf(v.Any()); err != nil || !made.Equal(v) {
			t.Errorf("%s came back from Go as %s, %v", text, made, err)
		}
	}
}

func TestValueDoesNotAliasWhatItWasReadFrom(t *testing.T) {
	text := []byte(`{"name":"before"}`)
	v, err := flags.ParseValue(text)
	if err != nil {
		t.Fatal(err)
	}
	copy(text, `{"name":"after!"}`)
	list := []any{"x"}
	w, err := flags.ValueOf(list)
	if err != nil {
		t.Fatal(err)
	}
	list[0] = "y"
	if v.String() != `{"name":"before"}` || w.String() != `["x"]` {
		t.Fatalf("changed afterwards: %s %s", v, w)
	}
}

func TestValueRefuses(t *testing.T) {
	for _, text := range []string{``, `{`, `{"a":1,"a":2}`, `1 2`, `NaN`, `"\u12"`} {
		if v, err := flags.ParseValue([]byte(text)); !errors.Is(err, flags.ErrInvalid) {
			t.Errorf("%q gives %s, %v", text, v, err)
		}
		var v flags.Value
		if err := v.UnmarshalJSON([]byte(text)); !errors.Is(err, flags.ErrInvalid) || !v.IsNull() {
			t.Errorf("%q unmarshals to %s, %v", text, v, err)
		}
	}
	if _, err := flags.ValueOf(map[string]any{"f": func() {}}); !errors.Is(err, flags.ErrInvalid) {
		t.Errorf("a function is a value: %v", err)
	}
}

func TestValueInt(t *testing.T) {
	for f, ok := range map[float64]bool{
		0: true, 7: true, -7: true, 1<<53 - 1: true, -(1<<53 - 1): true,
		1 << 53: false, -(1 << 53): false, 0.5: false, 1e300: false, math.Inf(1): false, math.NaN(): false,
	} {
		n, got := flags.NumberValue(f).Int()
		if got != ok || ok && float64(n) != f {
			t.Errorf("%v: %d, %v", f, n, got)
		}
	}
	if _, ok := flags.StringValue("7").Int(); ok {
		t.Error("text is an integer")
	}
}

func TestValueParts(t *testing.T) {
	v := mustValue(t, `{"list":[true,"x",3],"z":null}`)
	list, ok := v.Get("list")
	if !ok || list.Len() != 3 || !list.Index(0).Bool() || list.Index(1).Str() != "x" || list.Index(2).Float() != 3 || !list.Index(9).IsNull() {
		t.Errorf("list %s", list)
	}
	if _, ok := v.Get("none"); ok {
		t.Error("a member that is not there")
	}
	var keys, elems string
	for k := range v.Members() {
		keys += k + " "
	}
	for _, e := range list.Elements() {
		elems += e.String() + " "
	}
	if keys != "list z " || elems != `true "x" 3 ` {
		t.Errorf("members %q, elements %q", keys, elems)
	}
	if made := flags.ArrayValue(flags.BoolValue(true), flags.StringValue("x"), flags.NumberValue(3)); !made.Equal(list) {
		t.Errorf("made %s", made)
	}
}

func TestContexts(t *testing.T) {
	at := time.Unix(1_700_000_000, 5)
	ec := flags.Entity("ada", flags.String("plan", "free"), flags.String("plan", "pro"), flags.Int("seats", 3), flags.Float("ratio", 0.5),
		flags.Bool("beta", true), flags.Strings("groups", "a", "b"), flags.Time("since", at), flags.String(flags.TargetingKey, "eve"),
		flags.Object("geo", flags.String("country", "NZ"), flags.ValueAttr("tags", flags.ArrayValue())))
	want := `{"beta":true,"geo":{"country":"NZ","tags":[]},"groups":["a","b"],"plan":"pro","ratio":0.5,"seats":3,"since":1700000000,"targetingKey":"ada"}`
	if got := ec.Value().String(); got != want || ec.TargetingKey() != "ada" {
		t.Fatalf("context %s", got)
	}
	scope := mapScope{}
	for name, v := range ec.Value().Members() {
		scope[name] = v
	}
	copied, err := flags.FromMap(ec.Value().Any().(map[string]any))
	if err != nil {
		t.Fatal(err)
	}
	for kind, same := range map[string]flags.EvaluationContext{
		"copied": copied, "in place": flags.InPlace(scope), "with nothing": ec.With(), "from value": flags.FromValue(ec.Value()),
	} {
		if same.Value().String() != want || same.TargetingKey() != "ada" {
			t.Errorf("%s: %s", kind, same.Value())
		}
		more := same.With(flags.String("plan", "team"), flags.String("targetingKey", "bob"))
		if plan, _ := more.Attribute("plan"); plan.Str() != "team" || more.TargetingKey() != "bob" {
			t.Errorf("%s: with more it is %s", kind, more.Value())
		}
		if plan, ok := same.Attribute("plan"); plan.Str() != "pro" || !ok {
			t.Errorf("%s: With changed the original: %s", kind, plan)
		}
	}
	var empty flags.EvaluationContext
	if _, ok := empty.Attribute("plan"); ok || empty.TargetingKey() != "" || empty.Value().String() != `{}` {
		t.Error("the zero context is not empty")
	}
	if got := empty.With(flags.Int("n", 1)).Value().String(); got != `{"n":1}` || flags.Entity("").Value().Len() != 0 {
		t.Errorf("from nothing: %s", got)
	}
	if _, err := flags.FromMap(map[string]any{"ch": make(chan int)}); !errors.Is(err, flags.ErrInvalid) {
		t.Errorf("a channel is an attribute: %v", err)
	}
	if got := flags.FromValue(flags.StringValue("x")); got.Value().Len() != 0 {
		t.Errorf("text is a context: %s", got.Value())
	}
}
