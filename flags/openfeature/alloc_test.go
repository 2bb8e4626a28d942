package openfeature_test

import (
	"testing"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/openfeature"
)

// A read through the SDK makes exactly the memory that one of the SDK's no-op provider makes, and its copy of the
// metadata: a map and its one group, which every copy of one to eight entries takes. The provider itself makes none.
func TestAllocationsThroughTheSDK(t *testing.T) {
	client := world(t).client(t, flags.Options{})
	_, noop := register(t, of.NoopProvider{})
	_, full := register(t, openfeature.NewProvider(client))
	_, lean := register(t, openfeature.New(client, openfeature.Options{WithoutMetadata: true}))
	const copied = 2
	boolean := func(c *of.Client, key string, ec of.EvaluationContext) error {
		_, err := c.BooleanValue(t.Context(), key, true, ec)
		return err
	}
	for _, tt := range []struct {
		name string
		read func(*of.Client, of.EvaluationContext) error
	}{
		{"static", func(c *of.Client, ec of.EvaluationContext) error { return boolean(c, "bool", ec) }},
		{"rule", func(c *of.Client, ec of.EvaluationContext) error { return boolean(c, "pro", ec) }},
		{"absent", func(c *of.Client, ec of.EvaluationContext) error { return boolean(c, "absent", ec) }},
		{"text", func(c *of.Client, ec of.EvaluationContext) error {
			_, err := c.StringValue(t.Context(), "text", "blue", ec)
			return err
		}},
		{"integer", func(c *of.Client, ec of.EvaluationContext) error {
			_, err := c.IntValue(t.Context(), "int", 8000000000, ec)
			return err
		}},
		{"float", func(c *of.Client, ec of.EvaluationContext) error {
			_, err := c.FloatValue(t.Context(), "float", 2.5, ec)
			return err
		}},
	} {
		for name, ec := range contexts {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				made := func(c *of.Client) float64 {
					return testing.AllocsPerRun(500, func() {
						if err := tt.read(c, ec); err != nil {
							t.Error(err)
						}
					})
				}
				floor := made(noop)
				if n := made(full); n != floor+copied {
					t.Errorf("%v allocations, want %v, of which the no-op provider has %v", n, floor+copied, floor)
				}
				if n := made(lean); n != floor {
					t.Errorf("without metadata: %v allocations, want the no-op provider's %v", n, floor)
				}
			})
		}
	}
}
