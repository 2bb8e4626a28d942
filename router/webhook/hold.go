package webhook

import (
	"context"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Hold returns the version of a set from which on the receivers that the records know of
// still need the commits, whichever router delivers to them; zero where none needs any.
// It is for the compaction of the journal that the records lie beside.
func Hold(ctx context.Context, records store.Records, set string) (flags.Version, error) {
	hooks, err := records.ListRecords(ctx, hookKind)
	if err != nil {
		return flags.Version{}, err
	}
	var oldest flags.Version
	for _, it := range hooks {
		h := &Hook{id: it.ID, opts: Options{Records: records}}
		c, err := h.cursor(ctx, set)
		if err != nil {
			return flags.Version{}, err
		}
		needs := c.head.Version
		needs.Revision++
		if oldest.IsZero() || needs.Before(oldest) {
			oldest = needs
		}
	}
	return oldest, nil
}
