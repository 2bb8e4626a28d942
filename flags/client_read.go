package flags

import "context"

// The getters are those of [View], on the snapshot that ctx asks for: the newest,
// unless it says otherwise. fallback is returned where the flag has no value of the type.

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
	value, _ := c.find(ctx, key, ec).bool(fallback)
	return value
}

// String returns the value of a string flag.
func (c *Client) String(ctx context.Context, key string, ec EvaluationContext, fallback string) string {
	value, _ := c.find(ctx, key, ec).string(fallback)
	return value
}

// Int returns the value of a number flag that is an integer.
func (c *Client) Int(ctx context.Context, key string, ec EvaluationContext, fallback int64) int64 {
	value, _ := c.find(ctx, key, ec).int(fallback)
	return value
}

// Float returns the value of a number flag.
func (c *Client) Float(ctx context.Context, key string, ec EvaluationContext, fallback float64) float64 {
	value, _ := c.find(ctx, key, ec).float(fallback)
	return value
}

// Object returns the value of an object flag.
func (c *Client) Object(ctx context.Context, key string, ec EvaluationContext, fallback Value) Value {
	value, _ := c.find(ctx, key, ec).object(fallback)
	return value
}

// BoolDetails returns the value of a boolean flag and how it came about.
func (c *Client) BoolDetails(ctx context.Context, key string, ec EvaluationContext, fallback bool) BoolDetails {
	return c.View(ctx).BoolDetails(key, ec, fallback)
}

// StringDetails returns the value of a string flag and how it came about.
func (c *Client) StringDetails(ctx context.Context, key string, ec EvaluationContext, fallback string) StringDetails {
	return c.View(ctx).StringDetails(key, ec, fallback)
}

// IntDetails returns the value of a number flag that is an integer, and how it came about.
func (c *Client) IntDetails(ctx context.Context, key string, ec EvaluationContext, fallback int64) IntDetails {
	return c.View(ctx).IntDetails(key, ec, fallback)
}

// FloatDetails returns the value of a number flag and how it came about.
func (c *Client) FloatDetails(ctx context.Context, key string, ec EvaluationContext, fallback float64) FloatDetails {
	return c.View(ctx).FloatDetails(key, ec, fallback)
}

// ObjectDetails returns the value of an object flag and how it came about.
func (c *Client) ObjectDetails(ctx context.Context, key string, ec EvaluationContext, fallback Value) ValueDetails {
	return c.View(ctx).ObjectDetails(key, ec, fallback)
}

// GetFlags returns the details of several flags, all from one snapshot. One
// that cannot be resolved spoils no other.
func (c *Client) GetFlags(ctx context.Context, ec EvaluationContext, keys ...string) []FlagDetails {
	return c.View(ctx).GetFlags(nil, ec, keys...)
}

// Handle returns a handle bound to one flag, whose reads skip the lookup of the
// key and always see the newest snapshot. Keep it for as long as the client.
func (c *Client) Handle(key string) *Handle { return newHandle(&c.current, key) }
