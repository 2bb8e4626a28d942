package flags

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"
)

const (
	streamWait = 250 * time.Millisecond // a token is waited for on the stream so long
	askWait    = time.Second            // and so long for the primary's own answer
)

// request is what a context says about the reads made with it. All of it lies
// under one key, so that a getter looks a context through once.
type request struct {
	fresh  bool
	floors []Token // one for each set
	pins   []pin   // one for each client
}

type pin struct {
	client *Client
	view   View
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// with returns a context with a changed copy of its request.
func with(ctx context.Context, change func(*request)) context.Context {
	var r request
	if old := requestOf(ctx); old != nil {
		r = request{fresh: old.fresh, floors: slices.Clone(old.floors), pins: slices.Clone(old.pins)}
	}
	change(&r)
	return context.WithValue(ctx, requestKey{}, &r)
}

// AtLeast returns a context whose reads see the version of t or a newer one, or
// report [FreshnessNotFresh]. A client that holds the version already answers at once; another
// waits for its stream up to 250 ms and then asks the primary, past every cache, for up to 1 s.
// A token of another lineage than the client's is told at once. Tokens of other sets are left to other clients.
func AtLeast(ctx context.Context, t Token) context.Context {
	return with(ctx, func(r *request) {
		r.pins = slices.DeleteFunc(r.pins, func(p pin) bool { return p.client.opts.Set == t.Set && !reaches(p.view.Snapshot(), t) })
		for i, have := range r.floors {
			if have.Set == t.Set {
				r.floors[i] = higher(have, t)
				return
			}
		}
		r.floors = append(r.floors, t)
	})
}

// higher returns the token that demands what both demand, or the later one where no
// set can meet both: they are of different lineages.
func higher(have, later Token) Token {
	switch {
	case have.Lineage != "" && later.Lineage != "" && have.Lineage != later.Lineage:
		return later
	case have.Before(later.Version):
		have.Version = later.Version
	}
	have.Lineage = cmp.Or(have.Lineage, later.Lineage)
	return have
}

// Fresh returns a context whose reads are answered only from what the primary says
// it has after the read began, or report [FreshnessNotFresh]: for gates that must see a
// revocation now. Every read costs a round trip to the primary; use View for several.
func Fresh(ctx context.Context) context.Context {
	return with(ctx, func(r *request) { r.fresh, r.pins = true, nil })
}

// Pin returns a context whose reads through this client are all answered from one
// snapshot: the one a read with ctx would have been answered from.
func (c *Client) Pin(ctx context.Context) context.Context {
	v := c.View(ctx)
	return with(ctx, func(r *request) {
		r.pins = slices.DeleteFunc(r.pins, func(p pin) bool { return p.client == c })
		r.pins = append(r.pins, pin{c, v})
	})
}

// View returns the snapshot that reads with ctx are answered from, for a whole
// request: the fast form, as its reads look neither at ctx nor at anything new.
// It waits only where ctx comes from AtLeast or Fresh.
func (c *Client) View(ctx context.Context) View {
	if r := requestOf(ctx); r != nil {
		return c.viewFor(ctx, r)
	}
	return View{c.current.Load()}
}

// Token returns the token of what reads with ctx are answered from, or the one that
// ctx demands of the set where that is newer: what to hand on to the next service.
func (c *Client) Token(ctx context.Context) Token {
	p, r := c.current.Load(), requestOf(ctx)
	if r == nil {
		return View{p}.Token()
	}
	v := View{p}
	if i := slices.IndexFunc(r.pins, func(p pin) bool { return p.client == c }); i >= 0 {
		v = r.pins[i].view
	}
	if t, ok := r.floor(c.opts.Set); ok && !reaches(v.Snapshot(), t) {
		return t
	}
	return v.Token()
}

func (r *request) floor(set string) (Token, bool) {
	for _, t := range r.floors {
		if t.Set == set {
			return t, true
		}
	}
	return Token{}, false
}

// reaches reports whether s is at t or past it, in t's history.
func reaches(s *Snapshot, t Token) bool {
	return s != nil && (t.Lineage == "" || t.Lineage == s.head.Lineage) && !s.head.Before(t.Version)
}

func (c *Client) viewFor(ctx context.Context, r *request) View {
	for _, p := range r.pins {
		if p.client == c {
			return p.view
		}
	}
	floor, demanded := r.floor(c.opts.Set)
	if p := c.current.Load(); !r.fresh && (!demanded || reaches(p.snap, floor)) {
		return View{p}
	}
	if followed := c.keeper.knownLineage(); demanded && floor.Lineage != "" && followed != "" && floor.Lineage != followed {
		return c.short() // nobody could make this client follow another history
	}
	before := c.questions.sent.Load()
	if !r.fresh && c.awaitStream(ctx, floor) {
		return View{c.current.Load()}
	}
	asked := c.ask(ctx, before)
	p := c.current.Load()
	if asked && (!demanded || reaches(p.snap, floor)) || !r.fresh && reaches(p.snap, floor) {
		return View{p}
	}
	return c.short()
}

// short returns what there is, and says that it is not what was asked for.
func (c *Client) short() View {
	p := *c.current.Load()
	p.freshness = FreshnessNotFresh
	return View{&p}
}

// awaitStream waits until the stream has brought t.
func (c *Client) awaitStream(ctx context.Context, t Token) bool {
	deadline := time.NewTimer(streamWait)
	defer deadline.Stop()
	for c.primary.streaming.Load() {
		changed := c.keeper.next()
		if reaches(c.current.Load().snap, t) {
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
func (c *Client) ask(ctx context.Context, before uint64) bool {
	l := c.origin()
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
