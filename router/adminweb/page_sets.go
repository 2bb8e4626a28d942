package adminweb

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/textdiff"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
)

// setsPage lists the flag sets.
type setsPage struct {
	screen
	All  []flags.Head
	Form *form
	May  bool
}

func (v *visit) listSets() error { return v.showSets(newForm("new", nil)) }

func (v *visit) showSets(f *form) error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	heads, err := v.opts.Store.Sets(ctx)
	if err != nil {
		return err
	}
	p := setsPage{screen: v.screen("Sets", "sets"), Form: f, May: v.may(authz.Admin)}
	for _, h := range heads {
		if v.opts.Policy.Decide(v.who, authz.Read, h.Set) == nil {
			p.All = append(p.All, h)
		}
	}
	v.render(f.status(), "sets", p)
	return nil
}

// createSet begins a set, or a deleted one again.
func (v *visit) createSet() error {
	f := newForm("new", v.r.PostForm)
	v.set = f.line("set", flags.MaxSetName)
	if err := flags.CheckSetName(v.set); err != nil {
		f.refuse("set", "Use 1 to %d of a-z A-Z 0-9 . _ -, beginning with a letter or digit.", flags.MaxSetName)
	}
	if err := v.opts.Policy.Decide(v.who, authz.Admin, v.set); err != nil {
		return err
	}
	c := v.commitOf(f)
	c.Op = flags.OpCreate
	if !f.Refused() {
		accepted, err := v.commitOnce(c)
		switch {
		case err == nil:
			return v.redirect(v.path("flags"), url.Values{"saved": {strconv.FormatUint(accepted.Revision, 10)}})
		case errors.Is(err, store.ErrExists):
			f.refuse("set", "There is a set of this name already.")
		default:
			return err
		}
	}
	v.set = ""
	return v.showSets(f)
}

// comparePage shows what differs between two sets, and promotes some of it.
type comparePage struct {
	screen
	From, To string
	Rows     []difference
	More     int
	May      bool
	Form     *form
}

// difference is an entry that two sets have differently.
type difference struct {
	Key     flags.EntryKey
	Name    string // of the field of the form: kind, name and entity
	Summary string // of what promoting it would do
	Lines   []line
	Base    string // version of the entry in the set that it goes to
	From    string // version of the entry in the set that it comes from
	Deleted bool   // it is only there
}

// shownDifferences bounds a comparison; flagctl has all.
const shownDifferences = 200

func (v *visit) compare() error {
	return v.showComparison(v.query.Get("from"), v.query.Get("to"), newForm("promote", nil))
}

func (v *visit) showComparison(from, to string, f *form) error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	for _, set := range []string{from, to} {
		if err := v.opts.Policy.Decide(v.who, authz.Read, set); err != nil {
			return err
		}
	}
	v.set = from
	_, source, err := v.open(ctx)
	if err != nil {
		return err
	}
	v.set = to
	_, target, err := v.open(ctx)
	if err != nil {
		return err
	}
	p := comparePage{screen: v.screen("Compare", "sets").at(target.Head()), From: from, To: to, May: v.may(authz.Write), Form: f}
	changes := differences(source, target)
	for _, m := range changes[:min(len(changes), shownDifferences)] {
		e, _ := target.Get(m.Key)
		comes, _ := source.Get(m.Key)
		p.Rows = append(p.Rows, difference{
			Key: m.Key, Name: entryName(m.Key), Summary: textdiff.Summary(m.Key, e.Bytes, m.Bytes), Lines: diff(m.Key, e.Bytes, m.Bytes),
			Base: v.baseOf(target, e.Revision), From: v.baseOf(source, comes.Revision), Deleted: m.Bytes == nil,
		})
	}
	p.More = len(changes) - len(p.Rows)
	v.render(f.status(), "compare", p)
	return nil
}

// differences returns what would make the target like the source, sorted. Overrides
// are for the entities of one environment: they are left alone.
func differences(source, target *catalog) []flags.Mutation {
	promoted := func(c *catalog) []flags.Entry {
		return slices.Concat(c.entries(flags.KindFlag, nil), c.entries(flags.KindEvaluator, nil))
	}
	changes := flags.Diff(promoted(target), promoted(source), true)
	slices.SortFunc(changes, func(a, b flags.Mutation) int {
		return cmp.Or(cmp.Compare(a.Key.Kind, b.Key.Kind), a.Key.Compare(b.Key))
	})
	return changes
}

func entryName(k flags.EntryKey) string { return k.Kind.String() + ":" + k.Name }

// promote takes the chosen entries of one set over into another, in one commit, on
// condition that they, and what they replace, are what was shown.
func (v *visit) promote() error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	f := newForm("promote", v.r.PostForm)
	from, to := f.Value("from"), v.set
	if err := v.opts.Policy.Decide(v.who, authz.Read, from); err != nil {
		return err
	}
	v.set = from
	_, source, err := v.open(ctx)
	if err != nil {
		return err
	}
	v.set = to
	c := v.commitOf(f)
	for _, name := range f.Values("entry") {
		key := flags.FlagKey(name[min(len("flag:"), len(name)):])
		if name != entryName(key) {
			key = segmentKey(name[min(len("evaluator:"), len(name)):])
		}
		if name != entryName(key) {
			f.refuse("", "The form names %q, which is no flag or segment.", short(name))
			continue
		}
		e, _ := source.Get(key)
		if v.baseOf(source, e.Revision) != f.Value("from:"+name) {
			f.refuse("", "Somebody has changed one of these in %s meanwhile. Below is how it is now: choose again.", from)
		}
		c.Changes = append(c.Changes, flags.Mutation{Key: key, Bytes: e.Bytes})
		c.Conditions = append(c.Conditions, flags.Condition{Key: key, Version: f.version("base:" + name)})
	}
	if len(c.Changes) == 0 {
		f.refuse("", "Choose what to promote.")
	}
	accepted, ok := v.apply(f, c, at(""))
	if f.Conflict != nil {
		f.Conflict = nil
		f.refuse("", "Somebody has changed one of these in %s meanwhile. Below is how it is now: choose again.", to)
	}
	if !ok {
		return v.showComparison(from, to, f)
	}
	return v.redirect("/sets/compare", url.Values{"from": {from}, "to": {to}, "saved": {strconv.FormatUint(accepted.Revision, 10)}})
}
