package flags

import (
	"context"
	"sync/atomic"
	"time"
)

// unmetReads counts the reads whose demand could not be met, by what they wanted, and
// has them told, once in ten seconds each: a token comes from anywhere, and one that nobody
// can meet would go unnoticed. It takes no lock, since it is met on reads.
type unmetReads struct {
	counts [missingKinds]atomic.Uint64
	told   [missingKinds]atomic.Int64 // when last, since the client began; 0: never
	began  time.Time
}

func (u *unmetReads) count(ctx context.Context, c *Client, miss *shortfall) {
	n := u.counts[miss.what].Add(1)
	if miss.what == missingAge {
		return // the outage behind it is told already
	}
	told := &u.told[miss.what]
	last, now := told.Load(), int64(time.Since(u.began))+1
	if last != 0 && time.Duration(now-last) < warnEvery || !told.CompareAndSwap(last, now) {
		return
	}
	c.opts.Logger.WarnContext(ctx, "flags: a read's demand could not be met", "set", c.opts.Set,
		"wanted", miss.what.String(), "cause", miss, "reads", n)
}

// status returns what was counted, nil where that is nothing.
func (u *unmetReads) status() map[string]uint64 {
	var counts map[string]uint64
	for what := range missingKinds {
		if n := u.counts[what].Load(); n > 0 {
			if counts == nil {
				counts = map[string]uint64{}
			}
			counts[what.String()] = n
		}
	}
	return counts
}
