package remote

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
)

// Follow checks that commits are dense and lead on from at, and returns where to.
// The error wraps flags.ErrGap.
func Follow(at flags.Head, commits []flags.Commit) (flags.Head, error) {
	for i := range commits {
		c := &commits[i]
		next, err := at.NextVersion(c.Op)
		if err != nil {
			return at, err
		}
		if c.Set != at.Set || c.Lineage != at.Lineage || c.Version != next {
			return at, fmt.Errorf("%w: %s after %s", flags.ErrGap, c.Head().Token(), at.Token())
		}
		at = c.Head()
	}
	return at, nil
}

// Complete checks that an update leads from have to its head, as an answer that
// was cut but looks like an end in good order would not. The error wraps flags.ErrFormat.
func Complete(u *flags.Update, have flags.Head) error {
	at := have
	if u.Checkpoint != nil {
		at = u.Checkpoint.Head
	}
	if n := len(u.Commits); n > 0 {
		at = u.Commits[n-1].Head()
	}
	if at.Version != u.Head.Version || at.Digest != u.Head.Digest || at.Lineage != u.Head.Lineage {
		return fmt.Errorf("%w: fetched up to %s of %s", flags.ErrFormat, at.Token(), u.Head.Token())
	}
	return nil
}
