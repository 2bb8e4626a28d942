package store_test

import (
	"slices"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// TestUndo: what a commit changed becomes what it was, except what later commits have
// changed, even back and forth, and what is so already.
func TestUndo(t *testing.T) {
	key := flags.FlagKey("f")
	entry := func(revision uint64, data string) *flags.Entry {
		return &flags.Entry{Key: key, Bytes: []byte(data), Revision: revision}
	}
	for name, c := range map[string]struct {
		before, after string // "" for none
		now           *flags.Entry
		want          string // what it becomes; "" deleted
		kept, changed bool
	}{
		"changed":                          {"1", "2", entry(7, "2"), "1", false, false},
		"created":                          {"", "2", entry(7, "2"), "", false, false},
		"deleted":                          {"1", "", nil, "1", false, false},
		"changed, and again since":         {"1", "2", entry(8, "3"), "", false, true},
		"changed, and there and back":      {"1", "2", entry(9, "2"), "", false, true},
		"changed, and deleted since":       {"1", "2", nil, "", false, true},
		"created, and deleted since":       {"", "2", nil, "", true, false},
		"deleted, and another since":       {"1", "", entry(8, "3"), "", false, true},
		"changed, and as before by others": {"1", "2", entry(8, "1"), "", true, false},
	} {
		bytesOf := func(s string) []byte {
			if s == "" {
				return nil
			}
			return []byte(s)
		}
		commit := flags.Commit{Changes: []flags.Mutation{{Key: key, Bytes: bytesOf(c.after)}}}
		commit.Revision = 7
		changes, changed := store.Undo(&commit, []store.Before{{Bytes: bytesOf(c.before), Known: true}}, func(flags.EntryKey) (flags.Entry, bool) {
			if c.now == nil {
				return flags.Entry{}, false
			}
			return *c.now, true
		})
		if got := slices.Contains(changed, key); got != c.changed {
			t.Errorf("%s: changed since is %v", name, got)
		}
		switch {
		case c.kept || c.changed:
			if len(changes) > 0 {
				t.Errorf("%s: is undone to %s", name, changes[0].Bytes)
			}
		case len(changes) != 1 || string(changes[0].Bytes) != c.want || (changes[0].Bytes == nil) != (c.want == ""):
			t.Errorf("%s: undone by %v", name, changes)
		}
	}
}
