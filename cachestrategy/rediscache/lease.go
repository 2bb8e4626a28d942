package rediscache

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

var _ cachestrategy.Leaser = (*Cache)(nil)

// Lease implements cachestrategy.Leaser by a fourth key, which ends with the lease. To
// a cache that is read-only every process is on its own: all are granted what they ask for.
func (c *Cache) Lease(ctx context.Context, set string, d time.Duration) (bool, error) {
	if err := flags.CheckSetName(set); err != nil {
		return false, permanent("lease", set, err)
	}
	if c.readOnly {
		return true, nil
	}
	granted := false
	err := c.quick(ctx, func(ctx context.Context, client *redis.Client) error {
		err := client.SetArgs(ctx, leaseKey(c.prefix, set), "", redis.SetArgs{Mode: "NX", TTL: d}).Err()
		granted = err == nil
		if errors.Is(err, redis.Nil) {
			return nil // somebody has it
		}
		return err
	})
	if err != nil {
		return false, classify(ctx, "lease", set, err)
	}
	return granted, nil
}
