package flags

import "context"

// The getters are those of [View], on the snapshot that ctx asks for: the newest, unless it
// says otherwise. The client's hooks, if any, are around them: one comparison where there are none.
// fallback is returned where the flag has no value of the type.

// find is View(ctx).find without the calls in between, which were a tenth of a read.
func (c *Client) find(ctx context.Context, key string, ec EvaluationContext) *outcome {
	p := c.current.Load()
	if r := requestOf(ctx); r != nil {
		p = c.viewFor(ctx, r).p
	}
	if p.snap == nil {
		return nil
	}
	return p.snap.flags.get(key).find(ec)
}

// Bool returns the value of a boolean flag.
func (c *Client) Bool(ctx context.Context, key string, ec EvaluationContext, fallback bool) bool {
	if c.hooks != nil {
		return c.BoolDetails(ctx, key, ec, fallback).Value
	}
	value, _ := c.find(ctx, key, ec).bool(fallback)
	return value
}

// String returns the value of a string flag.
func (c *Client) String(ctx context.Context, key string, ec EvaluationContext, fallback string) string {
	if c.hooks != nil {
		return c.StringDetails(ctx, key, ec, fallback).Value
	}
	value, _ := c.find(ctx, key, ec).string(fallback)
	return value
}

// Int returns the value of a number flag that is an integer.
func (c *Client) Int(ctx context.Context, key string, ec EvaluationContext, fallback int64) int64 {
	if c.hooks != nil {
		return c.IntDetails(ctx, key, ec, fallback).Value
	}
	value, _ := c.find(ctx, key, ec).int(fallback)
	return value
}

// Float returns the value of a number flag.
func (c *Client) Float(ctx context.Context, key string, ec EvaluationContext, fallback float64) float64 {
	if c.hooks != nil {
		return c.FloatDetails(ctx, key, ec, fallback).Value
	}
	value, _ := c.find(ctx, key, ec).float(fallback)
	return value
}

// Object returns the value of an object flag.
func (c *Client) Object(ctx context.Context, key string, ec EvaluationContext, fallback Value) Value {
	if c.hooks != nil {
		return c.ObjectDetails(ctx, key, ec, fallback).Value
	}
	value, _ := c.find(ctx, key, ec).object(fallback)
	return value
}

// BoolDetails returns the value of a boolean flag and how it came about.
func (c *Client) BoolDetails(ctx context.Context, key string, ec EvaluationContext, fallback bool) BoolDetails {
	if c.hooks != nil {
		return hooked(ctx, c, c.View(ctx), HookedRead{Key: key, Type: ValueBool, Context: ec}, fallback, View.BoolDetails)
	}
	return c.View(ctx).BoolDetails(key, ec, fallback)
}

// StringDetails returns the value of a string flag and how it came about.
func (c *Client) StringDetails(ctx context.Context, key string, ec EvaluationContext, fallback string) StringDetails {
	if c.hooks != nil {
		return hooked(ctx, c, c.View(ctx), HookedRead{Key: key, Type: ValueString, Context: ec}, fallback, View.StringDetails)
	}
	return c.View(ctx).StringDetails(key, ec, fallback)
}

// IntDetails returns the value of a number flag that is an integer, and how it came about.
func (c *Client) IntDetails(ctx context.Context, key string, ec EvaluationContext, fallback int64) IntDetails {
	if c.hooks != nil {
		return hooked(ctx, c, c.View(ctx), HookedRead{Key: key, Type: ValueNumber, Context: ec}, fallback, View.IntDetails)
	}
	return c.View(ctx).IntDetails(key, ec, fallback)
}

// FloatDetails returns the value of a number flag and how it came about.
func (c *Client) FloatDetails(ctx context.Context, key string, ec EvaluationContext, fallback float64) FloatDetails {
	if c.hooks != nil {
		return hooked(ctx, c, c.View(ctx), HookedRead{Key: key, Type: ValueNumber, Context: ec}, fallback, View.FloatDetails)
	}
	return c.View(ctx).FloatDetails(key, ec, fallback)
}

// ObjectDetails returns the value of an object flag and how it came about.
func (c *Client) ObjectDetails(ctx context.Context, key string, ec EvaluationContext, fallback Value) ValueDetails {
	if c.hooks != nil {
		return hooked(ctx, c, c.View(ctx), HookedRead{Key: key, Type: ValueObject, Context: ec}, fallback, View.ObjectDetails)
	}
	return c.View(ctx).ObjectDetails(key, ec, fallback)
}

// GetFlags returns the details of several flags, all from one snapshot. One
// that cannot be resolved spoils no other.
func (c *Client) GetFlags(ctx context.Context, ec EvaluationContext, keys ...string) []FlagDetails {
	view := c.View(ctx)
	if c.hooks == nil {
		return view.GetFlags(nil, ec, keys...)
	}
	all := make([]FlagDetails, 0, len(keys))
	for _, key := range keys {
		all = append(all, FlagDetails{key, hooked(ctx, c, view, HookedRead{Key: key, Context: ec}, Value{}, View.ValueDetails)})
	}
	return all
}

// Handle returns a handle bound to one flag, whose reads skip the lookup of the
// key and always see the newest snapshot; no hook sees them. Keep it for as long as the client.
func (c *Client) Handle(key string) *Handle { return newHandle(&c.current, key) }
