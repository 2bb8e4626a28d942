package standard

import (
	"context"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/filestore"
)

// New returns a client with the layers of cfg, which Close frees again. A layer that is
// down is no error: the client serves as soon as any layer delivers. Errors are
// about cfg alone. ctx bounds the wait for a first set, not the client.
func New(ctx context.Context, cfg Config) (*flags.Client, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	opts, err := cfg.chain(ctx)
	if err == nil {
		var client *flags.Client
		if client, err = flags.New(ctx, opts); err == nil {
			return client, nil
		}
	}
	for _, c := range opts.Owned {
		_ = c.Close() // nothing was ever sent through them
	}
	return nil, err
}

// chain assembles the layers. This is the whole ladder, in one place:
//
//	disk       last-known-good file   read at once at start         written on every change, at most once a second
//	cache      Redis, memory, yours   then, behind a breaker        written on every change, renewed before it expires
//	primary    router, Mongo, file    followed, behind a breaker    decides which lineage is the right one
//	secondary  router, Mongo, file    read when the primary cannot serve; tried out every minute; its own breaker
//
// All clients of the process share what stands before a database: connections, calls under
// way and a bulkhead, so that Mongo sees one small reader whatever the process does.
//
// What any of them delivers is installed only if it is newer and adds up; reads
// come from memory and know nothing of all this.
func (c *Config) chain(ctx context.Context) (flags.Options, error) {
	o := flags.Options{
		Set:          c.Set,
		Lifetime:     c.lifetimes().OfSnapshot,
		MaxStaleness: c.MaxStaleness,
		Strict:       c.Strict,
		StartTimeout: c.StartTimeout,
		Logger:       c.Logger,
		Observer:     c.Observer,
		Hooks:        c.Hooks,
	}
	if c.LastKnownGood != "" {
		lkg := filestore.NewLastKnownGood(c.LastKnownGood, c.Set, &filestore.LKGOptions{Logger: c.Logger})
		o.Owned = append(o.Owned, lkg)
		o.Disk = flags.Layer{Source: lkg, Sink: lkg}
	}
	if c.Cache != "" {
		cache, err := c.openCache()
		if err != nil {
			return o, err
		}
		o.Owned = append(o.Owned, cache)
		o.Cache = c.cacheLayerOf(cache)
	}
	if c.Primary != "" {
		d, err := c.openDriver(ctx, "primary", c.Primary, c.PrimaryTimeout)
		if err != nil {
			return o, err
		}
		o.Owned = append(o.Owned, d)
		o.Primary = flags.Layer{Source: d.origin, Watcher: d.origin, Timeout: d.timeout, Gate: c.newGate("primary", d)}
		if d.polled {
			o.Primary.Watcher, o.Primary.Poll = nil, time.Second
		}
	}
	if c.Secondary != "" {
		d, err := c.openDriver(ctx, "secondary", c.Secondary, c.SecondaryTimeout)
		if err != nil {
			return o, err
		}
		o.Owned = append(o.Owned, d)
		o.Secondary = flags.Layer{Source: d.origin, Timeout: d.timeout, Gate: c.newGate("secondary", d)}
	}
	return o, nil
}
