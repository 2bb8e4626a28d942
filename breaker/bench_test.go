package breaker_test

import (
	"context"
	"testing"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/holdfast-flags/holdfast/breaker"
)

// BenchmarkClosed puts a call through a closed breaker beside the same call through bare gobreaker. The ratio of the
// first two is what our contract costs.
func BenchmarkClosed(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	b.Run("gobreaker", func(b *testing.B) {
		cb := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{})
		b.ReportAllocs()
		for b.Loop() {
			_, _ = cb.Execute(func() (int, error) { n++; return n, ctx.Err() })
		}
	})
	br := breaker.New(breaker.Options{})
	b.Run("Do", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = breaker.Do(ctx, br, 0, func(ctx context.Context) (int, error) { n++; return n, ctx.Err() })
		}
	})
	b.Run("Run", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = br.Run(ctx, 0, func(ctx context.Context) error { n++; return ctx.Err() })
		}
	})
	b.Run("DoWithBudget", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = breaker.Do(ctx, br, time.Second, func(ctx context.Context) (int, error) { n++; return n, ctx.Err() })
		}
	})
}

// A closed breaker costs no allocation, whatever the function captures.
func TestClosedDoesNotAllocate(t *testing.T) {
	ctx, b, n := t.Context(), breaker.New(breaker.Options{Classify: classify}), 0
	calls := map[string]func(){
		"Do": func() {
			_, _ = breaker.Do(ctx, b, 0, func(context.Context) (int, error) { n++; return n, nil })
		},
		"Do, ignored error": func() {
			_, _ = breaker.Do(ctx, b, 0, func(context.Context) (int, error) { n++; return n, errDenied })
		},
		"Run":         func() { _ = b.Run(ctx, 0, func(context.Context) error { n++; return nil }) },
		"RunIfClosed": func() { _ = b.RunIfClosed(ctx, func(context.Context) error { n++; return nil }) },
		"Report":      func() { b.Report(ctx, nil) },
	}
	for name, call := range calls {
		if got := testing.AllocsPerRun(100, call); got != 0 {
			t.Errorf("%s: %v allocations, want 0", name, got)
		}
	}
}
