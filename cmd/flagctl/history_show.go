package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/store"
)

func (a *app) showCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show REVISION",
		Short: "Show one commit: who, when, why, and what it changed",
		Long: `Show one commit: who, when, why, and what it changed. REVISION is 57, 0.57 or a
token such as default@0.57~k7q2m9pw.`,
		Example: `  flagctl show 57
  flagctl show default@0.57~k7q2m9pw -o json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				view, err := a.commitAt(ctx, st, args[0])
				if err != nil {
					return err
				}
				return a.print(view, func(w io.Writer) { commitTable(w, view) })
			})
		},
	}
}

func commitTable(w io.Writer, v commitView) {
	row(w, "revision", v.Token)
	row(w, "time", v.Time.Local().Format(time.DateTime))
	row(w, "who", v.Actor)
	for _, f := range [][2]string{{"via", v.Via}, {"address", v.Address}, {"reason", v.Reason}} {
		if f[1] != "" {
			row(w, f[0], f[1])
		}
	}
	row(w, "operation", v.Op)
	row(w)
	changesTable(w, v.Changes)
}

// changesTable shows each change with its lines.
func changesTable(w io.Writer, changes []changeView) {
	for _, c := range changes {
		row(w, c.text())
		for _, line := range c.lines() {
			row(w, "  "+line)
		}
	}
}
