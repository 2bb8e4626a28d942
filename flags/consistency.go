package flags

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// request is what a context says about the reads made with it. All of it lies
// under one key, so that a getter looks a context through once.
type request struct {
	fresh     bool
	strict    bool
	staleness time.Duration // 0: no bound
	floors    []Token       // one for each set, more where they name different lineages
	pins      []pin         // one for each client
	session   *session      // nil: none
	tried     *atomic.Pointer[attempt]
}

type pin struct {
	client *Client
	p      *published
}

type requestKey struct{}

// attempt is a demand that a client could neither wait for nor ask for. Contexts made from
// one share it, so that a request with a token that nobody can meet waits once and not with each read.
type attempt struct {
	client *Client
	want   Token
	ended  time.Time
}

// demand is a context that carries a request, in one piece of memory.
type demand struct {
	context.Context
	request
	room    [1]Token                // for floors; hardly anybody demands more than one
	attempt atomic.Pointer[attempt] // for tried
}

// Value returns the request, or what the parent has.
func (d *demand) Value(key any) any {
	if _, ok := key.(requestKey); ok { // one comparison, where == would call for two
		return &d.request
	}
	return d.Context.Value(key)
}

func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// demanding returns a context with a copy of the request of ctx.
func demanding(ctx context.Context) *demand {
	d := &demand{Context: ctx}
	if old := requestOf(ctx); old != nil {
		d.request = *old
	} else {
		d.tried = &d.attempt
	}
	d.floors = append(d.room[:0], d.floors...) // callers change it in place; the others they replace
	return d
}

// with returns a context with a changed copy of its request.
func with(ctx context.Context, change func(*request)) context.Context {
	d := demanding(ctx)
	change(&d.request)
	return d
}

// AtLeast returns a context whose reads see the version of t or a newer one, or
// report [FreshnessNotFresh]; with [Strict] they give the caller's default instead.
//
// A client that holds the version answers at once. Another waits for its stream up to
// 250 ms and then asks the primary, past every cache, for up to 1 s. A token of another lineage
// or an older epoch goes to the primary too, which alone can say what became of it. Such questions are shared by
// all that wait, one at a time and at most ten a second; once in vain, the reads with this context and those made
// from it do not wait for the same token for a second. A pinned snapshot stays: where it is older than t, its
// reads say so. Tokens of other sets are left to other clients.
func AtLeast(ctx context.Context, t Token) context.Context {
	d := demanding(ctx) // as with does, without a closure that would have to be allocated
	d.tried = &d.attempt
	d.floors = raised(d.floors, t)
	return d
}

// Fresh returns a context whose reads are answered only from what the primary says
// it has after the read began, or report [FreshnessNotFresh]: for gates that must see a
// revocation now, best with [Strict]. No cache, secondary or file can stand in for the primary. Every read costs
// a round trip, shared with all that wait for one; use [Client.View] or [Client.Pin] for several. Pins
// made before are dropped: they cannot have what is asked for.
func Fresh(ctx context.Context) context.Context {
	return with(ctx, func(r *request) { r.fresh, r.pins = true, nil })
}

// Strict returns a context whose reads fail closed: where what ctx demands, by
// [AtLeast], [Fresh], [MaxStaleness], a session, or the client's own Options.MaxStaleness, cannot be met, the value is the
// caller's default, the reason ERROR and the code GENERAL, and Details.Err wraps [ErrNotFresh]. [Client.Require]
// gives the error before anything is read.
func Strict(ctx context.Context) context.Context {
	return with(ctx, func(r *request) { r.strict = true })
}

// MaxStaleness returns a context whose reads report [FreshnessStale] where the origin
// was last known to be at the version that they are answered from longer ago than d; with [Strict] they
// give the caller's default. Of several bounds the smallest counts, and d <= 0 is none. These reads look at the clock.
func MaxStaleness(ctx context.Context, d time.Duration) context.Context {
	return with(ctx, func(r *request) {
		if d > 0 && (r.staleness == 0 || d < r.staleness) {
			r.staleness = d
		}
	})
}

// Demands returns the tokens that reads with ctx must not fall behind, of all sets:
// those of [AtLeast] and of the session. It is what to send on to the next service.
// nil: none.
func Demands(ctx context.Context) []Token {
	r := requestOf(ctx)
	if r == nil {
		return nil
	}
	all := slices.Clone(r.floors)
	for _, t := range r.session.tokens() {
		all = raised(all, t)
	}
	return all
}

// raised returns floors, changed in place or appended to, so that they demand t too.
func raised(floors []Token, t Token) []Token {
	for i, have := range floors {
		if have.Set == t.Set && compatible(have.Lineage, t.Lineage) {
			floors[i] = higher(have, t)
			return floors
		}
	}
	return append(floors, t)
}

// compatible reports whether one set can meet demands for both lineages.
func compatible(a, b Lineage) bool { return a == "" || b == "" || a == b }

// higher returns the token that demands what both demand.
func higher(a, b Token) Token {
	if a.Before(b.Version) {
		a.Version = b.Version
	}
	a.Lineage = cmp.Or(a.Lineage, b.Lineage)
	return a
}

// everyEpoch is for those who cannot ask.
const everyEpoch = math.MaxUint64

// unmet returns a demand for the set that s does not meet, or nil. Epochs below asked
// are those of which the primary said that they have ended.
func (r *request) unmet(set string, s *Snapshot, asked uint64) *Token {
	if t := unmet(r.floors, set, s, asked); t != nil || r.session == nil {
		return t
	}
	return unmet(r.session.tokens(), set, s, asked)
}

func unmet(floors []Token, set string, s *Snapshot, asked uint64) *Token {
	for i := range floors {
		if t := &floors[i]; t.Set == set && !reaches(s, t, asked) {
			return t
		}
	}
	return nil
}

// reaches reports whether s is at t or past it, in t's history.
func reaches(s *Snapshot, t *Token, asked uint64) bool {
	if s == nil || !compatible(t.Lineage, s.head.Lineage) {
		return false
	}
	if t.Epoch == s.head.Epoch {
		return t.Revision <= s.head.Revision
	}
	return t.Epoch < s.head.Epoch && s.head.Epoch < asked
}
