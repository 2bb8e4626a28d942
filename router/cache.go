package router

import (
	"context"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
)

// cache is a place that has the newest version for a while.
type cache struct{ sink flags.Sink }

// locate does not ask: a sink compares for itself.
func (c *cache) locate(context.Context, string) (flags.Head, error) { return flags.Head{}, nil }

// bring offers what is new, or the head alone, which renews the entry's lifetime.
func (c *cache) bring(ctx context.Context, set *hub.Set, at flags.Head) (flags.Head, error) {
	asOf := set.AsOf() // before the head, so that it does not claim too much
	lead := set.Lead(at)
	update := lead.Update()
	update.AsOf = asOf
	err := c.sink.Put(ctx, update, func() *flags.Checkpoint { return whole(set, lead.Head) })
	return lead.Head, err
}

// whole assembles the set at head, or returns nil where the feed has moved too
// far on; the next attempt then is about a newer head.
func whole(set *hub.Set, head flags.Head) *flags.Checkpoint {
	lead := set.Lead(flags.Head{})
	if lead.Base == nil || head.Version.Before(lead.Base.Version) {
		return nil
	}
	contents := flags.ContentsOf(lead.Base.Checkpoint)
	for i := range lead.Records {
		c := &lead.Records[i].Commit
		if head.Version.Before(c.Version) {
			break
		}
		if err := contents.Apply(c); err != nil {
			return nil
		}
	}
	return contents.Checkpoint()
}
