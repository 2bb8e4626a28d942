package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
	"github.com/holdfast-flags/holdfast/store"
)

func (a *app) importCmd() *cobra.Command {
	w := &writeFlags{}
	format := &fileFormat{}
	var prune bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Write the flags of a file (JSON or YAML) into the set, in one commit",
		Long: `Write the flags of a flagd file, or of one that another product exported, into
the set, in one commit: all of them or, where any definition has a fault, none.
FILE may be - for standard input. Flags that the file does not name stay as they
are, unless --prune is given. A set that does not exist is created.

Of other products, what is not exactly the same here is noted on standard error,
flag by flag. What cannot be kept at all is listed, and nothing is written; with
--lossy it is left out, and the flags that it is of are imported switched off.`,
		Example: `  flagctl import flags.json --reason "initial import"
  flagctl import flags.yaml --prune --dry-run
  flagctl import export.json --format launchdarkly --environment production --dry-run`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: completeFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			p := a.progress()
			defer p.done()
			p.say("reading %s", args[0])
			doc, notes, err := a.read(args[0], format)
			if err != nil {
				return err
			}
			w.notes = notes
			p.say("importing %d entries", len(doc.Entries()))
			return a.importDocument(cmd, w, doc, prune)
		},
	}
	format.register(cmd)
	cmd.Flags().BoolVar(&prune, "prune", false, "delete what the file does not name")
	w.register(cmd)
	return cmd
}

// importDocument writes the document as one commit: the first one of a new set,
// or the difference to what is there.
func (a *app) importDocument(cmd *cobra.Command, w *writeFlags, doc *flags.Document, prune bool) error {
	if err := a.checkWrite(w); err != nil {
		return err
	}
	if created, err := a.importIntoNew(cmd, w, doc, prune); created || err != nil {
		return err
	}
	return a.change(cmd, w, func(c *store.View) ([]flags.Mutation, string, error) {
		to := doc.Entries()
		changes := flags.Diff(slices.Collect(c.All()), to, prune)
		for _, m := range changes {
			c.Get(m.Key) // what is replaced must not have changed meanwhile
		}
		return changes, importNote(to, len(changes)), nil
	})
}

// importIntoNew begins the set with the document, if there is no such set yet;
// otherwise it only checks the document, while the places in the file are known.
func (a *app) importIntoNew(cmd *cobra.Command, w *writeFlags, doc *flags.Document, prune bool) (created bool, err error) {
	err = a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
		head, err := st.Head(ctx, a.set)
		if err == nil && head.Status == flags.StatusLive {
			contents, err := a.contents(ctx, st)
			if err != nil {
				return err
			}
			return doc.CheckAgainst(contents, prune)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := doc.Check(); err != nil {
			return err
		}
		created = true
		commit, err := a.newCommit(ctx, st, w)
		if err != nil {
			return err
		}
		commit.Op = flags.OpCreate
		commit.Changes = flags.Diff(nil, doc.Entries(), false)
		return a.apply(ctx, cmd.Context(), st, w, commit, importNote(doc.Entries(), len(commit.Changes))+", into a new set")
	})
	return created, err
}

func importNote(entries []flags.Entry, changed int) string {
	n := 0
	for _, e := range entries {
		if e.Key.Kind == flags.KindFlag {
			n++
		}
	}
	return fmt.Sprintf("%d flags read, %d entries changed", n, changed)
}

func (a *app) exportCmd() *cobra.Command {
	var format, at string
	cmd := &cobra.Command{
		Use: "export", Short: "Print the set as a flagd file (JSON, or YAML with -o yaml)", Args: cobra.NoArgs,
		Example: `  flagctl export > flags.json
  flagctl export --at 57 -o yaml > then.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != flagdFormat {
				return usagef("--format %q: this version writes flagd", format)
			}
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				c, err := a.at(ctx, st, at)
				if err != nil {
					return err
				}
				notation := flagdfile.JSON
				if a.output == "yaml" {
					notation = flagdfile.YAML
				}
				text, err := notation.Format(c.Checkpoint().Entries)
				if err != nil {
					return err
				}
				_, err = a.std.out.Write(text)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", flagdFormat, "form of the output")
	mustComplete(cmd, "format", flagdFormat)
	atFlag(cmd, &at)
	return cmd
}
