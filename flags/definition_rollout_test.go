package flags_test

import (
	"slices"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

func TestRollout(t *testing.T) {
	base, err := flags.ParseDefinition([]byte(`{"variants":{"on":true,"off":false},"defaultVariant":"off"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []flags.Share{{Variant: "on", Weight: 25}, {Variant: "off", Weight: 75}}
	for _, by := range []string{"", "tenant"} {
		d, err := base.WithRollout(want, by)
		if err != nil {
			t.Fatal(err)
		}
		shares, gotBy, ok := d.Rollout()
		if !ok || gotBy != by || !slices.Equal(shares, want) {
			t.Errorf("by %q: %v by %q, %v", by, shares, gotBy, ok)
		}
	}
	for _, rule := range []string{
		`{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}`,
		`{"fractional":[{"var":"email"},["on",1],["off",1]]}`,
		`{"fractional":[["on",1],["off"]]}`,
		`{"if":[{"var":"x"},{"fractional":[{"var":"y"},["on",1],["off",1]]},null]}`,
		`{"if":[true,{"fractional":[["on",1],["off",1]]},null]}`,
		`{"fractional":[["on",1]]}`, `"on"`, `{}`,
	} {
		d, err := base.WithTargeting([]byte(rule))
		if err != nil {
			t.Fatal(err)
		}
		if shares, by, ok := d.Rollout(); ok {
			t.Errorf("%s passes for a rollout: %v by %q", rule, shares, by)
		}
	}
}

func TestSummary(t *testing.T) {
	flag, override := flags.FlagKey("f"), flags.OverrideKey("f", "t1")
	on, err := flags.OverrideBytes("on")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key           flags.EntryKey
		before, after string
		want          string
	}{
		{flag, "", `{"state":"ENABLED"}`, `flag "f" created`},
		{flag, `{"state":"ENABLED"}`, "", `flag "f" deleted`},
		{flag, `{"state":"ENABLED","defaultVariant":"a"}`, `{"state":"DISABLED","defaultVariant":"b"}`, "f: state ENABLED -> DISABLED, default a -> b"},
		{flag, `{"x":1}`, `{"x":2}`, "f: other fields changed"},
		{flag, `{"x":1}`, `{"x":1}`, "f: unchanged"},
		{flag, `{`, `{}`, `flag "f" changed`},
		{override, "", string(on), `override "f" for "t1": on`},
		{flags.EntryKey{Kind: flags.KindEvaluator, Name: "e"}, `true`, `false`, `segment "e" changed`},
	} {
		bytesOf := func(s string) []byte {
			if s == "" {
				return nil
			}
			return []byte(s)
		}
		if got := flags.Summary(c.key, bytesOf(c.before), bytesOf(c.after)); got != c.want {
			t.Errorf("%s to %s: %q, want %q", c.before, c.after, got, c.want)
		}
	}
}
