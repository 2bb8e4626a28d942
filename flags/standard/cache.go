package standard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/redact"
)

// cacheLayer is a cache as a layer of a client: an entry that is not there is a
// miss, an answer like any other, and no reason to doubt the cache.
type cacheLayer struct{ *cachestrategy.Layer }

func (l cacheLayer) Head(ctx context.Context, set string) (flags.Head, error) {
	h, err := l.Layer.Head(ctx, set)
	return h, miss(err)
}

func (l cacheLayer) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	u, err := l.Layer.Fetch(ctx, set, have)
	return u, miss(err)
}

func missed(err error) bool { return errors.Is(err, cachestrategy.ErrMiss) }

func miss(err error) error {
	if missed(err) {
		return &flags.SourceError{Class: flags.ClassNotFound, Op: "cache", Err: err}
	}
	return err
}

// openedCache is the strategy that Config.Cache names, and what guards it.
type openedCache struct {
	cachestrategy.Strategy
	gate    flags.Gate
	timeout time.Duration // to the first answer
	near    bool          // it has a memory of this process, which is written to whatever else is not
}

// openCache opens the strategy that Config.Cache names.
func (c *Config) openCache() (openedCache, error) {
	breaker := c.newGate("cache", driver{redacted: redact.URL(c.Cache)})
	o := openedCache{gate: breaker, timeout: cmp.Or(c.CacheTimeout, 100*time.Millisecond)}
	r := cachestrategy.NewRegistry()
	r.Register("memory", func(url string) (s cachestrategy.Strategy, err error) {
		o.near = true
		if !c.shareable("memory") {
			return memorycache.Open(url)
		}
		o.timeout = max(o.timeout, leadTime+200*time.Millisecond) // clients that share it wait for one another
		return memories.get(c, url)
	})
	r.Register("redis", func(url string) (s cachestrategy.Strategy, err error) {
		s, err = c.openRedis(url, &o, breaker)
		return s, err
	})
	for name, factory := range c.Strategies {
		r.Register(name, factory)
	}
	var err error
	o.Strategy, err = r.Open(c.Cache)
	if unknown := (*cachestrategy.UnknownError)(nil); errors.As(err, &unknown) {
		return o, err
	}
	if err != nil {
		return o, fmt.Errorf("%w: cache: %w", errConfig, err)
	}
	return o, nil
}

// nearBytes bounds the memory below a Redis. It holds what the clients hold anyway,
// so most of it is shared with them.
const nearBytes = "16MiB"

// openRedis opens a Redis with a memory below it, which answers while Redis cannot:
// of the size that the parameter memory says, or none at memory=0. The breaker then is
// around Redis alone.
func (c *Config) openRedis(url string, o *openedCache, breaker gate) (cachestrategy.Strategy, error) {
	url, size, err := cutParameter(url, "memory")
	if err != nil {
		return nil, err
	}
	far, err := rediscache.Open(url, &rediscache.Options{Timeout: c.CacheTimeout, TLS: c.TLS, Dial: c.Dial, ReadOnly: c.CacheReadOnly})
	if err != nil {
		return nil, err
	}
	if size == "0" {
		return c.led(far, o), nil
	}
	near, err := c.openNear(cmp.Or(size, nearBytes))
	if err != nil {
		_ = far.Close() // never used
		return nil, err
	}
	tiered := cachestrategy.NewTiered(far, near, &cachestrategy.TieredOptions{Gate: breaker, Timeout: o.timeout, Logger: c.Logger})
	o.gate, o.near = open{breaker}, true
	o.timeout *= 2 // the breaker's budget ends first, so that it is Redis that was slow and not the caller who left
	return c.led(tiered, o), nil
}

// led keeps processes that start together with nothing in the cache from loading the
// set all at once. Who may not write cannot lead.
func (c *Config) led(s cachestrategy.Strategy, o *openedCache) cachestrategy.Strategy {
	if cachestrategy.IsReadOnly(s) {
		return s
	}
	o.timeout = max(o.timeout, leadTime+200*time.Millisecond)
	return cachestrategy.Lead(s, leadTime)
}

func (c *Config) openNear(size string) (cachestrategy.Strategy, error) {
	url := "memory:?max-bytes=" + size
	if c.shareable("redis") {
		u, err := memories.get(c, url)
		if err != nil {
			return nil, err
		}
		return u.near(), nil
	}
	return memorycache.Open(url)
}

// cutParameter takes one parameter out of a URL, which may have a password in it and
// so is not parsed here.
func cutParameter(url, name string) (rest, value string, err error) {
	base, query, ok := strings.Cut(url, "?")
	if !ok {
		return url, "", nil
	}
	kept := []string{}
	for part := range strings.SplitSeq(query, "&") {
		v, found := strings.CutPrefix(part, name+"=")
		switch {
		case !found:
			kept = append(kept, part)
		case value != "" || v == "":
			return "", "", fmt.Errorf("%s: want one size such as 64MiB, or 0", name)
		default:
			value = v
		}
	}
	if len(kept) > 0 {
		base += "?" + strings.Join(kept, "&")
	}
	return base, value, nil
}

// open is the gate of a layer whose strategy has the breaker inside, around the part
// that can fail. It shows the breaker's state and refuses nothing itself.
type open struct{ gate }

func (open) Run(ctx context.Context, budget time.Duration, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	return fn(ctx)
}

func (open) RunIfClosed(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }

// Report does nothing: the strategy's own calls have been counted.
func (open) Report(context.Context, error) {}

// cacheLayerOf returns the cache as a layer of the client.
func (c *Config) cacheLayerOf(o openedCache) flags.Layer {
	layer := cacheLayer{cachestrategy.NewLayer(o.Strategy, &cachestrategy.LayerOptions{
		Lifetimes:     c.lifetimes(),
		Authoritative: anyLineage, // the client offers nothing before an origin has confirmed its lineage
		YieldToDenial: true,
		Logger:        c.Logger,
	})}
	l := flags.Layer{Source: layer, Sink: layer, Timeout: o.timeout, TTL: c.CacheTTL, Gate: o.gate}
	if !o.near && (c.CacheReadOnly || cachestrategy.IsReadOnly(o.Strategy)) {
		l.Sink = nil
	}
	return l
}

func anyLineage(flags.Lineage) bool { return true }

func (c *Config) lifetimes() cachestrategy.Lifetimes {
	return cachestrategy.Lifetimes{
		Sets: c.CacheLifetimes,
		Base: cachestrategy.Lifetime{TTL: c.CacheTTL, Margin: c.CacheMarginTime, Part: c.CacheMargin},
	}
}
