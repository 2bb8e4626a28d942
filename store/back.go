package store

import (
	"bytes"

	"github.com/holdfast-flags/holdfast/flags"
)

// Back returns what makes the entries that are meant what they were then: those that
// have come since are deleted. The edit relies on each that it changes.
func (v *View) Back(then *flags.Contents, meant func(flags.EntryKey) bool) []flags.Mutation {
	var is, was []flags.Entry
	for e := range v.All() {
		if meant(e.Key) {
			is = append(is, e)
		}
	}
	for e := range then.All() {
		if meant(e.Key) {
			was = append(was, e)
		}
	}
	return v.Rely(flags.Diff(is, was, true))
}

// Undo returns what makes the entries of a commit what they were before it, as Befores
// tells; those that are so already are left out. changed are entries that a later commit
// of the epoch has changed, so that going back would undo that one, too. now returns an
// entry as it is; that of a View makes the edit rely on it.
func Undo(c *flags.Commit, before []Before, now func(flags.EntryKey) (flags.Entry, bool)) (changes []flags.Mutation, changed []flags.EntryKey) {
	for i, m := range c.Changes {
		e, is := now(m.Key)
		was := before[i].Bytes
		switch {
		case is == (was != nil) && bytes.Equal(e.Bytes, was):
		case is != (m.Bytes != nil), is && e.Revision != c.Revision:
			changed = append(changed, m.Key)
		default:
			changes = append(changes, flags.Mutation{Key: m.Key, Bytes: was})
		}
	}
	return changes, changed
}
