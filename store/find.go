package store

import (
	"context"
	"errors"

	"github.com/holdfast-flags/holdfast/flags"
)

// Find returns the commit of an id, if the journal of the set has it (as far back as
// Apply knows ids). It asks with a commit that nobody could accept: what was
// applied is recognized before it is judged.
func Find(ctx context.Context, w Writer, set string, id flags.CommitID) (c flags.Commit, found bool, err error) {
	c, err = w.Apply(ctx, flags.Commit{Set: set, ID: id})
	switch {
	case err == nil:
		return c, true, nil
	case errors.Is(err, ErrInvalid), errors.Is(err, ErrNotFound), errors.Is(err, ErrEnded):
		return flags.Commit{}, false, nil
	default:
		return flags.Commit{}, false, err
	}
}
