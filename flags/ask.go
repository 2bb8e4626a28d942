package flags

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	streamWait = 250 * time.Millisecond // a token is waited for on the stream so long
	askWait    = time.Second            // and so long for the primary's own answer
	askPause   = 100 * time.Millisecond // between questions for tokens: they come from anywhere, and must not become load
	tryPause   = time.Second            // a request that could not have a token does not try again for so long
)

// awaitStream waits until the stream has brought all that r demands, of which t is lacking.
func (c *Client) awaitStream(ctx context.Context, r *request, t Token) bool {
	if known := c.keeper.knownLineage(); known != "" && !compatible(t.Lineage, known) || !c.keeper.have().Before(t.Version) {
		return false // of another history or an older epoch: no stream brings that
	}
	deadline := time.NewTimer(streamWait)
	defer deadline.Stop()
	for c.primary.streaming.Load() {
		changed := c.keeper.next()
		if c.unmet(r, c.current.Load().snap) == nil {
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
	sent  atomic.Uint64
	epoch atomic.Uint64 // one more than the newest epoch of the set that an answer confirmed
	last  question      // guarded by the layer's lock
}

// question is one that has ended.
type question struct {
	number uint64
	began  time.Time
	err    error
	held   bool // answered from what the layer held, when it could not ask its own origin
}

// good reports whether a read may rely on the answer.
func (q *question) good(fresh bool) bool { return q.err == nil && !(fresh && q.held) }

// ask makes sure that what is held is no older than what l had at some instant after the
// first before questions were sent. Callers that wait here together are answered by one: each that gets its
// turn looks whether it was asked meanwhile, well or badly. Counting needs no clock.
func (c *Client) ask(ctx context.Context, l *layer, fresh bool, before uint64) bool {
	if _, err := c.trouble.get(); c.opts.guards.Below && fallsThrough(err) {
		l = c.secondary
	}
	if !l.readable() {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	for l.lockWait(ctx) == nil {
		last := &c.questions.last
		if last.number > before {
			defer l.unlock()
			return last.good(fresh)
		}
		pause := c.askPause(l, fresh)
		if pause <= 0 {
			return c.send(ctx, l, fresh)
		}
		l.unlock()
		sleep(ctx, pause)
	}
	return false
}

// askPause says how long a question has to wait. Those that a gate refuses are no load.
func (c *Client) askPause(l *layer, fresh bool) time.Duration {
	if state, _ := l.Gate.State(); fresh || state != GateClosed || c.opts.guards.Pace {
		return 0
	}
	return askPause - time.Since(c.questions.last.began)
}

// send asks l, whose lock the caller holds, and waits for the answer. The load itself is
// the client's: a caller that leaves must not spoil it for the others, nor count as a failure of the primary.
func (c *Client) send(ctx context.Context, l *layer, fresh bool) bool {
	answer := make(chan question, 1)
	started := c.spawn(func() {
		defer l.unlock()
		q := question{number: c.questions.sent.Add(1), began: time.Now()}
		q.err = c.pullLocked(c.ctx, l)
		if q.held = l.secondhand.Load(); q.good(true) {
			c.noteEpoch(l)
		}
		c.questions.last = q
		answer <- q
	})
	if !started {
		l.unlock()
		return false
	}
	select {
	case q := <-answer:
		return q.good(fresh)
	case <-ctx.Done():
		return false
	}
}

// noteEpoch remembers that l has confirmed the epoch of what is held: tokens of older
// ones need not be asked about again.
func (c *Client) noteEpoch(l *layer) {
	if seen, held := l.stats.newest(), c.keeper.have(); seen.Lineage == held.Lineage && seen.Epoch == held.Epoch {
		c.questions.epoch.Store(held.Epoch + 1)
	}
}

// origin returns the layer whose answers are the truth.
func (c *Client) origin() *layer {
	if c.primary.readable() {
		return c.primary
	}
	return c.secondary
}
