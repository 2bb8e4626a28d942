package flagsvc

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
)

// Bounds of what a commit says for people, in bytes.
const (
	maxReason = 1024
	maxActor  = 256 // of each of its parts
)

// checkSaid refuses texts for people that nobody could be shown: the journal keeps them as
// long as the commit, and every list of commits has them. Any characters pass, as in every
// store; it is for those who show them to make them harmless.
func checkSaid(c *flags.Commit) error {
	for _, text := range []struct {
		name, is string
		most     int
	}{{"reason", c.Reason, maxReason}, {"actor's kind", c.Actor.Kind, maxActor}, {"actor's id", c.Actor.ID, maxActor}, {"actor's via", c.Actor.Via, maxActor}} {
		if len(text.is) > text.most {
			return fmt.Errorf("%w: %s of %d bytes; at most %d", flags.ErrInvalid, text.name, len(text.is), text.most)
		}
	}
	return nil
}
