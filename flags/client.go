package flags

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-flags/holdfast/internal/sabotage"
)

// Client answers flag reads from memory and keeps that memory right. All methods
// are safe for concurrent use.
//
// A read is one atomic load, a lookup and the flag's compiled rule; it never waits,
// never fails and takes no lock. Everything else goes on behind it: layers deliver sets,
// of which only a newer one of the same history that adds up is ever installed.
type Client struct {
	current atomic.Pointer[published] // what reads see; in the first word, with what else they look at beside it
	hooks   []Hook                    // of opts; nil: none

	opts   Options
	keeper *keeper
	primary, secondary,
	cache, disk *layer
	outlets     []*outlet
	subscribers subscribers
	trouble     trouble
	resync      atomic.Bool // the next stream begins with a whole set

	warning sync.Mutex
	warned  time.Time

	questions  questions
	unmetReads unmetReads

	// The client's own lifetime, ended by Close; no caller's context outlives a call.
	ctx     context.Context
	done    <-chan struct{}
	cancel  context.CancelFunc
	running sync.WaitGroup
	closing sync.Mutex // orders the start of a goroutine and Close
	release func() error
}

// ErrClosed is the error of waiting for a client that was closed.
var ErrClosed = errors.New("flags: client is closed")

// diskLead is the start that the disk has on the layers behind it.
const diskLead = 500 * time.Millisecond

// New returns a client that follows a flag set through the layers of opts. It
// waits for a first set, at most for StartTimeout; a client that has none by then
// is as usable: reads give their defaults until a layer delivers.
//
// Only a wrong configuration is an error. ctx bounds the wait, not the client.
func New(ctx context.Context, opts Options) (*Client, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if off := sabotage.From(ctx); off != (sabotage.Guards{}) {
		opts.guards = off
	}
	c := &Client{opts: opts, trouble: trouble{changed: make(chan struct{})}}
	if len(opts.Hooks) > 0 {
		c.hooks = slices.Clone(opts.Hooks)
	}
	c.unmetReads.began = time.Now()
	c.keeper = newKeeper(&c.opts, &c.current)
	c.keeper.offer = c.installed
	c.primary = newLayer(opts.Primary, true, &c.opts)
	c.secondary = newLayer(opts.Secondary, true, &c.opts)
	c.cache = newLayer(opts.Cache, false, &c.opts)
	c.disk = newLayer(opts.Disk, false, &c.opts)
	c.disk.disk = true
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	c.done = c.ctx.Done()
	c.release = sync.OnceValue(c.closeOwned)
	c.start()
	if opts.StartTimeout > 0 {
		wait, cancel := context.WithTimeout(ctx, opts.StartTimeout)
		defer cancel()
		_ = c.WaitReady(wait) // what is missing is in Status; it is no reason not to start
	}
	return c, nil
}

// start runs everything side by side, after what needs no network.
func (c *Client) start() {
	disk, cache := newOutlet(c.disk, func(*Snapshot) time.Duration { return jitter(confirmDisk) }), newOutlet(c.cache, c.opts.renewAfter)
	disk.fresh = c.opts.FreshFor
	for _, o := range []*outlet{disk, cache} {
		if o.Sink != nil {
			c.outlets = append(c.outlets, o)
			c.running.Go(func() { o.run(c.ctx, c.latest) })
		}
	}
	c.running.Go(func() {
		c.readDiskFirst()
		c.readCacheFirst()
		if c.primary.readable() {
			c.running.Go(func() { c.primaryLoop(c.ctx) })
		}
		c.fallbackLoop(c.ctx)
	})
	if c.secondary.readable() && c.primary.readable() {
		c.running.Go(func() { c.exerciseLoop(c.ctx) })
	}
}

