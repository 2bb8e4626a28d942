package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// setView is a flag set as it is shown.
type setView struct {
	Set     string    `json:"set"`
	Token   string    `json:"token"`
	Status  string    `json:"status"`
	Entries int       `json:"entries"`
	Changed time.Time `json:"changed"`
}

func viewOfSet(h flags.Head) setView {
	return setView{Set: h.Set, Token: h.Token().String(), Status: h.Status.String(), Entries: h.Count, Changed: h.Time}
}

func (a *app) setsCmd() *cobra.Command {
	return group("sets", "List, compare, promote, create and delete flag sets",
		&cobra.Command{
			Use: "list", Short: "List the flag sets", Args: cobra.NoArgs, Example: "  flagctl sets list -o json",
			RunE: func(cmd *cobra.Command, _ []string) error { return a.with(cmd.Context(), a.listSets) },
		},
		a.endingSetCmd("create NAME", "Begin a flag set, or a deleted one again", flags.OpCreate),
		a.endingSetCmd("delete NAME", "Delete a flag set; its history stays", flags.OpDelete),
		a.setsDiffCmd(),
		a.setsPromoteCmd(),
	)
}

func (a *app) endingSetCmd(use, short string, op flags.Op) *cobra.Command {
	w := &writeFlags{}
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1), Example: fmt.Sprintf("  flagctl sets %s checkout-prod --dry-run", op),
		ValidArgsFunction: a.completeSets(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.set = args[0]
			if err := flags.CheckSetName(a.set); err != nil && op == flags.OpCreate {
				return usagef("%s", strings.TrimPrefix(err.Error(), "flags: "))
			}
			if err := a.checkWrite(w); err != nil {
				return err
			}
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				commit, err := a.newCommit(ctx, st, w)
				if err != nil {
					return err
				}
				commit.Op = op
				return a.apply(ctx, cmd.Context(), st, w, commit, fmt.Sprintf("set %q %sd", a.set, op))
			})
		},
	}
	w.register(cmd)
	return cmd
}

func (a *app) listSets(ctx context.Context, st store.Store) error {
	heads, err := st.Sets(ctx)
	if err != nil {
		return err
	}
	views := make([]setView, 0, len(heads))
	for _, h := range heads {
		views = append(views, viewOfSet(h))
	}
	return a.print(views, func(w io.Writer) { setsTable(w, views) })
}

func setsTable(w io.Writer, views []setView) {
	row(w, "SET", "REVISION", "STATUS", "ENTRIES", "CHANGED")
	for _, v := range views {
		row(w, v.Set, v.Token, v.Status, v.Entries, v.Changed.Local().Format(time.DateTime))
	}
}
