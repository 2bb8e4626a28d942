package store

import "github.com/holdfast-flags/holdfast/flags"

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
