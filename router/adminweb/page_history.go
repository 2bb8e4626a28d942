package adminweb

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/textdiff"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
)

// Bounds of what is shown of a set's history.
const (
	commitsPerPage = 50
	shownChanges   = 100 // of one commit
	namedChanges   = 3   // of one commit in the list
)

// historyPage lists the commits of a set, newest first.
type historyPage struct {
	screen
	Commits []commitRow
	Older   string // version that the page after this one begins at
	Newest  bool
	May     bool
}

// commitRow is a commit in the list.
type commitRow struct {
	flags.Commit
	Summaries []string
	More      int
}

func (v *visit) history() error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	b, c, err := v.open(ctx)
	if err != nil {
		return err
	}
	head := c.Head()
	p := historyPage{screen: v.screen("History", "history").at(head), Newest: v.query.Get("to") == "", May: v.may(authz.Write)}
	to := head.Version
	if !p.Newest {
		f := newForm("", v.query)
		if to = f.version("to"); f.Refused() {
			return fail(http.StatusBadRequest, "No such revision", "%q is no revision.", v.query.Get("to"))
		}
	}
	commits, err := v.commitsUpTo(ctx, head, to)
	if err != nil {
		return err
	}
	for i := range commits {
		row := commitRow{Commit: commits[i]}
		for _, m := range commits[i].Changes[:min(namedChanges, len(commits[i].Changes))] {
			was, _, err := b.trail.before(ctx, v.opts.Store, m.Key, commits[i].Version)
			if err != nil {
				return err
			}
			row.Summaries = append(row.Summaries, textdiff.Summary(m.Key, was, m.Bytes))
		}
		row.More = len(commits[i].Changes) - len(row.Summaries)
		p.Commits = append(p.Commits, row)
	}
	if n := len(commits); n > 0 && commits[n-1].Revision > 1 {
		p.Older = flags.Version{Epoch: commits[n-1].Epoch, Revision: commits[n-1].Revision - 1}.String()
	}
	v.render(http.StatusOK, "history", p)
	return nil
}

// commitsUpTo returns a page of commits, newest first.
func (v *visit) commitsUpTo(ctx context.Context, head flags.Head, to flags.Version) ([]flags.Commit, error) {
	if head.Version.Before(to) {
		to = head.Version
	}
	from := flags.Version{Epoch: to.Epoch, Revision: 1}
	if to.Revision > commitsPerPage {
		from.Revision = to.Revision - commitsPerPage + 1
	}
	var out []flags.Commit
	for !to.Before(from) {
		commits, err := v.opts.Store.Commits(ctx, head.Set, from, to, commitsPerPage)
		if errors.Is(err, store.ErrCompacted) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if len(commits) == 0 {
			break
		}
		out = append(out, commits...) // a store may send fewer than it was asked for
		from = flags.Version{Epoch: to.Epoch, Revision: commits[len(commits)-1].Revision + 1}
	}
	slices.Reverse(out)
	return out, nil
}

// commitPage shows one commit whole.
type commitPage struct {
	screen
	Commit  flags.Commit
	Of      string // its token
	Changes []change
	More    int
	May     bool
	Undo    bool  // it is a change that can be undone, unless a later one changed the same
	Form    *form // of undoing it
}

func (v *visit) commit() error { return v.showCommit(v.query, nil) }

func (v *visit) showCommit(said interface{ Get(string) string }, refused *form) error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	b, c, err := v.open(ctx)
	if err != nil {
		return err
	}
	f := newForm("", map[string][]string{"at": {said.Get("at")}})
	at := f.version("at")
	if f.Refused() || at.IsZero() {
		return fail(http.StatusNotFound, "No such revision", "There is no revision %q.", said.Get("at"))
	}
	commit, err := commitAt(ctx, v.opts.Store, v.set, at)
	if err != nil {
		return fail(http.StatusNotFound, "No such revision", "Revision %s is not in the history of this set, or no longer kept.", at)
	}
	p := commitPage{screen: v.screen("Revision "+at.String(), "history").at(c.Head()), Commit: commit, Of: commit.Head().Token().String(), May: v.may(authz.Write), Undo: undoable(&commit, c.Head()), Form: newForm("", nil)}
	for _, m := range commit.Changes[:min(shownChanges, len(commit.Changes))] {
		ch, err := v.changeOf(ctx, b, at, m)
		if err != nil {
			return err
		}
		p.Changes = append(p.Changes, ch)
	}
	p.More = len(commit.Changes) - len(p.Changes)
	if refused != nil {
		p.Form = refused
	}
	v.render(p.Form.status(), "commit", p)
	return nil
}
