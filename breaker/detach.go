package breaker

import (
	"context"
	"runtime"
)

// Detach wraps a function that may ignore its context, so that its caller is released when the context ends. The
// function then runs on a goroutine of its own, is left behind, and its late result is dropped. Pass the result to
// [Do] with a budget. A panic reaches the caller with its value, unless the function was left behind already.
func Detach[T any](fn func(context.Context) (T, error)) func(context.Context) (T, error) {
	return func(ctx context.Context) (T, error) {
		result := make(chan detached[T], 1)
		go func() {
			r := detached[T]{exited: true}
			defer func() {
				r.panicked = recover()
				result <- r
			}()
			r.value, r.err = fn(ctx)
			r.exited = false
		}()
		select {
		case r := <-result:
			return r.unwrap()
		case <-ctx.Done():
			var zero T
			return zero, context.Cause(ctx)
		}
	}
}

type detached[T any] struct {
	value    T
	err      error
	panicked any
	exited   bool
}

// unwrap ends the caller's goroutine in the way the function ended its own.
func (r detached[T]) unwrap() (T, error) {
	switch {
	case r.panicked != nil:
		panic(r.panicked)
	case r.exited:
		runtime.Goexit()
	}
	return r.value, r.err
}
