package flags

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Hook takes part in the reads of a [Client]: Before in the order of Options.Hooks, the
// others in reverse, as in OpenFeature. Every field may be nil. Hooks run on the goroutine of the read
// and must be safe for concurrent use; a read costs what its hooks cost.
//
// A hook can't spoil a read, which is where this is stricter than OpenFeature: its error or
// panic is told to Error, and the value is that of the flag all the same.
//
// Reads of a [View] or [Handle] have no context that hooks could go by, and are made where every
// nanosecond counts: no hook sees them.
type Hook struct {
	// Before is called ahead of the evaluation. The context it returns is used from there on, unless it
	// is the zero one: make it with [EvaluationContext.With]. After an error the hooks that
	// remain, and every After, are left out.
	Before func(ctx context.Context, r HookedRead) (EvaluationContext, error)
	// After is called where the flag was resolved. After an error the hooks that remain are left out.
	After func(ctx context.Context, r HookedRead, d FlagDetails) error
	// Error is called where the flag could not be resolved ([Details.Err] says why), or a hook failed. A panic of
	// a hook is an error that wraps [ErrHookPanic].
	Error func(ctx context.Context, r HookedRead, err error)
	// Finally is called last, whatever happened, with what the caller is about to be given.
	Finally func(ctx context.Context, r HookedRead, d FlagDetails)
}

// HookedRead is the read that a hook is called for.
type HookedRead struct {
	Set      string            // that the client follows
	Key      string            // of the flag
	Type     ValueKind         // asked for: ValueBool, ValueString, ValueNumber, ValueObject; ValueNull: any
	Fallback any               // the caller's default: bool, string, int64, float64 or Value
	Context  EvaluationContext // as the hooks before have left it
}

// ErrHookPanic is what an error wraps that was a hook's panic.
var ErrHookPanic = errors.New("flags: hook panicked")

// Hooked reports whether the client has hooks, for adapters that would else read from a View.
func (c *Client) Hooked() bool { return c.hooks != nil }

// hooked makes a read of view with the hooks around it.
func hooked[T any](ctx context.Context, c *Client, view View, r HookedRead, fallback T, read func(View, string, EvaluationContext, T) Details[T]) Details[T] {
	r.Set, r.Fallback = c.opts.Set, fallback
	err := c.hooksBefore(ctx, &r)
	d := read(view, r.Key, r.Context, fallback)
	told := FlagDetails{r.Key, detailsOfAny(d)}
	if failed := d.Err(); err != nil || failed != nil {
		err = errors.Join(err, failed)
	} else {
		err = c.hooksAfter(ctx, r, told)
	}
	for _, h := range slices.Backward(c.hooks) {
		if err != nil && h.Error != nil {
			c.contain(ctx, r.Key, safely(func() error { h.Error(ctx, r, err); return nil }))
		}
	}
	for _, h := range slices.Backward(c.hooks) {
		if h.Finally != nil {
			c.contain(ctx, r.Key, safely(func() error { h.Finally(ctx, r, told); return nil }))
		}
	}
	return d
}

func (c *Client) hooksBefore(ctx context.Context, r *HookedRead) error {
	for _, h := range c.hooks {
		if h.Before == nil {
			continue
		}
		err := safely(func() error {
			ec, err := h.Before(ctx, *r)
			if err == nil && ec != (EvaluationContext{}) {
				r.Context = ec
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("before hook: %w", err)
		}
	}
	return nil
}

func (c *Client) hooksAfter(ctx context.Context, r HookedRead, d FlagDetails) error {
	for _, h := range slices.Backward(c.hooks) {
		if h.After == nil {
			continue
		}
		if err := safely(func() error { return h.After(ctx, r, d) }); err != nil {
			return fmt.Errorf("after hook: %w", err)
		}
	}
	return nil
}

// contain logs the panic of a hook that no other hook can be told of.
func (c *Client) contain(ctx context.Context, key string, err error) {
	if err != nil {
		c.opts.Logger.ErrorContext(ctx, "flags: hook failed", "set", c.opts.Set, "flag", key, "cause", err)
	}
}

// safely makes an error of a panic.
func safely(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrHookPanic, p)
		}
	}()
	return call()
}

// detailsOfAny returns d with its value as JSON has it. Integers beyond 2^53, which only a
// caller's default can be, are rounded.
func detailsOfAny[T any](d Details[T]) ValueDetails {
	v := ValueDetails{Variant: d.Variant, Reason: d.Reason, ErrorCode: d.ErrorCode, Freshness: d.Freshness, state: d.state, node: d.node}
	switch value := any(d.Value).(type) {
	case bool:
		v.Value = BoolValue(value)
	case string:
		v.Value = StringValue(value)
	case int64:
		v.Value = NumberValue(float64(value))
	case float64:
		v.Value = NumberValue(value)
	case Value:
		v.Value = value
	}
	return v
}
