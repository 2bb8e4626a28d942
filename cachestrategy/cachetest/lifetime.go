package cachetest

import (
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// tolerance is how far the instants that a cache returns may be from those it was
// given: processes share wall clocks of a microsecond, and calls take time.
const tolerance = 20 * time.Millisecond

func (e *env) wantInstants(name string, asOf, end time.Time) {
	e.Helper()
	entry := e.get(cachestrategy.Query{Set: name, HeadOnly: true})
	if d := entry.AsOf.Sub(asOf).Abs(); d > tolerance {
		e.Errorf("%s: as of %v, want %v", name, entry.AsOf, asOf)
	}
	if d := entry.ExpiresAt.Sub(end).Abs(); d > tolerance {
		e.Errorf("%s: expires at %v, want %v", name, entry.ExpiresAt, end)
	}
}

var lifetimeClauses = map[string]func(*env){
	"margin": func(e *env) {
		h := e.history(set, 1)
		o := h.whole(1)
		o.TTL, o.Margin = 3500*time.Second, 200*time.Second
		e.put(o, cachestrategy.Stored)
		entry := e.cold(set)
		if !entry.Usable(o.AsOf.Add(3300*time.Second - tolerance)) {
			e.Errorf("not usable before 3300 s: %v to %v", entry.AsOf, entry.ExpiresAt)
		}
		if entry.Usable(o.AsOf.Add(3300*time.Second + tolerance)) {
			e.Errorf("usable after 3300 s: %v to %v", entry.AsOf, entry.ExpiresAt)
		}
		if entry.Margin != o.Margin {
			e.Errorf("margin %v, want %v", entry.Margin, o.Margin)
		}
	},
	"margin not brought forward": func(e *env) {
		h := e.history(set, 1)
		o := h.whole(1)
		o.AsOf, o.TTL, o.Margin = time.Now().Add(-time.Second), 100*time.Second, time.Second
		e.put(o, cachestrategy.Stored)
		again := h.whole(1)
		again.TTL, again.Margin = 200*time.Second, 150*time.Second // usable for 50 s only
		e.put(again, cachestrategy.Renewed)
		e.wantInstants(set, again.AsOf, again.AsOf.Add(again.TTL))
		if entry := e.cold(set); !entry.Usable(o.AsOf.Add(99*time.Second-tolerance)) || entry.Usable(o.AsOf.Add(99*time.Second+tolerance)) {
			e.Errorf("usable until %v before its end, want as before", entry.Margin)
		}
	},
	"of each its own": func(e *env) {
		start := time.Now().Add(-2000 * time.Second)
		first := e.history("first", 1).whole(1)
		first.AsOf, first.TTL = start, 3000*time.Second
		e.put(first, cachestrategy.Stored)
		second := e.history("second", 1).whole(1) // written at 2000
		second.TTL = 500 * time.Second
		e.put(second, cachestrategy.Stored)
		e.wantInstants("first", start, start.Add(3000*time.Second))
		e.wantInstants("second", second.AsOf, second.AsOf.Add(500*time.Second))
	},
	"not moved by reads": func(e *env) {
		o := e.history(set, 2).whole(2)
		o.AsOf = time.Now().Add(-30 * time.Second)
		e.put(o, cachestrategy.Stored)
		for range 20 {
			e.cold(set)
			e.after(o.Head)
		}
		e.wantInstants(set, o.AsOf, o.AsOf.Add(o.TTL))
	},
	"renewed by a newer confirmation": func(e *env) {
		h := e.history(set, 2)
		o := h.whole(2)
		o.AsOf = time.Now().Add(-30 * time.Second)
		e.put(o, cachestrategy.Stored)
		again := h.since(1, 2)
		e.put(again, cachestrategy.Renewed)
		e.wantInstants(set, again.AsOf, again.AsOf.Add(again.TTL))
		e.holds(h, 2)
		bare := cachestrategy.Offer{TTL: time.Minute, Update: flags.Update{Head: h.head(2), AsOf: time.Now().Add(time.Second)}}
		e.put(bare, cachestrategy.Renewed)
		e.put(bare, cachestrategy.Unchanged)
	},
	"not moved by an older confirmation": func(e *env) {
		h := e.history(set, 2)
		o := h.whole(2)
		e.put(o, cachestrategy.Stored)
		late := h.whole(2)
		late.AsOf, late.TTL = o.AsOf.Add(-time.Second), time.Hour
		e.put(late, cachestrategy.Unchanged)
		e.wantInstants(set, o.AsOf, o.AsOf.Add(o.TTL))
	},
	"not shortened by a shorter one": func(e *env) {
		h := e.history(set, 2)
		o := h.whole(2)
		o.AsOf = time.Now().Add(-30 * time.Second)
		e.put(o, cachestrategy.Stored)
		again := h.whole(2)
		again.TTL = time.Second
		e.put(again, cachestrategy.Renewed)
		e.wantInstants(set, again.AsOf, o.AsOf.Add(o.TTL))
	},
	"a newer version brings its own": func(e *env) {
		h := e.history(set, 3)
		o := h.whole(2)
		o.TTL = time.Hour
		e.put(o, cachestrategy.Stored)
		next := h.since(2, 3)
		e.put(next, cachestrategy.Stored)
		e.wantInstants(set, next.AsOf, next.AsOf.Add(next.TTL))
	},
	"defaults": func(e *env) {
		o := e.history(set, 1).whole(1)
		o.AsOf, o.TTL = time.Time{}, 0
		now := time.Now()
		e.put(o, cachestrategy.Stored)
		entry := e.cold(set)
		if entry.AsOf.Before(now.Add(-tolerance)) || entry.AsOf.After(time.Now().Add(tolerance)) || entry.TTL() != cachestrategy.DefaultTTL || entry.Margin != 6*time.Second {
			e.Errorf("as of %v for %v less %v, want about %v for %v less 6s", entry.AsOf, entry.TTL(), entry.Margin, now, cachestrategy.DefaultTTL)
		}
	},
}
