package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// guest lives through the day of a router. Its methods report what they find.
type guest interface {
	// arrive connects, and looks at everything.
	arrive(ctx context.Context, at addresses, table cases, r *report)
	// mark says that something is about to happen.
	mark(ctx context.Context, r *report)
	// switched sees that the flag "switch" was toggled.
	switched(ctx context.Context, on bool, r *report)
	// overridden sees that "plain" has an override for one entity.
	overridden(ctx context.Context, table cases, r *report)
	// left bears that the router has gone.
	left(ctx context.Context, table cases, r *report)
	// returned finds it again, and "away" toggled, which nobody was there to tell.
	returned(ctx context.Context, r *report)
}

// day is what happens; everybody has seen one thing before the next begins.
func day(ctx context.Context, router *router, guests []guest, r *report) error {
	table, err := readCases()
	if err != nil {
		return err
	}
	everybody := func(see func(guest)) {
		var all sync.WaitGroup
		for _, g := range guests {
			all.Go(func() { see(g) })
		}
		all.Wait()
	}
	mark := func() { everybody(func(g guest) { g.mark(ctx, r) }) }
	parts := []struct {
		name   string
		happen func() error
		see    func(guest)
	}{
		{"first answers", func() error { return nil }, func(g guest) { g.arrive(ctx, router.addresses, table, r) }},
		{"toggle", func() error { return router.inBothSets(ctx, []string{"toggle"}, "switch") }, func(g guest) { g.switched(ctx, true, r) }},
		{"override", func() error {
			return router.inBothSets(ctx, []string{"override", "set"}, "plain", "--entity", "tenant-42", "on")
		},
			func(g guest) { g.overridden(ctx, table, r) }},
		{"outage", router.stop, func(g guest) { g.left(ctx, table, r) }},
		{"return", func() error {
			if err := router.inBothSets(ctx, []string{"toggle"}, "away"); err != nil {
				return err
			}
			return router.start(ctx)
		}, func(g guest) { g.returned(ctx, r) }},
		{"toggle after it", func() error { return router.inBothSets(ctx, []string{"toggle"}, "switch") }, func(g guest) { g.switched(ctx, false, r) }},
	}
	for _, part := range parts {
		begin := time.Now()
		mark()
		if err := part.happen(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		everybody(part.see)
		r.took(part.name+" (auth "+router.auth+")", time.Since(begin))
	}
	return nil
}

func (c *client) arrive(ctx context.Context, at addresses, table cases, r *report) {
	err := c.Connect(ctx, at)
	r.check(c.name, "connect", err)
	if err != nil {
		return
	}
	c.values(ctx, table, r)
	for _, flag := range []string{"switch", "away"} { // a client that keeps answers keeps these
		r.check(c.name, flag+" is false", c.until(ctx, nil, question{own(c.set, flag), "boolean", true}, false))
	}
	if c.quiet != nil {
		r.check(c.name, "answers without a body, and no event, while nothing changes", c.quiet(ctx))
	}
}

func (c *client) mark(ctx context.Context, r *report) {
	if err := c.Mark(ctx); err != nil {
		r.check(c.name, "mark", err)
	}
}

func (c *client) switched(ctx context.Context, on bool, r *report) {
	c.hear(ctx, "switch", r)
	r.check(c.name, fmt.Sprintf("switch is %v", on), c.until(ctx, nil, question{own(c.set, "switch"), "boolean", !on}, on))
}

// hear checks that a change was told.
func (c *client) hear(ctx context.Context, flag string, r *report) {
	switch {
	case c.noEvents:
	case c.keyless:
		r.check(c.name, "event of a change of "+flag, c.Await(ctx, changed, ""))
	default:
		r.check(c.name, "event of a change of "+flag, c.Await(ctx, changed, own(c.set, flag)))
	}
}

func (c *client) overridden(ctx context.Context, table cases, r *report) {
	c.hear(ctx, "plain", r)
	q := question{own(c.set, "plain"), "boolean", false}
	tenant := table.Contexts["tenant"]
	r.check(c.name, "override arrives", c.until(ctx, tenant, q, true))
	// Twice each: a client that keeps answers by key alone must not be led to.
	for i := range 4 {
		who, want := tenant, answer{Value: true, Variant: "on", Reason: "TARGETING_MATCH"}
		what := "override for its entity"
		if i%2 == 1 {
			who, want = table.Contexts["far"], answer{Value: false, Variant: "off", Reason: "DEFAULT"}
			what = "override for nobody else"
		}
		got, err := c.Ask(ctx, who, []question{q})
		if err == nil {
			err = got[0].fits(want)
		}
		r.check(c.name, what, err)
	}
}

func (c *client) left(ctx context.Context, table cases, r *report) {
	for _, event := range c.lost {
		r.check(c.name, event+" in the outage", c.Await(ctx, event, ""))
	}
	set := table.Sets[c.set]
	known := set[slices.IndexFunc(set, func(tc testcase) bool { return tc.Flag == "greeting" })]
	want := answer{Value: known.Default, Reason: "ERROR", Error: c.away}
	if c.away == "" {
		want = known.Want
	}
	got, err := c.Ask(ctx, nil, []question{known.question})
	if err == nil {
		err = got[0].fits(want)
	}
	r.check(c.name, "answer in the outage", err)
}

func (c *client) returned(ctx context.Context, r *report) {
	for _, event := range c.found {
		r.check(c.name, event+" after the outage", c.Await(ctx, event, ""))
	}
	r.check(c.name, "what changed in the outage", c.until(ctx, nil, question{own(c.set, "away"), "boolean", false}, true))
}
