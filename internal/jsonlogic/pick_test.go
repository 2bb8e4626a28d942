package jsonlogic_test

import (
	"fmt"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// Pick says what Eval says, or says nothing; and it is what answers the shapes that it was made for.
func TestPickIsEval(t *testing.T) {
	picked := 0
	for _, table := range []struct {
		tests, leaves []string
	}{
		{
			tests: []string{
				`{"==":[{"var":"a"},"x"]}`, `{"!=":[{"var":"a"},"x"]}`, `{"===":["x",{"var":"b"}]}`, `{"in":[{"var":"a"},["x","y"]]}`,
				`{"in":[{"var":"a"},["x","y","1","2","3","4","5","6","7","8"]]}`, `{"in":["x",{"var":"a"}]}`, `{"starts_with":[{"var":"a"},"x"]}`,
				`{"ends_with":[{"var":"b"},"y"]}`, `{"ends_with":["xy",{"var":"b"}]}`, `{"and":[{"==":[{"var":"a"},"x"]},{"!=":[{"var":"b"},"x"]}]}`,
				`{"or":[{"==":[{"var":"a"},"x"]},{"in":[{"var":"b"},["x","z"]]}]}`, `{"!":{"==":[{"var":"a"},"x"]}}`, `{"and":[]}`, `{"or":[]}`,
				`{"==":[{"var":"a"},1]}`, `{"in":[{"var":"a"},[1,true,null,"x"]]}`, `{"var":"a"}`, `true`,
			},
			leaves: []string{
				`"p"`, `"q"`, `null`, `""`, `{"fractional":[["p",1],["q",1]]}`, `{"fractional":[{"var":"a"},["p",1],["q",1],["",1]]}`,
				`{"fractional":[{"var":"a"},["p",0],["q",0]]}`, `{"fractional":[{"cat":["k",{"var":"b"}]},["p",1],["q",1]]}`, `{"var":"b"}`,
			},
		},
	} {
		for _, test := range table.tests {
			for i, yes := range table.leaves {
				no := table.leaves[(i+1)%len(table.leaves)]
				for _, rule := range []string{
					yes, `{"if":[` + test + `,` + yes + `]}`, `{"if":[` + test + `,` + yes + `,` + no + `]}`,
					`{"if":[` + test + `,` + yes + `,` + table.tests[i] + `,` + no + `,"q"]}`, `{"if":[` + test + `]}`,
				} {
					picked += samePick(t, rule)
				}
			}
		}
	}
	if picked < 1000 {
		t.Fatalf("only %d answers came from Pick", picked)
	}
}

// samePick compares the two on contexts of every kind and returns how often Pick answered.
func samePick(t *testing.T, rule string) (picked int) {
	t.Helper()
	marks := map[string]uint32{`"p"`: 1, `"q"`: 2, `"x"`: 3}
	p := mustCompile(t, rule, jsonlogic.Options{FlagKey: "flag", Mark: func(v jsonlogic.Value) uint32 { return marks[v.String()] }})
	values := []string{``, `"x"`, `"y"`, `"xy"`, `""`, `1`, `null`, `["x"]`}
	for _, a := range values {
		for _, b := range values {
			data := `{"targetingKey":"k3"`
			if a != "" {
				data += `,"a":` + a
			}
			if b != "" {
				data += `,"b":` + b
			}
			object, err := jsonlogic.ParseJSON([]byte(data + `}`))
			if err != nil {
				t.Fatal(err)
			}
			attrs := attributesOf(object)
			want, err := p.Eval(attrs, jsonlogic.Env{})
			if err != nil {
				t.Fatal(err)
			}
			mark, ok := p.Pick(attrs)
			if ok && (mark != want.Mark() || mark == 0) {
				t.Errorf("rule %s\ndata %s\npicked %d, evaluates to %s with mark %d", rule, data+"}", mark, want, want.Mark())
			}
			if ok {
				picked++
			}
		}
	}
	return picked
}

// What Pick was made for, it answers.
func TestPickAnswersTheCommonShapes(t *testing.T) {
	object, err := jsonlogic.ParseJSON([]byte(`{"targetingKey":"k3","plan":"pro","email":"a@example.com"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []string{
		`{"==":[{"var":"plan"},"pro"]}`, `{"in":[{"var":"plan"},["pro","team"]]}`, `{"ends_with":[{"var":"email"},"@example.com"]}`,
		`{"and":[{"==":[{"var":"plan"},"pro"]},{"starts_with":[{"var":"email"},"a@"]}]}`,
		`{"!=":[{"var":"absent"},"pro"]}`, `{"!":{"in":[{"var":"absent"},["pro","team"]]}}`, `{"or":[{"ends_with":[{"var":"absent"},"x"]},{"!!":{"in":[{"var":"absent"},[1,null]]}}]}`,
	} {
		for _, leaf := range []string{`"on"`, `{"fractional":[["on",1],["off",0]]}`, `{"fractional":[{"var":"email"},["on",1],["off",0]]}`} {
			p := mustCompile(t, fmt.Sprintf(`{"if":[%s,%s,"off"]}`, test, leaf), jsonlogic.Options{Mark: func(v jsonlogic.Value) uint32 {
				return map[string]uint32{`"on"`: 1, `"off"`: 2}[v.String()]
			}})
			if mark, ok := p.Pick(attributesOf(object)); !ok || mark != 1 {
				t.Errorf("%s then %s: %d, %v", test, leaf, mark, ok)
			}
		}
	}
}
