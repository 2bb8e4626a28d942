package store

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
)

// Assemble puts a set together from an update for a reader who had nothing, and
// checks that it adds up. The error wraps flags.ErrDigest, flags.ErrGap or
// flags.ErrLineage.
func Assemble(set string, u flags.Update) (*flags.Contents, error) {
	c := flags.NewContents(set)
	if u.Checkpoint != nil {
		c = flags.ContentsOf(u.Checkpoint)
	}
	for i := range u.Commits {
		if err := c.Apply(&u.Commits[i]); err != nil {
			return nil, err
		}
	}
	if h := c.Head(); h.Lineage != u.Head.Lineage || h.Version != u.Head.Version {
		return nil, fmt.Errorf("%w: the update leads to %s, not to %s", flags.ErrGap, h.Token(), u.Head.Token())
	}
	if h := c.Head(); h.Digest != u.Head.Digest || h.Count != u.Head.Count {
		return nil, fmt.Errorf("%w: %s has %d entries adding up to %s, head says %d and %s",
			flags.ErrDigest, h.Token(), h.Count, h.Digest, u.Head.Count, u.Head.Digest)
	}
	return c, nil
}
