package main

import (
	"context"
	"errors"
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
	fmt.Fprintln(w, "REVISION\tTIME\tWHO\tWHAT\tREASON")
	for _, v := range views {
		what := v.Op
		for i, c := range v.Changes {
			if i == 3 && len(v.Changes) > 4 {
				what += fmt.Sprintf("; and %d more", len(v.Changes)-i)
				break
			}
			if i == 0 && v.Op == flags.OpChange.String() {
				what = c.Summary
			} else {
				what += "; " + c.Summary
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Token, v.Time.Local().Format(time.DateTime), v.Actor, what, v.Reason)
	}
}

// history returns the newest limit commits that concern key, newest first.
func (a *app) history(ctx context.Context, st store.Store, key string, limit int) ([]commitView, error) {
	head, err := st.Head(ctx, a.set)
	if err != nil {
		return nil, err
	}
	views := []commitView{} // an empty list in JSON, not null
	before := map[flags.EntryKey][]byte{}
	err = eachCommit(ctx, st, head, func(c *flags.Commit) {
		v := viewOf(c, before, key)
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
		views = views[:limit]
	}
	return views, nil
}

// eachCommit calls f for every commit that is kept, oldest first.
func eachCommit(ctx context.Context, h store.History, head flags.Head, f func(*flags.Commit)) error {
	from := flags.Version{Revision: 1}
	for {
		commits, err := h.Commits(ctx, head.Set, from, head.Version, 0)
		if errors.Is(err, store.ErrCompacted) {
			return fmt.Errorf("the oldest commits are no longer kept: %w", err)
		}
		if err != nil {
			return err
		}
		if len(commits) == 0 {
			return nil
		}
		for i := range commits {
			f(&commits[i])
		}
		from = commits[len(commits)-1].Version
		from.Revision++
	}
}

// viewOf shows a commit, or the part of it that concerns the flag key, and keeps
// before up to date.
func viewOf(c *flags.Commit, before map[flags.EntryKey][]byte, key string) commitView {
	v := commitView{
		Token: c.Head().Token().String(), Time: c.Time, Op: c.Op.String(), Actor: actorText(c.Actor), Via: c.Actor.Via,
		Address: c.Address, Reason: c.Reason, Changes: []changeView{},
	}
	if c.Op == flags.OpCreate || c.Op == flags.OpDelete {
		clear(before)
	}
	for _, m := range c.Changes {
		if key == "" || concerns(m.Key, key) {
			v.Changes = append(v.Changes, changeOf(m.Key, before[m.Key], m.Bytes))
		}
		before[m.Key] = m.Bytes
	}
	return v
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
