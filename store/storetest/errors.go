package storetest

import (
	"context"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

var errorClauses = map[string]func(*env){
	"invalid commits are refused": func(e *env) {
		e.history(1)
		noID := change(put("a", onOff))
		noID.ID = flags.CommitID{}
		badSet := change(put("a", onOff))
		badSet.Set = "no set/name"
		sealing := end(flags.OpSeal)
		sealing.Changes = []flags.Mutation{put("a", onOff)}
		entity := flags.FlagKey("a")
		entity.Entity = "tenant"
		for what, c := range map[string]flags.Commit{
			"no id":                       noID,
			"bad set name":                badSet,
			"no changes":                  change(),
			"a key twice":                 change(put("a", flagOf(1)), put("a", flagOf(2))),
			"an empty name":               change(put("", onOff)),
			"a name too long":             change(put(strings.Repeat("k", flags.MaxKeyBytes+1), onOff)),
			"an entity for a flag":        change(flags.Mutation{Key: entity, Bytes: onOff}),
			"an override without entity":  change(flags.Mutation{Key: flags.OverrideKey("n", ""), Bytes: []byte(`{"variant":"v"}`)}),
			"a seal with changes":         sealing,
			"bytes that are there, empty": change(put("a", []byte{})),
		} {
			_, err := e.s.Apply(e.ctx(), c)
			if err == nil {
				e.Errorf("%s: accepted", what)
				continue
			}
			e.wantError(what, err, store.ErrInvalid)
			if flags.ClassOf(err) != flags.ClassPermanent {
				e.Errorf("%s: class %s, want permanent", what, flags.ClassOf(err))
			}
		}
		e.holds(map[string][]byte{"n": flagOf(0)})
	},
	"a canceled caller is not an outage": func(e *env) {
		e.history(1)
		ctx, cancel := context.WithCancel(e.ctx())
		cancel()
		for op, call := range map[string]func() error{
			"Head":    func() error { _, err := e.s.Head(ctx, set); return err },
			"Fetch":   func() error { _, err := e.s.Fetch(ctx, set, flags.Head{Set: set}); return err },
			"Watch":   func() error { _, err := e.s.Watch(ctx, set, flags.Head{Set: set}); return err },
			"Sets":    func() error { _, err := e.s.Sets(ctx); return err },
			"Commits": func() error { _, err := e.s.Commits(ctx, set, flags.Version{}, newest, 0); return err },
			"Apply":   func() error { _, err := e.s.Apply(ctx, change(put("a", onOff))); return err },
		} {
			err := call()
			e.wantError(op, err, context.Canceled)
			if flags.ClassOf(err) != flags.ClassCanceled {
				e.Errorf("%s: class %s, want canceled", op, flags.ClassOf(err))
			}
		}
	},
	"a closed store says so": func(e *env) {
		e.history(1)
		for range 2 {
			if err := e.s.Close(); err != nil {
				e.Fatalf("Close: %v", err)
			}
		}
		for op, call := range map[string]func() error{
			"Head":    func() error { _, err := e.s.Head(e.ctx(), set); return err },
			"Fetch":   func() error { _, err := e.s.Fetch(e.ctx(), set, flags.Head{Set: set}); return err },
			"Watch":   func() error { _, err := e.s.Watch(e.ctx(), set, flags.Head{Set: set}); return err },
			"Sets":    func() error { _, err := e.s.Sets(e.ctx()); return err },
			"Commits": func() error { _, err := e.s.Commits(e.ctx(), set, flags.Version{}, newest, 0); return err },
			"Apply":   func() error { _, err := e.s.Apply(e.ctx(), change(put("a", onOff))); return err },
		} {
			err := call()
			e.wantError(op, err, store.ErrClosed)
			if flags.ClassOf(err) != flags.ClassCanceled {
				e.Errorf("%s: class %s, want canceled", op, flags.ClassOf(err))
			}
		}
	},
}
