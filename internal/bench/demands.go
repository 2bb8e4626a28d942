package main

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

var sinkContext context.Context

// demands shows what reads cost whose context demands something that is met from
// memory, beside a read with a plain context, and what making such a context costs
// beside the least one there is.
func (m measurer) demands(ctx context.Context) error {
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	type key struct{}
	token := w.client.Token(ctx)
	list := []struct {
		name string
		with func(context.Context) context.Context
	}{
		{"a value of its own", func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, w) }},
		{"AtLeast", func(ctx context.Context) context.Context { return flags.AtLeast(ctx, token) }},
		{"Pin", w.client.Pin},
		{"WithSession", flags.WithSession},
		{"MaxStaleness", func(ctx context.Context) context.Context { return flags.MaxStaleness(ctx, time.Hour) }},
	}
	reads := []loop{w.reading(ctx)}
	var contexts []loop
	for _, d := range list {
		reads = append(reads, w.reading(d.with(ctx)))
		contexts = append(contexts, func(n int) {
			for range n {
				sinkContext = d.with(ctx)
			}
		})
	}
	read, made := m.compare(reads...), m.compare(contexts...)
	fmt.Printf("\na read of a static flag with a plain context: %.1f ns, %.0f allocations; with one that has\n", read[0].ns, allocations(reads[0]))
	for i, d := range list {
		fmt.Printf("  %-19s read %5.1f ns, %.2fx, %.0f allocations; made in %5.1f ns, %.2fx, %.0f allocations\n", d.name,
			read[i+1].ns, read[i+1].ratio, allocations(reads[i+1]), made[i].ns, made[i].ratio, allocations(contexts[i]))
	}
	return nil
}

// reading reads a static flag, whose own cost hides least of the context's.
func (w *world) reading(ctx context.Context) loop {
	return func(n int) {
		for range n {
			sinkBool = w.client.Bool(ctx, "static", w.ec, false)
		}
	}
}
