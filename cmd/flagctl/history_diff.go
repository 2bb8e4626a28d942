package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// diffView is what leads from one form of a set to another.
type diffView struct {
	From    string       `json:"from"`
	To      string       `json:"to"`
	Changes []changeView `json:"changes"`
}

// diffFlags are the flags of the commands that compare.
type diffFlags struct{ exitCode bool }

func (d *diffFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&d.exitCode, "exit-code", false, "exit with 1 where there is a difference")
}

func (a *app) diffCmd() *cobra.Command {
	d := &diffFlags{}
	cmd := &cobra.Command{
		Use:               "diff REVISION [REVISION] | diff FILE",
		ValidArgsFunction: completeFile,
		Short:             "Show what changed between two revisions, or between the set and a file",
		Long: `Show what leads from one revision to another, or to the set as it is now. With a
flagd file (JSON or YAML, - for standard input) show what leads from the set to
the file: what ` + "`flagctl import --prune`" + ` would do. A file whose name looks like a
revision is written ./57. For two sets there is ` + "`flagctl sets diff`" + `.`,
		Example: `  flagctl diff 57
  flagctl diff 0.57 0.60
  flagctl diff flags.yaml --exit-code`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				if !isRevision(args[0]) {
					if len(args) > 1 {
						return usagef("%q is no revision; two revisions, or one file", args[0])
					}
					return a.diffFile(ctx, st, d, args[0])
				}
				from, err := a.at(ctx, st, args[0])
				if err != nil {
					return err
				}
				to, err := a.at(ctx, st, first(args[1:]))
				if err != nil {
					return err
				}
				return a.diff(d, from, to.Head().Token().String(), to.Checkpoint().Entries)
			})
		},
	}
	d.register(cmd)
	return cmd
}

func (a *app) diffFile(ctx context.Context, st store.Store, d *diffFlags, path string) error {
	doc, err := a.readDocument(path)
	if err != nil {
		return err
	}
	from, err := a.contents(ctx, st)
	if err != nil {
		return err
	}
	return a.diff(d, from, path, doc.Entries())
}

func (a *app) setsDiffCmd() *cobra.Command {
	d := &diffFlags{}
	cmd := &cobra.Command{
		Use: "diff A B", Short: "Show what leads from one set to another", Args: cobra.ExactArgs(2),
		Example:           "  flagctl sets diff checkout-staging checkout-prod --exit-code",
		ValidArgsFunction: a.completeSets(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				var sets [2]*flags.Contents
				for i, name := range args {
					a.set = name
					c, err := a.contents(ctx, st)
					if err != nil {
						return err
					}
					sets[i] = c
				}
				return a.diff(d, sets[0], sets[1].Head().Token().String(), sets[1].Checkpoint().Entries)
			})
		},
	}
	d.register(cmd)
	return cmd
}

// diff prints what leads from a set to entries.
func (a *app) diff(d *diffFlags, from *flags.Contents, name string, to []flags.Entry) error {
	changes := flags.Diff(from.Checkpoint().Entries, to, true)
	view := diffView{From: from.Head().Token().String(), To: name, Changes: viewOfChanges(from, changes)}
	err := a.print(view, func(w io.Writer) {
		row(w, fmt.Sprintf("%s -> %s: %d changed", view.From, view.To, len(view.Changes)))
		changesTable(w, view.Changes)
	})
	if err == nil && d.exitCode && len(changes) > 0 {
		return &exitError{code: exitFailed, err: fmt.Errorf("%d entries differ", len(changes))}
	}
	return err
}
