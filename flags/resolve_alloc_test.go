package flags_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagstest"
)

// allocWorld has a flag for each shape that is promised to be read without
// allocating.
func allocWorld(t testing.TB) (flags.View, flags.EvaluationContext) {
	t.Helper()
	var ids, rules []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprintf(`"tenant-%d"`, i))
	}
	for i := range 10 {
		rules = append(rules, fmt.Sprintf(`{"==":[{"var":"country"},"C%d"]},"on"`, i))
	}
	s := snapshotOf(t,
		putFlag("static", goodFlag),
		putFlag("one-rule", onOff(`{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}`)),
		putFlag("ten-rules", onOff(`{"if":[`+strings.Join(rules, ",")+`,"off"]}`)),
		putFlag("fractional", onOff(`{"fractional":[["on",50],["off",50]]}`)),
		putFlag("fractional-by", onOff(`{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"plan"}]},["on",50],["off",50]]}`)),
		putFlag("in-1000", onOff(`{"if":[{"in":[{"var":"targetingKey"},[`+strings.Join(ids, ",")+`]]},"on","off"]}`)),
		putFlag("semver", onOff(`{"if":[{"sem_ver":[{"var":"version"},">=","1.2.0"]},"on","off"]}`)),
		putFlag("prefix", onOff(`{"if":[{"and":[{"starts_with":[{"var":"plan"},"p"]},{"ends_with":[{"var":"plan"},"o"]}]},"on","off"]}`)),
		putFlag("deep", onOff(`{"if":[{"==":[{"var":"a.b.c.d.e.f.g.h"},"x"]},"on","off"]}`)),
		putFlag("timestamp", onOff(`{"if":[{">":[{"var":"$flagd.timestamp"},1]},"on","off"]}`)),
		putFlag("by-bool", `{"variants":{"true":true,"false":false},"targeting":{"==":[{"var":"plan"},"pro"]}}`),
		putFlag("by-var", onOff(`{"var":"choice"}`)),
		putFlag("override", goodFlag), putOverride("override", "tenant-7", "on"),
		putFlag("text", `{"variants":{"a":"red","b":"blue"},"defaultVariant":"b"}`),
		putFlag("number", `{"variants":{"a":7},"defaultVariant":"a"}`),
		putFlag("object", `{"variants":{"a":{"size":1}},"defaultVariant":"a"}`),
		putFlag("disabled", `{"state":"DISABLED","variants":{"on":true}}`),
		putFlag("broken", `{"variants":{"on":true},"targeting":{"nonsense":[]}}`),
	)
	ec := flags.Entity("tenant-7", flags.String("plan", "pro"), flags.String("country", "C9"), flags.String("version", "1.2.3"),
		flags.String("choice", "on"),
		flags.Object("a", flags.Object("b", flags.Object("c", flags.Object("d", flags.Object("e", flags.Object("f", flags.Object("g", flags.String("h", "x")))))))))
	return s.View(), ec
}

// Reads allocate nothing, whatever the flag, its type or its fault.
func TestReadsDoNotAllocate(t *testing.T) {
	view, ec := allocWorld(t)
	free := func(name string, read func()) {
		t.Helper()
		if n := testing.AllocsPerRun(200, read); n != 0 {
			t.Errorf("%s: %v allocations a read", name, n)
		}
	}
	for key, want := range map[string]bool{
		"static": false, "one-rule": true, "ten-rules": true, "in-1000": true, "semver": true, "prefix": true, "deep": true,
		"timestamp": true, "by-bool": true, "by-var": true, "override": true, "fractional": view.Bool("fractional", ec, false),
		"fractional-by": view.Bool("fractional-by", ec, false), "disabled": false, "broken": false, "unknown": false, "text": false,
	} {
		if got := view.Bool(key, ec, false); got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
		free(key, func() { view.Bool(key, ec, false) })
		free(key+" details", func() { view.BoolDetails(key, ec, false) })
		free(key+" as object", func() { view.ObjectDetails(key, ec, flags.Value{}) })
	}
	free("string", func() { view.StringDetails("text", ec, "") })
	free("int", func() { view.IntDetails("number", ec, 0) })
	free("float", func() { view.FloatDetails("number", ec, 0) })
	free("object", func() { view.ObjectDetails("object", ec, flags.Value{}) })
	free("empty context", func() { view.Bool("one-rule", flags.EvaluationContext{}, false) })
	free("no set", func() { flags.View{}.BoolDetails("static", ec, false) })
	keys := []string{"static", "one-rule", "fractional", "unknown", "broken", "object"}
	dst := make([]flags.FlagDetails, 0, len(keys))
	free("GetFlags into a reused slice", func() { dst = view.GetFlags(dst[:0], ec, keys...) })
	if len(dst) != len(keys) || dst[1].Variant != "on" || dst[3].ErrorCode != flags.ErrorFlagNotFound || dst[5].Value.String() != `{"size":1}` {
		t.Errorf("GetFlags: %+v", dst)
	}
}

// The same through a client, whose contexts and handles come on top.
func TestClientReadsDoNotAllocate(t *testing.T) {
	client := flagstest.New(t, flagstest.Bool("flag", false).For("e", true))
	pinned, ec, h := client.Pin(context.Background()), flags.Entity("e"), client.Handle("flag")
	for name, ctx := range map[string]context.Context{"plain": context.Background(), "pinned": pinned} {
		right := true
		if n := testing.AllocsPerRun(200, func() {
			d := client.BoolDetails(ctx, "flag", ec, false)
			right = right && d.Value && client.Bool(ctx, "flag", ec, false) && h.BoolDetails(ec, false).Value
		}); n != 0 || !right {
			t.Errorf("%s context: %v allocations a read, right %v", name, n, right)
		}
	}
}
