package main

import (
	"context"
	"fmt"

	"github.com/sony/gobreaker/v2"

	"github.com/holdfast-flags/holdfast/breaker"
)

// breakers shows what a closed breaker adds to a call, beside gobreaker on its own.
func (m measurer) breakers(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	bare, ours := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{}), breaker.New(breaker.Options{})
	calls := 0
	call := func(ctx context.Context) (int, error) { calls++; return calls, ctx.Err() }
	run := func(ctx context.Context) error { calls++; return ctx.Err() }
	loops := []loop{
		func(n int) {
			for range n {
				_, _ = bare.Execute(func() (int, error) { return call(ctx) }) // does not fail
			}
		},
		func(n int) {
			for range n {
				_, _ = breaker.Do(ctx, ours, 0, call) // as above
			}
		},
		func(n int) {
			for range n {
				_ = ours.Run(ctx, 0, run) // as above
			}
		},
	}
	r := m.compare(loops...)
	fmt.Printf("\na call through a closed breaker: gobreaker %.0f ns; breaker.Do %.0f ns, %.2fx, %.0f allocations; Run %.0f ns, %.2fx, %.0f allocations\n",
		r[0].ns, r[1].ns, r[1].ratio, allocations(loops[1]), r[2].ns, r[2].ratio, allocations(loops[2]))
	return nil
}
