package flags

import (
	"context"
	"slices"
	"time"
)

// View returns the snapshot that reads with ctx are answered from, for a whole
// request: the fast form, as its reads look neither at ctx nor at anything new.
// It waits only where ctx demands what is not held, or comes from [Fresh].
func (c *Client) View(ctx context.Context) View {
	if r := requestOf(ctx); r != nil {
		return c.viewFor(ctx, r)
	}
	return View{c.current.Load()}
}

// Require is View for callers that fail closed: where what ctx demands cannot be met,
// or no set is held at all, it returns an error that wraps [ErrNotFresh], and a view whose reads give
// their defaults.
func (c *Client) Require(ctx context.Context) (View, error) {
	v := c.View(Strict(ctx))
	if v.p.snap != nil {
		return v, nil
	}
	if v.p.miss != nil {
		return v, v.p.miss
	}
	return v, &shortfall{what: missingSet}
}

// Pin returns a context whose reads through this client are all answered from one
// snapshot: the one a read with ctx would have been answered from. A pin within a pin is the same pin.
func (c *Client) Pin(ctx context.Context) context.Context {
	p := c.View(ctx).p
	return with(ctx, func(r *request) {
		r.pins = slices.DeleteFunc(slices.Clone(r.pins), func(p pin) bool { return p.client == c })
		r.pins = append(r.pins, pin{c, p})
	})
}

// Token returns the token of what reads with ctx are answered from, or the one that
// ctx demands of the set where that is newer: what to hand on to the next service. It asks nobody.
func (c *Client) Token(ctx context.Context) Token {
	p, r := c.current.Load(), requestOf(ctx)
	if r == nil {
		return View{p}.Token()
	}
	if pinned := c.pinned(r); pinned != nil {
		p = pinned
	}
	if t := r.unmet(c.opts.Set, p.snap, everyEpoch); t != nil {
		return *t
	}
	return View{p}.Token()
}

// viewFor answers reads that demand something.
func (c *Client) viewFor(ctx context.Context, r *request) View {
	p, miss := c.meet(ctx, r)
	if miss == nil {
		miss = p.miss // pinned as it was, or past the client's own bound
	}
	if miss == nil && r.staleness > 0 && p.snap != nil && (p.asOf.IsZero() || time.Since(p.asOf) > r.staleness) {
		miss = &shortfall{what: missingAge, bound: r.staleness}
	}
	if miss != nil {
		c.unmetReads.count(ctx, c, miss)
		p = p.short(miss, r.strict || c.opts.Strict)
	}
	if r.session != nil && p.snap != nil {
		r.session.learn(&p.snap.head)
	}
	return View{p}
}

// meet finds what meets the demands of r, or the best there is and what it lacks.
func (c *Client) meet(ctx context.Context, r *request) (*published, *shortfall) {
	if p := c.pinned(r); p != nil {
		if t := r.unmet(c.opts.Set, p.snap, everyEpoch); t != nil {
			return p, p.behind(*t)
		}
		return p, nil
	}
	p := c.current.Load()
	t := c.unmet(r, p.snap)
	fresh := r.fresh && !c.opts.guards.Fresh
	if !fresh && t == nil {
		return p, nil
	}
	if !fresh && c.triedInVain(r, t) {
		return p, p.behind(*t)
	}
	before := c.questions.sent.Load()
	if !fresh && c.awaitStream(ctx, r, *t) {
		return c.current.Load(), nil
	}
	from := c.origin()
	if fresh {
		from = c.primary // nobody else's word is the primary's
	}
	asked := c.ask(ctx, from, fresh, before)
	p = c.current.Load()
	if t = c.unmet(r, p.snap); t != nil {
		if ctx.Err() == nil { // who left in the middle has not tried
			r.tried.Store(&attempt{c, *t, time.Now()})
		}
		return p, p.behind(*t)
	}
	if fresh && !asked {
		return p, &shortfall{what: missingWord, held: View{p}.Token()}
	}
	return p, nil
}

// triedInVain reports whether a read of the same request could not have t a moment ago.
func (c *Client) triedInVain(r *request, t *Token) bool {
	last := r.tried.Load()
	return last != nil && last.client == c && last.want == *t && time.Since(last.ended) < tryPause && !c.opts.guards.Again
}

// unmet returns a demand of r that s does not meet, or nil. That a version of an older
// epoch is met the primary must have said once: the epoch ended because something happened to the set.
func (c *Client) unmet(r *request, s *Snapshot) *Token {
	if c.opts.guards.Token {
		return nil
	}
	return r.unmet(c.opts.Set, s, c.questions.epoch.Load())
}

// pinned returns what the client's reads with r are pinned to, or nil.
func (c *Client) pinned(r *request) *published {
	if c.opts.guards.Pin {
		return nil
	}
	for i := range r.pins {
		if r.pins[i].client == c {
			return r.pins[i].p
		}
	}
	return nil
}
