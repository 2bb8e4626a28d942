package adminweb

import (
	"context"
	"errors"
	"net/http"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// mostThen is how many earlier versions of a set are kept for those who read them.
const mostThen = 4

// then returns the set as it was at a version. Reading it costs the commits up to
// there, so it is done once, and by one visitor at a time.
func (b *board) then(ctx context.Context, st store.Remembering, at flags.Version) (*catalog, error) {
	select {
	case b.reading <- struct{}{}:
		defer func() { <-b.reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c := b.past[at]; c != nil {
		return c, nil
	}
	contents, err := store.At(ctx, st, b.set.Name(), at)
	if err != nil {
		return nil, err
	}
	if len(b.past) >= mostThen {
		clear(b.past)
	}
	c := newCatalog(flags.NewSnapshot(contents.Checkpoint()))
	b.past[at] = c
	return c, nil
}

// openThen is open, for pages that can be read as they were: at the version that
// the address names, if any. Nothing can be changed there.
func (v *visit) openThen(ctx context.Context) (*board, *catalog, error) {
	b, c, err := v.open(ctx)
	text := v.query.Get("revision")
	if err != nil || text == "" {
		return b, c, err
	}
	then, err := v.at(ctx, b, c, text)
	if err != nil {
		return nil, nil, err
	}
	if head := then.Head(); head.Version != c.Head().Version {
		v.past = &head
	}
	return b, then, nil
}

// at returns the set of a board as it was at a revision that somebody names.
func (v *visit) at(ctx context.Context, b *board, now *catalog, text string) (*catalog, error) {
	at, err := flags.ParseVersion(text, now.Head().Epoch)
	if err != nil || at.Revision == 0 {
		return nil, fail(http.StatusBadRequest, "No such revision", "%q is no revision. Want a number, such as 12.", short(text))
	}
	if at == now.Head().Version {
		return now, nil
	}
	c, err := b.then(ctx, v.opts.Store, at)
	switch {
	case errors.Is(err, store.ErrCompacted):
		return nil, fail(http.StatusGone, "No longer kept", "What %s was at revision %s is no longer kept.", v.set, at)
	case errors.Is(err, store.ErrNotFound):
		return nil, fail(http.StatusNotFound, "No such revision", "%s never was at revision %s. It is at %s now.", v.set, at, now.Head().Version)
	}
	return c, err
}
