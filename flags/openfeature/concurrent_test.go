package openfeature_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/multi"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/openfeature"
)

// Reads, writes, pins and new lives of a provider at once: every answer is that of its context and
// says the version that it is from. The SDK's package multi writes into metadata, which must not be another reader's.
func TestManyAtOnce(t *testing.T) {
	src := world(t)
	client := src.client(t, flags.Options{Primary: flags.Layer{Source: src, Watcher: src.Store}})
	several, err := multi.NewProvider(multi.StrategyFirstMatch, multi.WithProvider("ours", openfeature.NewProvider(client)))
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]of.FeatureProvider{"alone": openfeature.NewProvider(client), "within multi": several} {
		t.Run(name, func(t *testing.T) {
			_, c := register(t, p)
			var running sync.WaitGroup
			for worker := range 8 {
				running.Go(func() {
					ctx := context.WithoutCancel(t.Context())
					if worker%2 == 1 {
						ctx = client.Pin(ctx)
					}
					plan := []string{"free", "pro"}[worker/2%2]
					ec := of.NewEvaluationContext(fmt.Sprint("e", worker), map[string]any{"plan": plan})
					for range 100 {
						d, err := c.BooleanValueDetails(ctx, "pro", false, ec)
						if d.Value != (plan == "pro") || err != nil || d.FlagMetadata["owner"] != "platform" {
							t.Errorf("plan %s: %+v, %v", plan, d, err)
							return
						}
						d.FlagMetadata["mine"] = worker // what an answer says is the caller's to change
						if d, err := c.BooleanValueDetails(ctx, "bool", false, ec); !d.Value || err != nil || d.FlagMetadata["mine"] != nil {
							t.Errorf("static: %+v, %v", d, err)
							return
						}
					}
				})
			}
			for n := range 20 {
				src.apply(t, flags.OpChange, flag("text", fmt.Sprintf(`{"variants":{"a":"red %s %d"},"defaultVariant":"a"}`, name, n)))
			}
			running.Wait()
		})
	}
}

func TestTracking(t *testing.T) {
	src := newSource(t)
	client := src.client(t, flags.Options{})
	details := of.NewTrackingEventDetails(9.5).Add("currency", "NZD")
	ec := of.NewEvaluationContext("tenant-1", nil)

	var got string
	_, c := register(t, openfeature.New(client, openfeature.Options{
		Track: func(_ context.Context, event string, ec of.EvaluationContext, d of.TrackingEventDetails) {
			got = fmt.Sprint(event, " ", ec.TargetingKey(), " ", d.Value(), " ", d.Attribute("currency"))
		},
	}))
	c.Track(t.Context(), "paid", ec, details)
	if got != "paid tenant-1 9.5 NZD" {
		t.Errorf("tracked %q", got)
	}

	var out bytes.Buffer
	_, c = register(t, openfeature.New(client, openfeature.Options{Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}))
	c.Track(t.Context(), "paid", ec, details)
	if text := out.String(); !strings.Contains(text, "event=paid value=9.5") || strings.Contains(text, "tenant-1") {
		t.Errorf("logged %q", text)
	}
}
