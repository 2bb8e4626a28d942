package adminweb

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// revert undoes one commit and keeps those after it, in one new commit. Where a later one
// changed the same entries, they are named and nothing is written.
func (v *visit) revert() error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	f := newForm("revert", v.r.PostForm)
	_, now, err := v.open(ctx)
	if err != nil {
		return err
	}
	undone, err := commitAt(ctx, v.opts.Store, v.set, f.version("at"))
	if err != nil {
		return fail(http.StatusNotFound, "No such revision", "Revision %q is not in the history of this set, or no longer kept.", short(f.Value("at")))
	}
	c := v.commitOf(f)
	c.Reason = cmp.Or(c.Reason, "revert of "+undone.Head().Token().String())
	if err := v.undo(ctx, f, &c, &undone, now); err != nil {
		return err
	}
	accepted, ok := v.apply(f, c, at(""))
	if f.Conflict != nil {
		f.Conflict = nil
		f.refuse("", "Somebody has changed one of these meanwhile. Nothing was changed: look at the history.")
	}
	if !ok {
		return v.showCommit(v.r.PostForm, f)
	}
	return v.redirect(v.path("history"), url.Values{"saved": {strconv.FormatUint(accepted.Revision, 10)}})
}

// undo fills in what a commit has to change to undo another, on condition that nobody
// has changed the same.
func (v *visit) undo(ctx context.Context, f *form, c, undone *flags.Commit, now *catalog) error {
	if !undoable(undone, now.Head()) {
		f.refuse("", "This is no change of entries, or of before the set was made anew: it cannot be undone.")
		return nil
	}
	befores, err := store.Befores(ctx, v.opts.Store, []flags.Commit{*undone}, mostReadBack)
	if err != nil {
		return err
	}
	for i, b := range befores[0] {
		if !b.Known {
			f.refuse("", "What %s was before is no longer kept.", undone.Changes[i].Key)
			return nil
		}
	}
	changes, changed := store.Undo(undone, befores[0], now.Get)
	switch {
	case len(changed) > 0:
		f.refuse("", "Later revisions have changed %s, too. Nothing was changed: undo those first, or roll the set back.", namesOf(changed))
	case len(changes) == 0:
		f.refuse("", "Nothing would change: what it changed is as it was before it.")
	}
	c.Changes = changes
	for _, m := range changes {
		on := flags.Condition{Key: m.Key}
		if e, ok := now.Get(m.Key); ok {
			on.Version = flags.Version{Epoch: now.Head().Epoch, Revision: e.Revision}
		}
		c.Conditions = append(c.Conditions, on)
	}
	return nil
}

// mostReadBack bounds how many commits are read to find what one replaced.
const mostReadBack = 100_000

func undoable(c *flags.Commit, head flags.Head) bool {
	return c.Op == flags.OpChange && c.Epoch == head.Epoch
}

// namesOf names entries, not too many of them.
func namesOf(keys []flags.EntryKey) string {
	const most = 5
	var names []string
	for _, key := range keys[:min(most, len(keys))] {
		names = append(names, key.String())
	}
	text := strings.Join(names, ", ")
	if more := len(keys) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
