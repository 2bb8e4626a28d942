package flags

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	streamWait = 250 * time.Millisecond // a token is waited for on the stream so long
	askWait    = time.Second            // and so long for the primary's own answer
)

// awaitStream waits until the stream has brought all that r demands, of which t is lacking.
func (c *Client) awaitStream(ctx context.Context, r *request, t Token) bool {
	if known := c.keeper.knownLineage(); known != "" && !compatible(t.Lineage, known) {
		return false // no stream brings this process another history
	}
	deadline := time.NewTimer(streamWait)
	defer deadline.Stop()
	for c.primary.streaming.Load() {
		changed := c.keeper.next()
		if _, unmet := r.unmet(c.opts.Set, c.current.Load().snap); !unmet {
			return true
		}
		select {
		case <-changed:
		case <-deadline.C:
			return false
		case <-ctx.Done():
			return false
		case <-c.done:
			return false
		}
	}
	return false
}

// questions numbers what the primary is asked for reads that demand it.
type questions struct {
	sent     atomic.Uint64
	answered uint64 // the newest that was; guarded by the layer's lock
}

// ask makes sure that what is held is no older than what the primary had at some
// instant after the first before questions were sent. Callers that wait here together are
// answered by one: each that gets its turn looks whether it was asked meanwhile. Counting needs no clock.
func (c *Client) ask(ctx context.Context, fresh bool, before uint64) bool {
	l := c.origin()
	if fresh && l != c.primary {
		return false // the secondary's word is not the primary's
	}
	if l == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	if l.lockWait(ctx) != nil {
		return false
	}
	if c.questions.answered > before {
		l.unlock()
		return true
	}
	// The load itself is the client's: a caller that leaves must not spoil it for
	// the others, nor count as a failure of the primary.
	answer := make(chan error, 1)
	started := c.spawn(func() {
		defer l.unlock()
		number := c.questions.sent.Add(1)
		err := c.pullLocked(c.ctx, l)
		if err == nil {
			c.questions.answered = number
		}
		answer <- err
	})
	if !started {
		l.unlock()
		return false
	}
	select {
	case err := <-answer:
		return err == nil
	case <-ctx.Done():
		return false
	}
}

// origin returns the layer whose answers are the truth, or nil.
func (c *Client) origin() *layer {
	switch {
	case c.primary.readable():
		return c.primary
	case c.secondary.readable():
		return c.secondary
	default:
		return nil
	}
}
