package adminweb

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/textdiff"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// rollbackPage shows what going back to a revision would change, and asks for the
// confirmation.
type rollbackPage struct {
	screen
	Then   flags.Head // of what would be there again
	Base   string     // version that the page was made from
	Rows   []change
	More   int
	Number int // of entries that would change
	May    bool
	Form   *form
}

// shownRollback bounds the differences that are shown before a rollback.
const shownRollback = 100

func (v *visit) confirmRollback() error { return v.showRollback(v.query.Get("to"), newForm("", nil)) }

func (v *visit) showRollback(to string, f *form) error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	b, now, err := v.open(ctx)
	if err != nil {
		return err
	}
	then, err := v.at(ctx, b, now, to)
	if err != nil {
		return err
	}
	p := rollbackPage{
		screen: v.screen("Roll back", "history").at(now.Head()), Then: then.Head(), Base: now.Head().Version.String(),
		May: v.may(authz.Write), Form: f,
	}
	p.Live = false // what was confirmed must be what was read
	changes := now.ways(then)
	for _, m := range changes[:min(len(changes), shownRollback)] {
		e, _ := now.Get(m.Key)
		p.Rows = append(p.Rows, change{Summary: textdiff.Summary(m.Key, e.Bytes, m.Bytes), Lines: diff(m.Key, e.Bytes, m.Bytes)})
	}
	p.Number, p.More = len(changes), len(changes)-len(p.Rows)
	v.render(f.status(), "rollback", p)
	return nil
}

// ways returns what makes a set what another version of it is, sorted.
func (c *catalog) ways(to *catalog) []flags.Mutation {
	changes := flags.Diff(c.Checkpoint().Entries, to.Checkpoint().Entries, true)
	slices.SortFunc(changes, func(a, b flags.Mutation) int { return a.Key.Compare(b.Key) })
	return changes
}

// summaries says what changes do to a set, a line each.
func (c *catalog) summaries(changes []flags.Mutation) []line {
	var out []line
	for _, m := range changes[:min(len(changes), shownRollback)] {
		e, _ := c.Get(m.Key)
		out = append(out, line{Text: textdiff.Summary(m.Key, e.Bytes, m.Bytes)})
	}
	return out
}

// rollback makes the set what it was, in one commit, on condition that it still is
// at the version that was confirmed. The commit follows from the form alone, so that
// the same form sent twice is one rollback.
func (v *visit) rollback() error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	f := newForm("rollback", v.r.PostForm)
	to := f.Value("to")
	b, now, err := v.open(ctx)
	if err != nil {
		return err
	}
	then, err := v.at(ctx, b, now, to)
	if err != nil {
		return err
	}
	base, err := v.at(ctx, b, now, f.Value("base"))
	if err != nil {
		return err
	}
	c := v.commitOf(f)
	c.Reason = cmp.Or(c.Reason, "rollback to "+then.Head().Token().String())
	c.If, c.Changes = base.Head().Version, base.ways(then)
	if len(c.Changes) == 0 {
		f.refuse("", "Nothing would change: the set is like that already.")
	}
	accepted, ok := v.apply(f, c, at(""))
	if f.Conflict != nil {
		if err := v.showMeanwhile(ctx, f, base, c.Changes); err != nil {
			return err
		}
	}
	if !ok {
		return v.showRollback(to, f)
	}
	return v.redirect(v.path("history"), url.Values{"saved": {strconv.FormatUint(accepted.Revision, 10)}})
}

// showMeanwhile fills in a conflict over the whole set: who was faster, and what
// both sides do to what the form was made from.
func (v *visit) showMeanwhile(ctx context.Context, f *form, base *catalog, mine []flags.Mutation) error {
	_, now, err := v.open(ctx)
	if err != nil {
		return err
	}
	f.Conflict = &conflict{Theirs: base.summaries(base.ways(now)), Mine: base.summaries(mine)}
	if c, err := commitAt(ctx, v.opts.Store, v.set, now.Head().Version); err == nil {
		f.Conflict.By = stampOf(&c)
	}
	return nil
}
