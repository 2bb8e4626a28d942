package openfeature_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/openfeature"
)

func world(t testing.TB) *source {
	return newSource(t,
		flag("bool", `{"variants":{"on":true,"off":false},"defaultVariant":"on","metadata":{"team":"shop","weight":2,"hot":true}}`),
		flag("pro", `{"variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"on"]}}`),
		flag("text", `{"variants":{"a":"red"},"defaultVariant":"a"}`),
		flag("int", `{"variants":{"a":9000000000},"defaultVariant":"a"}`),
		flag("float", `{"variants":{"a":3.5},"defaultVariant":"a"}`),
		flag("object", `{"variants":{"a":{"size":1,"tags":["x",null]}},"defaultVariant":"a"}`),
		flag("absent", `{"variants":{"on":true},"targeting":{"if":[false,"on"]}}`),
		flag("disabled", `{"state":"DISABLED","variants":{"on":true},"defaultVariant":"on"}`),
		flag("broken", `{"variants":{"on":true},"defaultVariant":"on","targeting":{"cat":["no","such"]}}`),
		flags.Mutation{Key: flags.EntryKey{Kind: flags.KindMetadata, Name: "owner"}, Bytes: []byte(`"platform"`)},
		flags.Mutation{Key: flags.EntryKey{Kind: flags.KindMetadata, Name: "team"}, Bytes: []byte(`"none"`)},
	)
}

func TestEvaluationThroughTheSDK(t *testing.T) {
	src := world(t)
	for name, opts := range map[string]flags.Options{"plain": {}, "with hooks of the client": {Hooks: []flags.Hook{{}}}} {
		client := src.client(t, opts)
		t.Run(name, func(t *testing.T) {
			_, c := register(t, openfeature.NewProvider(client))
			testEvaluation(t, c, client.View(t.Context()).Token().String())
		})
		t.Run(name+", without metadata", func(t *testing.T) {
			_, c := register(t, openfeature.New(client, openfeature.Options{WithoutMetadata: true}))
			testEvaluation(t, c, "")
		})
	}
}

// testEvaluation wants metadata with a token, or none at all where that is "".
func testEvaluation(t *testing.T, c *of.Client, token string) {
	ctx, none := t.Context(), of.EvaluationContext{}
	pro := of.NewEvaluationContext("tenant-1", map[string]any{"plan": "pro"})
	type answer struct {
		value   any
		variant string
		reason  of.Reason
		code    of.ErrorCode
	}
	boolean := func(key string, fallback bool, ec of.EvaluationContext) (any, of.EvaluationDetails) {
		d, _ := c.BooleanValueDetails(ctx, key, fallback, ec)
		return d.Value, d.EvaluationDetails
	}
	integer := func(key string, fallback int64) (any, of.EvaluationDetails) {
		d, _ := c.IntValueDetails(ctx, key, fallback, none)
		return d.Value, d.EvaluationDetails
	}
	object := func(key string, fallback any) (any, of.EvaluationDetails) {
		d, _ := c.ObjectValueDetails(ctx, key, fallback, none)
		return d.Value, d.EvaluationDetails
	}
	for _, tt := range []struct {
		name string
		read func() (any, of.EvaluationDetails)
		want answer
	}{
		{"static", func() (any, of.EvaluationDetails) { return boolean("bool", false, none) }, answer{true, "on", of.StaticReason, ""}},
		{"static, known by now", func() (any, of.EvaluationDetails) { return boolean("bool", false, pro) }, answer{true, "on", of.StaticReason, ""}},
		{"targeted", func() (any, of.EvaluationDetails) { return boolean("pro", false, pro) }, answer{true, "on", of.TargetingMatchReason, ""}},
		{"default variant", func() (any, of.EvaluationDetails) { return boolean("pro", true, none) }, answer{false, "off", of.DefaultReason, ""}},
		{"text", func() (any, of.EvaluationDetails) {
			d, _ := c.StringValueDetails(ctx, "text", "blue", none)
			return d.Value, d.EvaluationDetails
		}, answer{"red", "a", of.StaticReason, ""}},
		{"float", func() (any, of.EvaluationDetails) {
			d, _ := c.FloatValueDetails(ctx, "float", 1, none)
			return d.Value, d.EvaluationDetails
		}, answer{3.5, "a", of.StaticReason, ""}},
		{"integer as float", func() (any, of.EvaluationDetails) {
			d, _ := c.FloatValueDetails(ctx, "int", 1, none)
			return d.Value, d.EvaluationDetails
		}, answer{9e9, "a", of.StaticReason, ""}},
		{"integer", func() (any, of.EvaluationDetails) { return integer("int", 1) }, answer{int64(9000000000), "a", of.StaticReason, ""}},
		{"fraction as integer", func() (any, of.EvaluationDetails) { return integer("float", 7) }, answer{int64(7), "", of.ErrorReason, of.TypeMismatchCode}},
		{"object", func() (any, of.EvaluationDetails) { return object("object", nil) },
			answer{map[string]any{"size": 1.0, "tags": []any{"x", nil}}, "a", of.StaticReason, ""}},
		{"scalar as object", func() (any, of.EvaluationDetails) { return object("bool", "mine") }, answer{"mine", "", of.ErrorReason, of.TypeMismatchCode}},
		{"object, absent", func() (any, of.EvaluationDetails) { return object("absent", "mine") }, answer{"mine", "", of.DefaultReason, ""}},
		{"mismatch", func() (any, of.EvaluationDetails) { return boolean("text", true, none) }, answer{true, "", of.ErrorReason, of.TypeMismatchCode}},
		{"absent", func() (any, of.EvaluationDetails) { return boolean("absent", true, none) }, answer{true, "", of.DefaultReason, ""}},
		{"disabled", func() (any, of.EvaluationDetails) { return boolean("disabled", false, none) }, answer{false, "", of.DisabledReason, ""}},
		{"not found", func() (any, of.EvaluationDetails) { return boolean("none", true, none) }, answer{true, "", of.ErrorReason, of.FlagNotFoundCode}},
		{"general", func() (any, of.EvaluationDetails) { return boolean("broken", true, none) }, answer{true, "", of.ErrorReason, of.GeneralCode}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			value, d := tt.read()
			if got := (answer{value, d.Variant, d.Reason, d.ErrorCode}); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if token == "" && len(d.FlagMetadata) != 0 {
				t.Errorf("metadata %v, want none", d.FlagMetadata)
			}
			if token != "" && (d.FlagMetadata[openfeature.MetadataRevision] != token || d.FlagMetadata["owner"] != "platform") {
				t.Errorf("metadata %v, want the owner and revision %s", d.FlagMetadata, token)
			}
		})
	}
	if token == "" {
		return
	}
	_, d := boolean("bool", false, none)
	want := of.FlagMetadata{"owner": "platform", "team": "shop", "weight": 2.0, "hot": true, openfeature.MetadataRevision: token}
	if !reflect.DeepEqual(d.FlagMetadata, want) {
		t.Errorf("metadata %v, want %v", d.FlagMetadata, want)
	}
}

