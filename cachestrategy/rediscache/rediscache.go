package rediscache

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// Cache is a cachestrategy.Strategy in Redis.
type Cache struct {
	client  *redis.Client // one pool, with the timeout of a first answer
	patient *redis.Client // the same pool, with that of a bulk
	prefix  string
	timeout time.Duration
	wait    time.Duration // for a bulk
	hard    time.Duration
	script  *redis.Script

	readOnly bool

	// damaged names the sets whose entry this process found to be damaged and has
	// not repaired. The script cannot see damage: it doesn't decode.
	damaged sync.Map
}

var _ cachestrategy.Strategy = (*Cache)(nil)

// Open returns the cache that a URL such as
//
//	redis://user:password@cache:6379/0?prefix=holdfast&timeout=100ms&access=read
//
// names. It does not connect; the error is about the URL only, and doesn't repeat
// the password. What o says wins over the URL. With access=read nothing is ever written.
func Open(rawURL string, o *Options) (*Cache, error) {
	var own Options
	if o != nil {
		own = *o
	}
	t, err := parseURL(rawURL, &own)
	if err != nil {
		return nil, err
	}
	own = own.withDefaults()
	client := redis.NewClient(clientOptions(t, &own))
	return &Cache{
		client: client, patient: client.WithTimeout(own.BulkTimeout), prefix: own.Prefix,
		timeout: own.Timeout, wait: own.BulkTimeout, hard: own.Hard, script: own.script,
		readOnly: own.ReadOnly,
	}, nil
}

// Get implements cachestrategy.Strategy.
func (c *Cache) Get(ctx context.Context, q cachestrategy.Query) (cachestrategy.Entry, error) {
	if err := flags.CheckSetName(q.Set); err != nil {
		return cachestrategy.Entry{}, permanent("get", q.Set, err)
	}
	e, err := c.get(ctx, q)
	if errors.Is(err, cachestrategy.ErrDamaged) {
		c.damaged.Store(q.Set, struct{}{})
	}
	if err != nil {
		return cachestrategy.Entry{}, classify(ctx, "get", q.Set, err)
	}
	return e, nil
}

// ReadOnly reports whether the cache was opened for reading alone.
func (c *Cache) ReadOnly() bool { return c.readOnly }

func (c *Cache) get(ctx context.Context, q cachestrategy.Query) (cachestrategy.Entry, error) {
	wantTail := !q.HeadOnly && !q.Have.Version.IsZero()
	s, err := c.read(ctx, c.quick, q.Set, wantTail, q.Have.Revision, headFields...)
	if err != nil {
		return cachestrategy.Entry{}, err
	}
	e := s.entry()
	past := q.Have.Lineage == s.head.Lineage && s.head.Version.Before(q.Have.Version)
	if q.HeadOnly || past || cachestrategy.SameHead(q.Have, s.head) {
		return e, nil
	}
	if q.Have.Lineage == s.head.Lineage && q.Have.Set == q.Set {
		if commits, ok := s.commits(q.Have); ok {
			e.Commits = commits
			return e, nil
		}
	}
	// Entry and tail are two reads, and a writer may have renewed the checkpoint in
	// between; it will not have done so twice.
	for range 2 {
		if e, err = c.getWhole(ctx, q.Set); !errors.Is(err, cachestrategy.ErrDamaged) {
			break
		}
	}
	return e, err
}

func (c *Cache) getWhole(ctx context.Context, set string) (cachestrategy.Entry, error) {
	s, err := c.read(ctx, c.bulk, set, true, 0, wholeFields...)
	if err != nil {
		return cachestrategy.Entry{}, err
	}
	e := s.entry()
	e.Checkpoint, e.Commits, err = s.whole()
	return e, err
}

// read takes fields of the entry and, if asked for, the tail after a revision, in
// one round trip.
func (c *Cache) read(ctx context.Context, call caller, set string, tail bool, after uint64, fields ...string) (stored, error) {
	keys := c.keys(set)
	var entry *redis.SliceCmd
	var members *redis.StringSliceCmd
	err := call(ctx, func(ctx context.Context, client *redis.Client) error {
		pipe := client.Pipeline()
		entry = pipe.HMGet(ctx, keys[0], fields...)
		if tail { // one more than a tail can have: whatever else is under the key, this is all of it that is read
			members = pipe.ZRangeByLex(ctx, keys[1], &redis.ZRangeBy{Min: tailFrom(after), Max: "+", Count: maxTail + 1})
		}
		_, err := pipe.Exec(ctx)
		return err
	})
	if err != nil {
		return stored{}, err
	}
	s, err := parseEntry(set, entry.Val())
	if tail && err == nil {
		s.tail = members.Val()
	}
	return s, err
}

// caller runs fn against Redis within a budget.
type caller func(ctx context.Context, fn func(context.Context, *redis.Client) error) error

// quick bounds everything up to the answer, connecting included.
func (c *Cache) quick(ctx context.Context, fn func(context.Context, *redis.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return fn(ctx, c.client)
}

func (c *Cache) bulk(ctx context.Context, fn func(context.Context, *redis.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	return fn(ctx, c.patient)
}

// Invalidate implements cachestrategy.Strategy.
func (c *Cache) Invalidate(ctx context.Context, set string) error {
	if err := flags.CheckSetName(set); err != nil {
		return permanent("invalidate", set, err)
	}
	if c.readOnly {
		return &flags.SourceError{Class: flags.ClassDenied, Op: "rediscache: invalidate " + set, Err: cachestrategy.ErrReadOnly}
	}
	keys := c.keys(set)
	err := c.quick(ctx, func(ctx context.Context, client *redis.Client) error {
		return client.Unlink(ctx, keys[0], keys[1]).Err()
	})
	if err != nil {
		return classify(ctx, "invalidate", set, err)
	}
	return nil
}

// Close implements cachestrategy.Strategy.
func (c *Cache) Close() error {
	if err := c.client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return classify(context.Background(), "close", c.prefix, err)
	}
	return nil
}

func (c *Cache) keys(set string) [3]string { return keyNames(c.prefix, set) }
