package rediscache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// Inspection is what an operator wants to know of an entry.
type Inspection struct {
	Entry     cachestrategy.Entry // the head and the instants; zero where there is none or it is damaged
	Err       error               // why Entry is zero: it wraps ErrMiss, ErrDamaged or ErrNewerFormat
	Bytes     int64               // of checkpoint and commits, as stored
	Commits   int64               // after the checkpoint
	Watermark flags.Token         // the newest version that was ever put; zero: none is known
	DroppedIn time.Duration       // until Redis drops the entry, written or not
}

// Inspect looks at the entry of a set without reading it whole. The error is one of
// reaching Redis; what is wrong with the entry is in the Inspection.
func (c *Cache) Inspect(ctx context.Context, set string) (Inspection, error) {
	if err := flags.CheckSetName(set); err != nil {
		return Inspection{}, permanent("inspect", set, err)
	}
	keys := c.keys(set)
	var (
		in     Inspection
		fields *redis.SliceCmd
		size   *redis.IntCmd
		tail   *redis.SliceCmd
		mark   *redis.StringCmd
		left   *redis.DurationCmd
	)
	err := c.quick(ctx, func(ctx context.Context, client *redis.Client) error {
		pipe := client.Pipeline()
		fields, size = pipe.HMGet(ctx, keys[0], headFields...), pipe.HStrLen(ctx, keys[0], "cp")
		tail, mark = pipe.HMGet(ctx, keys[0], "bytes", "count"), pipe.Get(ctx, keys[2])
		left = pipe.PTTL(ctx, keys[0])
		_, err := pipe.Exec(ctx)
		if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
			return nil // no mark, or somebody else's key; each answer is looked at below
		}
		return err
	})
	if err != nil {
		return in, classify(ctx, "get", set, err)
	}
	if err := fields.Err(); err != nil {
		in.Err = fmt.Errorf("%w: %w", cachestrategy.ErrDamaged, err)
	} else if s, err := parseEntry(set, fields.Val()); err != nil {
		in.Err = err
	} else {
		in.Entry = s.entry()
	}
	in.Watermark = parseMark(set, mark.Val())
	in.DroppedIn = max(left.Val(), 0)
	in.Bytes = size.Val()
	if counts := tail.Val(); len(counts) == 2 {
		in.Bytes += number(counts[0])
		in.Commits = number(counts[1])
	}
	return in, nil
}

func number(v any) int64 {
	text, _ := v.(string)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// parseMark reads what the script writes: lineage, version and digest.
func parseMark(set, text string) flags.Token {
	lineage, rest := cut(text, 8)
	epoch, rest := cut(rest, 1+revisionDigits)
	revision, _ := cut(rest, revisionDigits)
	if len(revision) != revisionDigits || epoch[0] != ' ' {
		return flags.Token{}
	}
	e, errEpoch := strconv.ParseUint(epoch[1:], 10, 64)
	r, errRevision := strconv.ParseUint(revision, 10, 64)
	if errEpoch != nil || errRevision != nil {
		return flags.Token{}
	}
	return flags.Token{Set: set, Lineage: flags.Lineage(lineage), Version: flags.Version{Epoch: e, Revision: r}}
}
