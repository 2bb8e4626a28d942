package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// commitView is a commit as it is shown.
type commitView struct {
	Token   string       `json:"token"`
	Time    time.Time    `json:"time"`
	Op      string       `json:"op"`
	Actor   string       `json:"actor"`
	Via     string       `json:"via,omitempty"`
	Address string       `json:"address,omitempty"`
	Reason  string       `json:"reason,omitempty"`
	Changes []changeView `json:"changes"`
}

func (a *app) historyCmd() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "history [KEY]",
		Short: "Show who changed what, when and why, newest first",
		Example: `  flagctl history
  flagctl history new-checkout --limit 5 -o json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeFlag,
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return usagef("--limit %d: want a number of commits, or 0 for all that are kept", limit)
			}
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				views, err := a.history(ctx, st, first(args), limit)
				if err != nil {
					return err
				}
				return a.print(views, func(w io.Writer) { historyTable(w, views) })
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "show at most so many commits; 0 shows all that are kept")
	return cmd
}

func historyTable(w io.Writer, views []commitView) {
	row(w, "REVISION", "TIME", "WHO", "WHAT", "REASON")
	for _, v := range views {
		what := v.Op
		for i, c := range v.Changes {
			if i == 3 && len(v.Changes) > 4 {
				what += fmt.Sprintf("; and %d more", len(v.Changes)-i)
				break
			}
			if i == 0 && v.Op == flags.OpChange.String() {
				what = c.text()
			} else {
				what += "; " + c.text()
			}
		}
		row(w, v.Token, v.Time.Local().Format(time.DateTime), v.Actor, what, v.Reason)
	}
}

// history returns the newest limit commits that concern key, newest first.
func (a *app) history(ctx context.Context, st store.Store, key string, limit int) ([]commitView, error) {
	head, err := st.Head(ctx, a.set)
	if err != nil {
		return nil, err
	}
	from, err := oldest(ctx, st, head)
	if err != nil {
		return nil, err
	}
	views := []commitView{} // an empty list in JSON, not null
	past := newPast(from != firstVersion)
	err = store.EachCommit(ctx, st, head.Set, from, head.Version, func(c *flags.Commit) {
		v := past.viewOf(c, key)
		if key == "" || len(v.Changes) > 0 {
			views = append(views, v)
		}
	})
	if err != nil {
		return nil, err
	}
	if key != "" && len(views) == 0 {
		return nil, notFoundf("`flagctl list` shows the flags there are", "no commit in the history of %q concerns flag %q", a.set, key)
	}
	slices.Reverse(views)
	if limit > 0 && len(views) > limit {
		return views[:limit], nil
	}
	if from != firstVersion {
		fmt.Fprintf(a.std.err, "commits before %s are no longer kept\n", from)
	}
	return views, nil
}

var firstVersion = flags.Version{Revision: 1}

// oldest returns the version at which the journal begins: the first there is, or a
// later one where older commits were compacted.
func oldest(ctx context.Context, h store.History, head flags.Head) (flags.Version, error) {
	commits, err := h.Commits(ctx, head.Set, flags.Version{}, head.Version, 1)
	if err != nil || len(commits) == 0 {
		return head.Version, err
	}
	return commits[0].Version, nil
}

// past is what the entries were before the commit that is looked at.
type past struct {
	entries map[flags.EntryKey][]byte
	partial bool // what has not been seen yet is unknown, not absent
}

func newPast(partial bool) *past {
	return &past{entries: map[flags.EntryKey][]byte{}, partial: partial}
}

// viewOf shows a commit, or the part of it that concerns the flag key, and moves
// the past on.
func (p *past) viewOf(c *flags.Commit, key string) commitView {
	v := commitView{
		Token: c.Head().Token().String(), Time: c.Time, Op: c.Op.String(), Actor: actorText(c.Actor), Via: c.Actor.Via,
		Address: c.Address, Reason: c.Reason, Changes: []changeView{},
	}
	p.begin(c)
	for _, m := range c.Changes {
		before, known := p.entries[m.Key]
		p.entries[m.Key] = m.Bytes
		if key != "" && !concerns(m.Key, key) {
			continue
		}
		view := changeOf(m.Key, before, m.Bytes)
		if p.partial && !known && m.Bytes != nil {
			view.old = true
			view.Summary = m.Key.String() + " set; what it was before is no longer kept"
		}
		v.Changes = append(v.Changes, view)
	}
	return v
}

// pass moves the past on by a commit that is not shown.
func (p *past) pass(c *flags.Commit) {
	p.begin(c)
	for _, m := range c.Changes {
		p.entries[m.Key] = m.Bytes
	}
}

func (p *past) begin(c *flags.Commit) {
	if c.Op == flags.OpCreate || c.Op == flags.OpDelete {
		*p = *newPast(false)
	}
}

func concerns(k flags.EntryKey, key string) bool {
	return k.Name == key && (k.Kind == flags.KindFlag || k.Kind == flags.KindOverride)
}

func actorText(a flags.Actor) string {
	if a.ID == "" {
		return a.Kind
	}
	return a.ID
}

func first(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return ""
}
