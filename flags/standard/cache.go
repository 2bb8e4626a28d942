package standard

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
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

func (c *Config) openMemory(url string) (cachestrategy.Strategy, error) {
	if c.shareable() {
		return memories.get(c)
	}
	return memorycache.Open(url)
}

// openCache opens the strategy that Config.Cache names.
func (c *Config) openCache() (cachestrategy.Strategy, error) {
	r := cachestrategy.NewRegistry()
	r.Register("memory", c.openMemory)
	r.Register("redis", func(url string) (cachestrategy.Strategy, error) {
		return rediscache.Open(url, &rediscache.Options{Timeout: c.CacheTimeout, TLS: c.TLS, Dial: c.Dial})
	})
	for name, factory := range c.Strategies {
		r.Register(name, factory)
	}
	s, err := r.Open(c.Cache)
	if unknown := (*cachestrategy.UnknownError)(nil); errors.As(err, &unknown) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: cache: %w", errConfig, err)
	}
	return s, nil
}
