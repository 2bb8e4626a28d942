package flagstest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFlagsOfEveryType(t *testing.T) {
	client := flagstest.New(t,
		flagstest.Bool("on", true), flagstest.String("color", "blue"), flagstest.Int("limit", 7), flagstest.Float("ratio", 0.5),
		flagstest.Object("box", map[string]any{"size": 3}), flagstest.Bool("gone", true).Disabled(),
		flagstest.Definition("pro", `{"variants":{"yes":true,"no":false},"defaultVariant":"no","targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"yes"]}}`).For("eve", "yes"),
		flagstest.String("who", "everybody").For("ada", "Ada").For("bob", "Bob"),
	)
	ctx, nobody := t.Context(), flags.EvaluationContext{}
	if !client.Bool(ctx, "on", nobody, false) || client.String(ctx, "color", nobody, "") != "blue" ||
		client.Int(ctx, "limit", nobody, 0) != 7 || client.Float(ctx, "ratio", nobody, 0) != 0.5 ||
		client.Object(ctx, "box", nobody, flags.Value{}).String() != `{"size":3}` {
		t.Error("a value is not as stated")
	}
	if d := client.BoolDetails(ctx, "gone", nobody, false); d.Value || d.Reason != flags.ReasonDisabled {
		t.Errorf("disabled: %+v", d)
	}
	for _, c := range []struct {
		ec  flags.EvaluationContext
		pro bool
		who string
	}{
		{nobody, false, "everybody"},
		{flags.Entity("ada", flags.String("plan", "pro")), true, "Ada"},
		{flags.Entity("bob"), false, "Bob"},
		{flags.Entity("eve"), true, "everybody"},
	} {
		if client.Bool(ctx, "pro", c.ec, false) != c.pro || client.String(ctx, "who", c.ec, "") != c.who {
			t.Errorf("for %q: pro %v, who %q", c.ec.TargetingKey(), client.Bool(ctx, "pro", c.ec, false), client.String(ctx, "who", c.ec, ""))
		}
	}
}

func TestSetChangesUnderItsClient(t *testing.T) {
	set := flagstest.NewSet(t, flagstest.Bool("a", false).For("ada", true), flagstest.Bool("b", true))
	client, ctx, ada := set.Client(), t.Context(), flags.Entity("ada")
	for range 20 {
		set.Put(t, flagstest.Bool("a", true))
		if !client.Bool(ctx, "a", flags.EvaluationContext{}, false) || client.BoolDetails(ctx, "a", ada, false).Reason != flags.ReasonStatic {
			t.Fatal("a put is not seen when Put returns, or kept the old override")
		}
		set.Put(t, flagstest.Bool("a", false).For("ada", true))
		if client.Bool(ctx, "a", flags.EvaluationContext{}, true) || !client.Bool(ctx, "a", ada, false) {
			t.Fatal("a put is not seen when Put returns")
		}
	}
	set.Remove(t, "a")
	if d := client.BoolDetails(ctx, "a", ada, true); d.ErrorCode != flags.ErrorFlagNotFound || !d.Value {
		t.Fatalf("removed: %+v", d)
	}
	if !client.Bool(ctx, "b", ada, false) {
		t.Fatal("another flag is gone")
	}
}
