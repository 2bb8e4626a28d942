package main

import (
	"context"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/redact"
	"github.com/holdfast-flags/holdfast/store"
)

// checkStore looks at a journal without a router.
func (d *doctor) checkStore(ctx context.Context) {
	name := redact.URL(d.storeAt)
	err := d.with(ctx, func(ctx context.Context, st store.Store) error {
		heads, err := st.Sets(ctx)
		if err != nil {
			return err
		}
		d.good("store", "%s answers, with %d sets", name, len(heads))
		for _, head := range heads {
			d.checkSet(ctx, st, head)
		}
		return nil
	})
	if err != nil {
		_, hint := classify(err)
		d.bad("store", hint, "%s: %s", name, message(err))
	}
}

// checkSet checks that what is delivered of a set adds up to what its head says.
func (d *doctor) checkSet(ctx context.Context, st flags.Source, head flags.Head) {
	check := "set " + head.Set
	u, err := st.Fetch(ctx, head.Set, flags.Head{Set: head.Set})
	if err == nil {
		_, err = store.Assemble(head.Set, u)
	}
	if err != nil {
		d.bad(check, "restore it from a backup: `flagctl restore FILE --set "+head.Set+"`", "%s: %s", head.Token(), message(err))
		return
	}
	d.good(check, "%s, %s, %d entries that add up", u.Head.Token(), u.Head.Status, u.Head.Count)
}