// Attributes of every Go type reach a rule as what encoding/json would make of them.
func TestContextIsReadWhereItIs(t *testing.T) {
	type plan string
	type geo struct {
		Country string `json:"country"`
		Floor   int    `json:"floor"`
	}
	at := time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
	number := 7
	var seen flags.Value
	client := world(t).client(t, flags.Options{Hooks: []flags.Hook{{After: func(_ context.Context, r flags.HookedRead, _ flags.FlagDetails) error {
		seen, _ = r.Context.Attribute("plan")
		return nil
	}}}})
	_, c := register(t, openfeature.NewProvider(client))
	for _, tt := range []struct {
		name string
		in   any
		want string // as JSON
	}{
		{"string", "pro", `"pro"`}, {"named string", plan("pro"), `"pro"`}, {"bool", true, `true`}, {"nil", nil, `null`},
		{"int", -3, `-3`}, {"int64", int64(1) << 53, `9007199254740992`}, {"uint8", uint8(8), `8`}, {"float32", float32(0.5), `0.5`}, {"float", 2.5, `2.5`},
		{"number", json.Number("12"), `12`}, {"pointer", &number, `7`},
		{"time", at, `"2026-02-03T04:05:06.000000007Z"`},
		{"list", []any{1, "x"}, `[1,"x"]`}, {"strings", []string{"a", "b"}, `["a","b"]`},
		{"map", map[string]any{"country": "NZ"}, `{"country":"NZ"}`}, {"typed map", map[string]int{"a": 1}, `{"a":1}`},
		{"struct", geo{"NZ", 3}, `{"country":"NZ","floor":3}`}, {"structs", []geo{{"NZ", 3}}, `[{"country":"NZ","floor":3}]`},
		{"times in a map", map[string]any{"at": at}, `{"at":"2026-02-03T04:05:06.000000007Z"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := c.BooleanValueDetails(t.Context(), "pro", false, of.NewEvaluationContext("e", map[string]any{"plan": tt.in, "other": 1}))
			if seen.String() != tt.want || err != nil {
				t.Errorf("%v became %s, want %s (%v)", tt.in, seen, tt.want, err)
			}
			if d.Value != (tt.want == `"pro"`) {
				t.Errorf("the rule says %v", d.Value)
			}
		})
	}
}

// What no rule can look at is an error of those reads that look at it, and of no other.
func TestContextOfNoUse(t *testing.T) {
	src := newSource(t,
		flag("asks", `{"variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"==":[{"var":"x"},1]},"on"]}}`),
		flag("asks-for-all", `{"variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"==":[{"var":""},1]},"on"]}}`),
		flag("other", `{"variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"==":[{"var":"y"},1]},"on"]}}`),
	)
	_, c := register(t, openfeature.NewProvider(src.client(t, flags.Options{})))
	ec := of.NewTargetlessEvaluationContext(map[string]any{"x": make(chan int), "y": 1})
	for _, key := range []string{"asks", "asks-for-all"} {
		d, err := c.BooleanValueDetails(t.Context(), key, true, ec)
		if !d.Value || d.ErrorCode != of.InvalidContextCode || d.Reason != of.ErrorReason || !strings.Contains(d.ErrorMessage, `"x"`) || err == nil {
			t.Errorf("%s: %+v, %v", key, d, err)
		}
	}
	if d, err := c.BooleanValueDetails(t.Context(), "other", false, ec); !d.Value || err != nil {
		t.Errorf("other: %+v, %v", d, err)
	}
}

// What the Go context demands holds through the SDK.
func TestGoContextsCarryThrough(t *testing.T) {
	src := newSource(t, flag("f", `{"variants":{"on":true,"off":false},"defaultVariant":"off"}`))
	client := src.client(t, flags.Options{})
	_, c := register(t, openfeature.NewProvider(client))
	pinned := client.Pin(t.Context())
	token := src.apply(t, flags.OpChange, flag("f", `{"variants":{"on":true,"off":false},"defaultVariant":"on"}`))
	if d, err := c.BooleanValueDetails(flags.AtLeast(t.Context(), token), "f", false, of.EvaluationContext{}); !d.Value || err != nil {
		t.Errorf("a read that carries the token of a write did not see it: %+v, %v", d, err)
	}
	for range 2 {
		d, err := c.BooleanValueDetails(pinned, "f", true, of.EvaluationContext{})
		if d.Value || err != nil || d.FlagMetadata[openfeature.MetadataRevision] == token.String() {
			t.Errorf("a pinned read moved: %+v, %v", d, err)
		}
	}
	future := token
	future.Revision += 5
	d, err := c.BooleanValueDetails(flags.AtLeast(t.Context(), future), "f", false, of.EvaluationContext{})
	if !d.Value || err != nil || d.FlagMetadata[openfeature.MetadataFreshness] != "not fresh" || d.Reason != of.StaticReason {
		t.Errorf("a read whose demand cannot be met: %+v, %v", d, err)
	}
	d, err = c.BooleanValueDetails(flags.Strict(flags.AtLeast(t.Context(), future)), "f", false, of.EvaluationContext{})
	if d.Value || d.ErrorCode != of.GeneralCode || err == nil {
		t.Errorf("a strict read whose demand cannot be met: %+v, %v", d, err)
	}
}

// Hooks of the SDK, of the provider and of our client all see a read.
func TestHooksOfAllKinds(t *testing.T) {
	var calls []string
	src := world(t)
	client := src.client(t, flags.Options{Hooks: []flags.Hook{{
		Before: func(_ context.Context, r flags.HookedRead) (flags.EvaluationContext, error) {
			calls = append(calls, "client before "+r.Context.TargetingKey())
			return r.Context.With(flags.String("plan", "pro")), nil
		},
		Finally: func(_ context.Context, _ flags.HookedRead, d flags.FlagDetails) {
			calls = append(calls, "client finally "+d.Variant)
		},
	}}})
	note := func(name string) of.Hook { return &sdkHook{name: name, calls: &calls} }
	_, c := register(t, openfeature.New(client, openfeature.Options{Hooks: []of.Hook{note("provider")}}))
	c.AddHooks(note("sdk"))
	if d, err := c.BooleanValueDetails(t.Context(), "pro", false, of.NewEvaluationContext("e", nil)); !d.Value || err != nil {
		t.Errorf("the client's hook did not take part: %+v, %v", d, err)
	}
	want := []string{"sdk before", "provider before", "client before e", "client finally on", "provider after on", "sdk after on"}
	if !reflect.DeepEqual(calls, want) {
		t.Errorf("calls %q, want %q", calls, want)
	}
}

type sdkHook struct {
	of.UnimplementedHook
	name  string
	calls *[]string
}

func (h *sdkHook) Before(context.Context, of.HookContext, of.HookHints) (*of.EvaluationContext, error) {
	*h.calls = append(*h.calls, h.name+" before")
	return nil, nil
}

func (h *sdkHook) After(_ context.Context, _ of.HookContext, d of.InterfaceEvaluationDetails, _ of.HookHints) error {
	*h.calls = append(*h.calls, h.name+" after "+d.Variant)
	return nil
}
