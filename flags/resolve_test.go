package flags_test

import (
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// hostileScope panics when it is asked for an attribute.
type hostileScope struct{ mapScope }

func (h hostileScope) Attribute(name string) (flags.Value, bool) {
	if name == "plan" {
		panic("no plan")
	}
	return h.mapScope.Attribute(name)
}

// A panic below a rule costs the answer of that flag, and nothing else.
func TestPanicInEvaluationIsThatFlagsError(t *testing.T) {
	view := snapshotOf(t, putFlag("rule", onOff(`{"if":[{"==":[{"var":"plan"},"pro"]},"on"]}`)),
		putFlag("other", onOff(`{"if":[{"==":[{"var":"seats"},1]},"on"]}`))).View()
	ec := flags.InPlace(hostileScope{mapScope{"seats": flags.NumberValue(1)}})
	all := view.GetFlags(nil, ec, "rule", "other")
	if d := all[0]; d.ErrorCode != flags.ErrorGeneral || d.Reason != flags.ReasonError || !d.Value.IsNull() {
		t.Errorf("rule: %+v", d)
	}
	if d := all[1]; d.Variant != "on" || d.Reason != flags.ReasonTargetingMatch {
		t.Errorf("other: %+v", d)
	}
}

func TestViewWithoutASet(t *testing.T) {
	var view flags.View
	d := view.StringDetails("a", flags.EvaluationContext{}, "fallback")
	if d.Value != "fallback" || d.Reason != flags.ReasonError || d.ErrorCode != flags.ErrorProviderNotReady || d.Freshness != flags.FreshnessNotFresh {
		t.Errorf("%+v", d)
	}
	if d.Token() != (flags.Token{}) || d.Layer() != "" || d.Age() >= 0 || !d.ExpiresAt().IsZero() || !d.Metadata().IsNull() || d.ErrorMessage() == "" {
		t.Errorf("%v %q %v %v %s %q", d.Token(), d.Layer(), d.Age(), d.ExpiresAt(), d.Metadata(), d.ErrorMessage())
	}
	if view.Token() != (flags.Token{}) || view.Snapshot() != nil || view.Freshness() != flags.FreshnessNotFresh {
		t.Error("the zero view holds something")
	}
}

func TestErrorMessagesNameFlagAndCause(t *testing.T) {
	view := snapshotOf(t, putFlag("broken", `{"variants":{"on":true},"targeting":{"nonsense":[]}}`), putFlag("lost", onOff(`"none"`)), putFlag("good", goodFlag)).View()
	for key, parts := range map[string][]string{
		"broken": {`"broken"`, `unknown operator "nonsense"`}, "lost": {`"lost"`, "variant"}, "none": {"no such flag"}, "good": {`"good"`, "type"},
	} {
		d := view.StringDetails(key, flags.EvaluationContext{}, "")
		for _, part := range parts {
			if !strings.Contains(d.ErrorMessage(), part) {
				t.Errorf("%s: %q does not say %s", key, d.ErrorMessage(), part)
			}
		}
		if d.Token() != view.Token() || d.Freshness != flags.FreshnessFresh {
			t.Errorf("%s: token %s, %s", key, d.Token(), d.Freshness)
		}
	}
	if d := view.BoolDetails("good", flags.EvaluationContext{}, true); d.ErrorMessage() != "" {
		t.Errorf("good: %q", d.ErrorMessage())
	}
}

// The names are OpenFeature's, and go over the wire as they are.
func TestNamesOfReasonsAndCodes(t *testing.T) {
	text := func(x interface{ MarshalText() ([]byte, error) }) string {
		b, err := x.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var got []string
	for r := flags.ReasonError; r <= flags.ReasonDisabled+1; r++ {
		got = append(got, text(r))
	}
	for c := flags.ErrorNone; c <= flags.ErrorGeneral+1; c++ {
		got = append(got, text(c))
	}
	for f := flags.FreshnessFresh; f <= flags.FreshnessNotFresh+1; f++ {
		got = append(got, text(f))
	}
	want := "ERROR STATIC DEFAULT TARGETING_MATCH DISABLED REASON(5)  PROVIDER_NOT_READY FLAG_NOT_FOUND PARSE_ERROR TYPE_MISMATCH GENERAL ERROR(6) FRESH STALE NOT_FRESH FRESHNESS(3)"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}
