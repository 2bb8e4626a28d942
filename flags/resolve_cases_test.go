package flags_test

import (
	"fmt"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/flagcases"
)

func mustValue(t testing.TB, text string) flags.Value {
	t.Helper()
	v, err := flags.ParseValue([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// casesSnapshot is the set of all cases: the document as an import would commit
// it, then what no writer would let through.
func casesSnapshot(t testing.TB) *flags.Snapshot {
	t.Helper()
	doc, err := flags.ParseDocument([]byte(flagcases.Document), "cases")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Check(); err != nil {
		t.Fatal(err)
	}
	var good, bad []flags.Mutation
	for _, e := range doc.Entries() {
		good = append(good, flags.Mutation{Key: e.Key, Bytes: e.Bytes})
	}
	for key, text := range flagcases.Unchecked {
		bad = append(bad, putFlag(key, text))
	}
	h := newHistory(t)
	s := flags.NewSnapshot(h.contents.Checkpoint())
	return mustApply(t, s, h.commit(flags.OpCreate, good...), h.commit(flags.OpChange, bad...))
}

// answer is a case's question put to a view, in text.
type answer struct{ value, variant, reason, code string }

func details[T any](d flags.Details[T], value func(T) flags.Value) answer {
	return answer{value(d.Value).String(), d.Variant, d.Reason.String(), d.ErrorCode.String()}
}

func ask(view flags.View, c flagcases.Case, ec flags.EvaluationContext) answer {
	same := func(v flags.Value) flags.Value { return v }
	switch c.Type {
	case flagcases.Boolean:
		return details(view.BoolDetails(c.Flag, ec, false), flags.BoolValue)
	case flagcases.Text:
		return details(view.StringDetails(c.Flag, ec, "fallback"), flags.StringValue)
	case flagcases.Integer:
		return details(view.IntDetails(c.Flag, ec, -99), func(n int64) flags.Value { return flags.NumberValue(float64(n)) })
	case flagcases.Float:
		return details(view.FloatDetails(c.Flag, ec, -9.5), flags.NumberValue)
	default:
		return details(view.ObjectDetails(c.Flag, ec, flags.StringValue("fallback")), same)
	}
}

// plain is what the getter without details gives.
func plain(view flags.View, c flagcases.Case, ec flags.EvaluationContext) string {
	switch c.Type {
	case flagcases.Boolean:
		return fmt.Sprint(view.Bool(c.Flag, ec, false))
	case flagcases.Text:
		return flags.StringValue(view.String(c.Flag, ec, "fallback")).String()
	case flagcases.Integer:
		return fmt.Sprint(view.Int(c.Flag, ec, -99))
	case flagcases.Float:
		return flags.NumberValue(view.Float(c.Flag, ec, -9.5)).String()
	default:
		return view.Object(c.Flag, ec, flags.StringValue("fallback")).String()
	}
}

var fallbacks = map[flagcases.Type]string{
	flagcases.Boolean: `false`, flagcases.Text: `"fallback"`, flagcases.Integer: `-99`, flagcases.Float: `-9.5`, flagcases.Object: `"fallback"`,
}

// mapScope is somebody else's context.
type mapScope map[string]flags.Value

func (m mapScope) Attribute(name string) (flags.Value, bool) {
	v, ok := m[name]
	return v, ok
}

func (m mapScope) Value() flags.Value {
	attrs := make([]flags.Attr, 0, len(m))
	for name, v := range m {
		attrs = append(attrs, flags.ValueAttr(name, v))
	}
	return flags.Context(attrs...).Value()
}

// Every case holds for a copied and for a foreign context, with and without details,
// and for a snapshot that grew as well as for one compiled from a checkpoint.
func TestCases(t *testing.T) {
	grown := casesSnapshot(t)
	snapshots := map[string]*flags.Snapshot{"grown": grown, "compiled": flags.NewSnapshot(grown.Checkpoint())}
	cases := flagcases.All()
	if len(cases) < 150 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		contexts := map[string]flags.EvaluationContext{}
		if c.Context == "" {
			contexts["zero"], contexts["empty"] = flags.EvaluationContext{}, flags.InPlace(mapScope{})
		} else {
			object := mustValue(t, c.Context)
			scope := mapScope{}
			for name, v := range object.Members() {
				scope[name] = v
			}
			contexts["copied"], contexts["in place"] = flags.FromValue(object), flags.InPlace(scope)
			m, _ := object.Any().(map[string]any)
			fromMap, err := flags.FromMap(m)
			if err != nil {
				t.Fatal(err)
			}
			contexts["map"] = fromMap
		}
		want := answer{fallbacks[c.Type], c.Variant, c.Reason, c.Error}
		if c.Value != "" {
			want.value = mustValue(t, c.Value).String()
		}
		for from, s := range snapshots {
			for kind, ec := range contexts {
				if got := ask(s.View(), c, ec); got != want {
					t.Errorf("%s (%s, %s context): got %+v, want %+v", c.Name(), from, kind, got, want)
				}
				if got := plain(s.View(), c, ec); got != want.value {
					t.Errorf("%s (%s, %s context): getter gives %s, want %s", c.Name(), from, kind, got, want.value)
				}
			}
		}
	}
}

func TestMetadata(t *testing.T) {
	view := casesSnapshot(t).View()
	for _, c := range flagcases.Metadata {
		d := view.BoolDetails(c.Flag, flags.EvaluationContext{}, false)
		if want := mustValue(t, c.Want); !d.Metadata().Equal(want) {
			t.Errorf("%s: metadata %s, want %s", c.Flag, d.Metadata(), want)
		}
	}
	bare := snapshotOf(t, putFlag("bare", goodFlag), putFlag("own", `{"variants":{"on":true},"metadata":{"a":1}}`)).View()
	if m := bare.BoolDetails("bare", flags.EvaluationContext{}, false).Metadata(); m.Len() != 0 {
		t.Errorf("metadata out of nowhere: %s", m)
	}
	if m := bare.BoolDetails("own", flags.EvaluationContext{}, false).Metadata(); m.String() != `{"a":1}` {
		t.Errorf("own metadata: %s", m)
	}
}
