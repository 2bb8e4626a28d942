package adminweb

import (
	"context"
	"net/http"
	"strconv"

	"github.com/holdfast-flags/holdfast/flags"
)

// editDefinition changes a flag as a form says, on condition that it still is what
// the form was made from. It returns the revision of the commit. What the form is
// refused for is noted in it; the error is of what no form can mend.
func (v *visit) editDefinition(f *form, key string, change func(flags.Definition) flags.Definition, fieldOf func(flags.Fault) string) (saved string, err error) {
	return v.editEntry(f, flags.FlagKey(key), fieldOf, func(was []byte) []byte {
		def, err := flags.ParseDefinition(was)
		if err != nil {
			f.refuse("", "The definition cannot be read: %v", err)
			return was
		}
		return change(def).Bytes()
	})
}

// showConflict fills in both sides of a conflict: what others made of the entry
// since was, and what the form makes of it.
func (v *visit) showConflict(ctx context.Context, f *form, key flags.EntryKey, was, mine []byte) error {
	b, c, err := v.open(ctx)
	if err != nil {
		return err
	}
	e, ok := c.Get(key)
	f.Conflict = &conflict{By: b.trail.last(key, c.Head().Version), Theirs: diff(key, was, e.Bytes), Mine: diff(key, was, mine), Deleted: !ok}
	return nil
}

// editEntry replaces an entry as a form says: change gets what it was when the
// form was made, nil where there was none, and returns what it is to be, nil to
// delete it. fieldOf says which field a fault belongs to. with are changes that go with it.
func (v *visit) editEntry(f *form, key flags.EntryKey, fieldOf func(flags.Fault) string, change func(was []byte) []byte, with ...flags.Mutation) (saved string, err error) {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	b, c, err := v.open(ctx)
	if err != nil {
		return "", err
	}
	base := f.version("base")
	commit := v.commitOf(f)
	if len(f.problems) > 0 {
		return "", nil
	}
	was, err := v.formOf(ctx, b, c, key, base)
	if err != nil {
		return "", err
	}
	mine := change(was)
	if len(f.problems) > 0 {
		return "", nil
	}
	if string(mine) == string(was) && (mine == nil) == (was == nil) {
		f.refuse("", "Nothing would change: it is like that already.")
		return "", nil
	}
	commit.Changes = append([]flags.Mutation{{Key: key, Bytes: mine}}, with...)
	commit.Conditions = []flags.Condition{{Key: key, Version: base}}
	accepted, ok := v.apply(f, commit, fieldOf)
	if f.Conflict != nil {
		return "", v.showConflict(ctx, f, key, was, mine)
	}
	if !ok {
		return "", nil
	}
	return strconv.FormatUint(accepted.Revision, 10), nil
}

// formOf returns an entry as it was at a version that a form was made from: nil
// for the zero version, at which it was not there.
func (v *visit) formOf(ctx context.Context, b *board, c *catalog, key flags.EntryKey, base flags.Version) ([]byte, error) {
	if base.IsZero() {
		return nil, nil
	}
	if e, ok := c.Get(key); ok && v.baseOf(c, e.Revision) == base.String() {
		return e.Bytes, nil // the journal is not needed for what is there now
	}
	data, err := b.trail.at(ctx, v.opts.Store, key, base)
	if err != nil || data == nil {
		return nil, fail(http.StatusConflict, "Changed meanwhile", "%s has changed since this form was made, and what it was then is no longer kept. Load the page again; nothing was changed.", key)
	}
	return data, nil
}
