package openfeature_test

import (
	"context"
	"slices"
	"testing"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/openfeature"
)

// contexts are as applications have them, of several sizes.
var contexts = map[string]of.EvaluationContext{
	"no attributes": {},
	"3 attributes":  of.NewEvaluationContext("tenant-1", map[string]any{"plan": "pro", "country": "NZ", "version": "1.2.3"}),
	"9 attributes": of.NewEvaluationContext("tenant-1", map[string]any{"plan": "pro", "country": "NZ", "version": "1.2.3",
		"email": "a@example.com", "seats": 30, "beta": true, "role": "admin", "region": "eu-1", "device": "mobile"}),
}

// BenchmarkSDK reads through the SDK's client with our provider and with the SDK's no-op provider in turns: "x-noop"
// is the median of the ratios of neighbouring turns, which a busy machine slows alike.
func BenchmarkSDK(b *testing.B) {
	client := world(b).client(b, flags.Options{})
	_, noop := register(b, of.NoopProvider{})
	_, ours := register(b, openfeature.NewProvider(client))
	_, lean := register(b, openfeature.New(client, openfeature.Options{WithoutMetadata: true}))
	_, again := register(b, of.NoopProvider{})
	_, bare := register(b, &constant{})
	_, fixed := register(b, &constant{metadata: of.FlagMetadata{"owner": "platform", openfeature.MetadataRevision: "default@0.1~abcdefgh"}})
	for _, name := range []string{"no attributes", "3 attributes", "9 attributes"} {
		read := func(c *of.Client, key string) func(int) {
			return func(n int) {
				for range n {
					if _, err := c.BooleanValue(b.Context(), key, true, contexts[name]); err != nil {
						b.Error(err)
					}
				}
			}
		}
		for _, bench := range []struct {
			name string
			read func(n int)
		}{
			{"noop", read(again, "bool")},
			{"constant", read(bare, "bool")},
			{"constant with metadata", read(fixed, "bool")},
			{"static", read(ours, "bool")},
			{"rule", read(ours, "pro")},
			{"static without metadata", read(lean, "bool")},
			{"rule without metadata", read(lean, "pro")},
		} {
			b.Run(name+"/"+bench.name, func(b *testing.B) { compare(b, read(noop, "bool"), bench.read) })
		}
	}
}

// constant knows one answer. What it takes longer than the no-op provider is the SDK's: it looks at the state
// of every other provider, twice, and copies metadata.
type constant struct {
	of.NoopProvider
	metadata of.FlagMetadata
}

func (c *constant) BooleanEvaluation(context.Context, string, bool, of.FlattenedContext) of.BoolResolutionDetail {
	return of.BoolResolutionDetail{Value: true, ProviderResolutionDetail: of.ProviderResolutionDetail{Variant: "on", Reason: of.StaticReason, FlagMetadata: c.metadata}}
}

// compare runs floor and read in turns. Time and memory that are reported are those of read.
func compare(b *testing.B, floor, read func(n int)) {
	const turn = 50
	took := func(f func(int)) time.Duration {
		began := time.Now()
		f(turn)
		return time.Since(began)
	}
	b.ReportAllocs()
	var ratios []float64
	var total time.Duration
	for i := 0; b.Loop(); i++ {
		if i%turn != 0 {
			continue
		}
		b.StopTimer()
		bare := took(floor)
		b.StartTimer()
		full := took(read)
		total += full
		ratios = append(ratios, float64(full)/float64(bare))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x-noop")
	b.ReportMetric(float64(total.Nanoseconds())/float64(len(ratios)*turn), "ns/op")
}
