package standard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// Config says where flags come from. Every field may be left out; without any
// layer, reads give their defaults.
type Config struct {
	// Set is the flag set to follow. Default "default".
	Set string
	// Primary is followed as it changes: grpc://HOST:PORT or rest+http://HOST:PORT (a
	// router; with TLS grpcs and rest+https), mongodb://HOST/DATABASE, or file:PATH
	// (a flagd file, watched).
	Primary string
	// Secondary is read while the primary cannot serve: a URL as for Primary.
	Secondary string
	// Cache shortens starts and outages: redis://HOST:PORT?prefix=NAME, with a memory of
	// this process below it for when Redis cannot be asked (memory=16MiB, 0 for none) and
	// access=read where it must not be written to; memory:?max-entries=10000&max-bytes=64MiB;
	// or the name of a strategy in Strategies. Memories are shared by all clients of the
	// process with the same Primary, Secondary, Cache and credentials.
	Cache string
	// LastKnownGood is the path of a file that holds the newest set for the next start.
	LastKnownGood string

	// Breaker is how the breakers of primary, secondary and cache work.
	Breaker Breaker

	PrimaryTimeout   time.Duration // to the primary's first answer; default 1 s, over REST 5 s
	SecondaryTimeout time.Duration // to the secondary's first answer; default 1 s, over REST 5 s
	CacheTimeout     time.Duration // to the cache's answer; default 100 ms
	CacheTTL         time.Duration // how long a set is good for, from when its origin vouched for it; default 60 s
	CacheMargin      float64       // part of CacheTTL, at its end, in which an answer is stale already; default 0.1, at most 30 s
	CacheMarginTime  time.Duration // the same as a duration, instead of CacheMargin; below CacheTTL
	MaxStaleness     time.Duration // age from which answers are stale, and defaults to strict reads; default 0: none
	Strict           bool          // every read is strict: past MaxStaleness all give their defaults. Default false: serve for ever, reported
	StartTimeout     time.Duration // how long New waits for a first set; default 1.5 s

	// CacheLifetimes are for single sets, by name; "default" is for those without an entry.
	// The order: an entry of the set's own, the set's metadata (cacheTTL, cacheMargin), the
	// entry "default", CacheTTL with its margin.
	CacheLifetimes map[string]cachestrategy.Lifetime
	// CacheReadOnly keeps everything from being written to a cache that other processes
	// share. A Redis that says itself that this user may not is left in peace, too.
	CacheReadOnly bool

	APIKey string // for routers
	// APIKeyFile names a file with the key, TLSCert, TLSKey and TLSCA PEM files for grpcs and
	// rest+https, instead of APIKey and TLS. They are read again when the files change, at the
	// latest a second later; calls and connections from then on use them.
	APIKeyFile             string
	TLSCert, TLSKey, TLSCA string
	TLS                    *tls.Config    // for grpcs and rest+https; default: the system's roots
	Logger                 *slog.Logger   // default slog.Default()
	Observer               flags.Observer // hooks for metrics
	Hooks                  []flags.Hook   // that take part in reads, first to last

	// Dial replaces the dialling of routers and Redis, through a proxy say, and the resolving of
	// their names. Where it is set, TLS to Redis is its business. MongoDB is dialled by its own
	// driver. Default: TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Strategies are further cache strategies by name. One called memory or redis
	// replaces the built-in.
	Strategies map[string]cachestrategy.Factory

	key     func() string      // of APIKeyFile; nil: none
	tlsFrom func() *tls.Config // of TLSCert, TLSKey, TLSCA; nil: none
}

// Breaker configures circuit breakers. The zero value is for production.
type Breaker struct {
	Failures    int           // in a row that open it; default 4
	Cooldown    time.Duration // first time open, doubled by each failed probe; default 15 s
	MaxCooldown time.Duration // end of the doubling; default 60 s
}

var errConfig = errors.New("standard: config")

func (c Config) check() (Config, error) {
	for name, d := range map[string]time.Duration{
		"PrimaryTimeout": c.PrimaryTimeout, "SecondaryTimeout": c.SecondaryTimeout, "CacheTimeout": c.CacheTimeout,
		"CacheTTL": c.CacheTTL, "CacheMarginTime": c.CacheMarginTime, "MaxStaleness": c.MaxStaleness, "StartTimeout": c.StartTimeout,
		"Breaker.Cooldown": c.Breaker.Cooldown, "Breaker.MaxCooldown": c.Breaker.MaxCooldown,
	} {
		if d < 0 {
			return c, fmt.Errorf("%w: %s is %v; want 0 for the default, or more", errConfig, name, d)
		}
	}
	if c.CacheMargin < 0 || c.CacheMargin >= 1 {
		return c, fmt.Errorf("%w: CacheMargin is %v; want a fraction of 0 to 1", errConfig, c.CacheMargin)
	}
	if c.Breaker.Failures < 0 {
		return c, fmt.Errorf("%w: Breaker.Failures is %d; want 0 for the default, or more", errConfig, c.Breaker.Failures)
	}
	if c.Set == "" {
		c.Set = "default"
	}
	if err := flags.CheckSetName(c.Set); err != nil {
		return c, fmt.Errorf("%w: %w", errConfig, err)
	}
	if c.CacheTTL == 0 {
		c.CacheTTL = cachestrategy.DefaultTTL
	}
	if c.CacheMargin == 0 {
		c.CacheMargin = cachestrategy.DefaultMargin
	}
	if err := c.lifetimes().Check(); err != nil {
		return c, fmt.Errorf("%w: CacheTTL, CacheMargin, CacheLifetimes: %w", errConfig, err)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, c.readFiles()
}
