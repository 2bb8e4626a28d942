package cachetest

import (
	"context"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// each calls fn with the error of every operation under a context.
func (e *env) each(ctx context.Context, fn func(op string, err error)) {
	_, err := e.s.Get(ctx, cachestrategy.Query{Set: set})
	fn("Get", err)
	_, err = e.s.Put(ctx, e.history(set, 1).whole(1))
	fn("Put", err)
	fn("Invalidate", e.s.Invalidate(ctx, set))
}

var errorClauses = map[string]func(*env){
	"closed": func(e *env) {
		for range 2 {
			if err := e.s.Close(); err != nil {
				e.Fatalf("Close: %v", err)
			}
		}
		e.each(e.Context(), func(op string, err error) { e.wantError(op, err, cachestrategy.ErrClosed, flags.ClassCanceled) })
	},
	"caller gone": func(e *env) {
		ctx, cancel := context.WithCancel(e.Context())
		cancel()
		e.each(ctx, func(op string, err error) {
			if flags.ClassOf(err) != flags.ClassCanceled {
				e.Errorf("%s: error %v of class %v, want canceled", op, err, flags.ClassOf(err))
			}
		})
		e.misses(set)
	},
	"offers that contradict themselves": func(e *env) {
		h := e.history(set, 5)
		for name, spoil := range map[string]func(*cachestrategy.Offer){
			"no version":             func(o *cachestrategy.Offer) { o.Head.Version = flags.Version{} },
			"no lineage":             func(o *cachestrategy.Offer) { o.Head.Lineage = "" },
			"bad set name":           func(o *cachestrategy.Offer) { o.Head.Set = "a b" },
			"negative TTL":           func(o *cachestrategy.Offer) { o.TTL = -time.Second },
			"negative margin":        func(o *cachestrategy.Offer) { o.Margin = -time.Second },
			"margin of the TTL":      func(o *cachestrategy.Offer) { o.Margin = o.TTL },
			"commits with a hole":    func(o *cachestrategy.Offer) { o.Commits = append(h.commits[1:2:2], h.commits[3:5]...) },
			"commits short of it":    func(o *cachestrategy.Offer) { o.Commits = h.commits[1:3] },
			"checkpoint of another":  func(o *cachestrategy.Offer) { o.Checkpoint, o.Commits = h.at[1], nil },
			"another set assembled":  func(o *cachestrategy.Offer) { o.Full = func() *flags.Checkpoint { return h.at[1] } },
			"nothing assembled":      func(o *cachestrategy.Offer) { o.Full = func() *flags.Checkpoint { return nil } },
			"commits of another set": func(o *cachestrategy.Offer) { o.Commits = e.history("other", 5).commits },
		} {
			o := h.since(1, 5)
			spoil(&o)
			_, err := e.s.Put(e.Context(), o)
			if flags.ClassOf(err) != flags.ClassPermanent {
				e.Errorf("%s: error %v of class %v, want permanent", name, err, flags.ClassOf(err))
			}
			e.misses(set)
		}
	},
}
