package rediscache_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
)

// spoil makes a damage of a function on the keys of a set.
func spoil(fn func(ctx context.Context, c *redis.Client, entry, tail, mark string) error) func(testing.TB, cachestrategy.Strategy, string) {
	return func(t testing.TB, s cachestrategy.Strategy, set string) {
		t.Helper()
		c := s.(*rediscache.Cache)
		keys := c.Keys(set)
		if err := fn(t.Context(), c.Client(), keys[0], keys[1], keys[2]); err != nil {
			t.Fatalf("damage: %v", err)
		}
	}
}

// flip changes a byte in the middle of a field of the entry.
func flip(field string) func(testing.TB, cachestrategy.Strategy, string) {
	return spoil(func(ctx context.Context, c *redis.Client, entry, _, _ string) error {
		value, err := c.HGet(ctx, entry, field).Bytes()
		if err != nil {
			return err
		}
		value[len(value)/2] ^= 1
		return c.HSet(ctx, entry, field, value).Err()
	})
}

var damages = map[string]func(testing.TB, cachestrategy.Strategy, string){
	"a byte of the checkpoint": flip("cp"),
	"a byte of the head":       flip("head"),
	"no checkpoint": spoil(func(ctx context.Context, c *redis.Client, entry, _, _ string) error {
		return c.HDel(ctx, entry, "cp").Err()
	}),
	"a checkpoint cut off": spoil(func(ctx context.Context, c *redis.Client, entry, _, _ string) error {
		value, err := c.HGet(ctx, entry, "cp").Result()
		if err != nil {
			return err
		}
		return c.HSet(ctx, entry, "cp", value[:len(value)/2]).Err()
	}),
	"an instant that is none": spoil(func(ctx context.Context, c *redis.Client, entry, _, _ string) error {
		return c.HSet(ctx, entry, "end", "soon").Err()
	}),
	"a byte of a commit": spoil(func(ctx context.Context, c *redis.Client, _, tail, _ string) error {
		members, err := c.ZRange(ctx, tail, 0, 0).Result()
		if err != nil {
			return err
		}
		changed := []byte(members[0])
		changed[len(changed)-30] ^= 1
		if err := c.ZRem(ctx, tail, members[0]).Err(); err != nil {
			return err
		}
		return c.ZAdd(ctx, tail, redis.Z{Member: changed}).Err()
	}),
	"a commit lost": spoil(func(ctx context.Context, c *redis.Client, _, tail, _ string) error {
		return c.ZPopMin(ctx, tail).Err()
	}),
	"the last commit lost": spoil(func(ctx context.Context, c *redis.Client, _, tail, _ string) error {
		return c.ZPopMax(ctx, tail).Err()
	}),
	"the tail evicted":  spoil(func(ctx context.Context, c *redis.Client, _, tail, _ string) error { return c.Del(ctx, tail).Err() }),
	"the entry evicted": spoil(func(ctx context.Context, c *redis.Client, entry, _, _ string) error { return c.Del(ctx, entry).Err() }),
	"everything lost":   spoil(func(ctx context.Context, c *redis.Client, _, _, _ string) error { return c.FlushDB(ctx).Err() }),
	"a foreign entry": spoil(func(ctx context.Context, c *redis.Client, entry, _, _ string) error {
		return c.Set(ctx, entry, "mine", 0).Err()
	}),
	"a foreign tail": spoil(func(ctx context.Context, c *redis.Client, _, tail, _ string) error {
		return c.Set(ctx, tail, "mine", 0).Err()
	}),
	"foreign everywhere": spoil(func(ctx context.Context, c *redis.Client, entry, tail, mark string) error {
		if err := c.Del(ctx, entry, tail, mark).Err(); err != nil {
			return err
		}
		for _, key := range []string{entry, tail, mark} {
			if err := c.RPush(ctx, key, "mine").Err(); err != nil {
				return err
			}
		}
		return nil
	}),
	"a hash of somebody else's": spoil(func(ctx context.Context, c *redis.Client, entry, _, _ string) error {
		if err := c.Del(ctx, entry).Err(); err != nil {
			return err
		}
		return c.HSet(ctx, entry, "version", "12", "head", "x").Err()
	}),
}
