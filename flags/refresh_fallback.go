package flags

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	coldTries   = 3                         // a process that holds nothing asks so often in a hurry
	afterCut    = cutSpread + 5*minimumWait // when a primary that cut its stream has been tried again
	firstSpread = 5 * time.Second           // a process that holds a set reads the secondary by then for the first time, at random
	warnEvery   = 10 * time.Second
)

// trouble is whether the primary can serve, as the fallback needs to know it.
type trouble struct {
	mu      sync.Mutex
	err     error // nil: it serves, or has not been asked yet
	changed chan struct{}
}

func (t *trouble) set(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.err
	t.err = err
	if (was == nil) != (err == nil) || fallsThrough(was) != fallsThrough(err) {
		close(t.changed)
		t.changed = make(chan struct{})
	}
}

func (t *trouble) clear() { t.set(nil) }

// get returns the trouble there is, and what is closed when that changes.
func (t *trouble) get() (changed <-chan struct{}, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed, t.err
}

// fallbackLoop reads the layers below while the primary cannot serve: the one
// rule is fallsThrough. It asks for heads at a constant cadence, whatever the
// number of reads, so that an outage of the primary never becomes a flood elsewhere.
func (c *Client) fallbackLoop(ctx context.Context) {
	if !c.primary.readable() && !c.secondary.readable() && !c.cache.readable() {
		return
	}
	for ctx.Err() == nil {
		changed, err := c.trouble.get()
		if c.primary.readable() && !fallsThrough(err) {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		if !c.keeper.have().Version.IsZero() {
			// Not before the primary had its chance to say why it cut the stream: what it answers
			// may be something that the layers below must not be asked about.
			c.waitOr(ctx, changed, max(afterCut+rand.N(firstSpread-afterCut), c.secondary.stats.due())) //nolint:gosec // spreads load, guards nothing
		}
		c.serveBelow(ctx, changed)
	}
}

// serveBelow reads the layers below until the primary serves again.
func (c *Client) serveBelow(ctx context.Context, changed <-chan struct{}) {
	for cold := 0; ctx.Err() == nil; {
		now, err := c.trouble.get()
		if c.primary.readable() && (now != changed || !fallsThrough(err)) {
			return
		}
		below := c.readBelow(ctx)
		if c.primary.readable() {
			c.warn(ctx, err)
		}
		pause := pollEvery + rand.N(pollEvery/5) //nolint:gosec // spreads load, guards nothing
		if fallsThrough(below) && cold < coldTries && c.keeper.have().Version.IsZero() {
			cold++
			pause = jitter(retryEvery) // nothing at all can be served yet
		}
		c.waitOr(ctx, changed, pause)
	}
}

// readBelow asks the secondary, and the cache where that cannot serve. A cache
// may know more than a process that has nobody left to ask.
func (c *Client) readBelow(ctx context.Context) error {
	err := errRefused
	if c.secondary.readable() {
		err = c.pull(ctx, c.secondary)
	}
	if fallsThrough(err) && c.cache.readable() {
		if c.pull(ctx, c.cache) == nil {
			return nil
		}
	}
	return err // a cache that has nothing must not hide that the secondary failed
}

func (c *Client) waitOr(ctx context.Context, changed <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-changed:
	case <-ctx.Done():
	}
}

// warn tells that the primary does not serve, and what does, at most once in ten seconds.
func (c *Client) warn(ctx context.Context, cause error) {
	c.warning.Lock()
	defer c.warning.Unlock()
	if ctx.Err() != nil || !c.warned.IsZero() && time.Since(c.warned) < warnEvery {
		return
	}
	c.warned = time.Now()
	p := c.current.Load()
	age := time.Duration(0)
	if !p.asOf.IsZero() {
		age = time.Since(p.asOf).Round(time.Millisecond)
	}
	c.opts.Logger.WarnContext(ctx, "flags: primary does not serve", "set", c.opts.Set, "cause", cause,
		"answering", p.layer, "token", View{p}.Token().String(), "freshness", p.freshness.String(), "age", age)
}

// pull brings what is held up to a layer: the head, then only what is missing.
func (c *Client) pull(ctx context.Context, l *layer) error {
	if !l.lock() {
		return errBusy
	}
	defer l.unlock()
	return c.pullLocked(ctx, l)
}

func (c *Client) pullLocked(ctx context.Context, l *layer) (err error) {
	if c.opts.guards.Set {
		_ = l.guard(ctx, l.Timeout+2*bulkTimeout, func(ctx context.Context) error { err = c.pullOnce(ctx, l); return nil })
		return err
	}
	return l.guard(ctx, l.Timeout+2*bulkTimeout, func(ctx context.Context) error { return c.pullOnce(ctx, l) })
}

// pullOnce is one call to the gate: an answered head is no success where what follows
// it is of no use, or the gate of a layer that has only bad sets would never open.
func (c *Client) pullOnce(ctx context.Context, l *layer) error {
	began := time.Now()
	head, asOf, err := l.head(ctx)
	if err != nil {
		return err
	}
	l.secondhand.Store(asOf.Before(began))
	if l.origin && c.keeper.confirm(l, head, asOf) {
		return nil // only an origin's head says how things are now; a copy's age is in what it delivers
	}
	switch err := c.keeper.wants(l, head); {
	case errors.Is(err, errOlder):
		return nil // behind, and in good health
	case err != nil: // a good answer of no use to us
		return &SourceError{Class: ClassRefused, Op: l.Name, Err: fmt.Errorf("%w: %w", errUnfit, err)}
	}
	err = c.fetchInto(ctx, l, c.keeper.have())
	if err == nil && c.keeper.have().Before(head.Version) {
		// Fresh promises what the head said, and several servers may stand behind one name.
		err = unfit(l, fmt.Errorf("%w: the head was at %s", errOlder, head.Token()))
	}
	return err
}

func (c *Client) fetchInto(ctx context.Context, l *layer, have Head) error {
	u, err := l.fetch(ctx, have)
	if err != nil {
		return err
	}
	err = c.keeper.install(l, u)
	if errors.Is(err, ErrGap) || errors.Is(err, ErrDigest) {
		// Perhaps only the way from have is broken: the whole set may still be good.
		if u, err = l.fetch(ctx, Head{Set: c.opts.Set}); err != nil {
			return err
		}
		err = c.keeper.install(l, u)
	}
	return unfit(l, ignoreOlder(err))
}

// unfit makes a failure of the layer out of why its set was not installed.
func unfit(l *layer, err error) error {
	var classified *SourceError
	if err == nil || errors.As(err, &classified) {
		return err
	}
	return &SourceError{Class: ClassTransient, Op: l.Name, Err: fmt.Errorf("%w: %w", errUnfit, err)}
}

// ignoreOlder: a layer that is behind is healthy, and was counted.
func ignoreOlder(err error) error {
	if errors.Is(err, errOlder) {
		return nil
	}
	return err
}