// readDiskFirst reads the file before anything else: what it has, nobody need send. A
// disk that takes longer than it should is not waited for, nor by Close: a read that
// hangs in the kernel cannot be ended. What it brings late is installed all the same, if it is of use.
func (c *Client) readDiskFirst() {
	if !c.disk.readable() {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// All at once: a file is read whole, also for its head. What is wrong with it is in Status; other layers follow.
		_ = c.disk.guard(c.ctx, bulkTimeout, func(ctx context.Context) error { return c.fetchInto(ctx, c.disk, c.keeper.have()) })
	}()
	c.waitOr(c.ctx, done, diskLead)
}

// readCacheFirst reads the cache before anything else that is remote: what it has, the
// primary's stream need not send. A cache that takes longer than it should is not waited for.
func (c *Client) readCacheFirst() {
	if !c.cache.readable() {
		return
	}
	done := make(chan struct{})
	c.running.Go(func() {
		defer close(done)
		_ = c.pull(c.ctx, c.cache) // counted in Status; the layers below follow anyway
	})
	c.waitOr(c.ctx, done, 2*c.cache.Timeout)
}

// Close ends all background work and frees the streams; it waits for both. Sets that the
// disk has not got yet are still written. Reads go on being answered from the last
// snapshot, as fresh as it was then; only Details.Age goes on. Sources and sinks are left to whoever made them, except for
// Options.Owned, whose errors are the only ones. Idempotent.
func (c *Client) Close() error {
	c.closing.Lock()
	c.keeper.close(c.cancel)
	c.closing.Unlock()
	c.subscribers.close()
	c.keeper.states.close()
	c.running.Wait()
	return c.release()
}

// spawn runs fn beside everything else unless the client is closed.
func (c *Client) spawn(fn func()) bool {
	c.closing.Lock()
	defer c.closing.Unlock()
	if c.ctx.Err() != nil {
		return false
	}
	c.running.Go(fn)
	return true
}

func (c *Client) closeOwned() error {
	var errs []error
	for _, owned := range slices.Backward(c.opts.Owned) {
		errs = append(errs, owned.Close())
	}
	return errors.Join(errs...)
}

// WaitReady waits until any layer has delivered a set. The error wraps that of ctx,
// or ErrClosed, and says what the layers are short of.
func (c *Client) WaitReady(ctx context.Context) error {
	for {
		changed := c.keeper.next()
		if c.current.Load().snap != nil {
			return nil
		}
		select {
		case <-changed:
		case <-c.done:
			return ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("flags: no set %q yet%s: %w", c.opts.Set, c.complaints(), ctx.Err())
		}
	}
}

func (c *Client) complaints() string {
	var text strings.Builder
	for _, l := range c.layers() {
		if s := l.status(); s.LastError != "" {
			fmt.Fprintf(&text, "; %s: %s", s.Name, s.LastError)
		}
	}
	return text.String()
}

func (c *Client) layers() []*layer { return []*layer{c.primary, c.secondary, c.cache, c.disk} }

func (c *Client) layerStates() map[string]string {
	states := map[string]string{}
	for _, l := range c.layers() {
		if !l.absent() {
			s := l.status()
			states[s.Name] = s.State
			if s.Breaker != GateClosed {
				states[s.Name] = s.Breaker.String()
			}
		}
	}
	return states
}

// installed passes a new snapshot on. It runs under the keeper's lock, so that
// sinks and subscribers see versions in order, and only hands over.
func (c *Client) installed(from *layer, u Update, old, now *Snapshot) {
	c.subscribers.tell(&u, old, now)
	if c.keeper.lineage == "" {
		return // a copy of unknown history goes nowhere until an origin has confirmed it
	}
	for _, o := range c.outlets {
		if o.layer != from {
			o.take(u, now)
		}
	}
}

// latest returns what is held and how old it is, once it is known to be of the right history.
func (c *Client) latest() (*Snapshot, time.Time) {
	c.keeper.mu.Lock()
	defer c.keeper.mu.Unlock()
	if c.keeper.lineage == "" {
		return nil, time.Time{}
	}
	return c.keeper.held, c.keeper.asOf
}
