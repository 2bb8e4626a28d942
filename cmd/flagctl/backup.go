package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// savedView is a set in a backup, as it is shown.
type savedView struct {
	Set     string `json:"set"`
	Token   string `json:"token"`
	Entries int    `json:"entries"`
	Commits int    `json:"commits"` // of its history
	Note    string `json:"note,omitempty"`
}

func savedTable(w io.Writer, views []savedView) {
	row(w, "SET", "REVISION", "ENTRIES", "COMMITS", "NOTE")
	for _, v := range views {
		row(w, v.Set, v.Token, v.Entries, v.Commits, v.Note)
	}
}

func (a *app) backupCmd() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Write all sets, or the one of --set, with their history into a file", Args: cobra.ExactArgs(1), ValidArgsFunction: completeFile,
		Long: `Write all sets, or the one of --set or HOLDFAST_SET, with their history into a
file. Each set is as it was at one revision. The file has a digest over all of it,
and each set its own. It appears under its name only once it is whole.`,
		Example: `  flagctl backup flags.hfbak
  flagctl backup checkout.hfbak --set checkout-prod`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				heads, err := a.headsOf(ctx, st, a.oneSet(cmd))
				if err != nil {
					return err
				}
				views, err := a.backup(ctx, st, heads, args[0])
				if err != nil {
					return err
				}
				return a.print(views, func(w io.Writer) { savedTable(w, views) })
			})
		},
	}
}

// oneSet reports whether one set is meant, rather than all.
func (a *app) oneSet(cmd *cobra.Command) bool {
	return cmd.Flags().Changed("set") || a.std.getenv("HOLDFAST_SET") != ""
}

func (a *app) backup(ctx context.Context, st store.Store, heads []flags.Head, path string) (views []savedView, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".flagctl-backup-*")
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	p := a.progress()
	defer p.done()
	out := bufio.NewWriterSize(f, 1<<20)
	w, err := newBackupWriter(out)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	views = []savedView{} // an empty list in JSON, not null
	for _, head := range heads {
		if head.Status == flags.StatusDeleted {
			continue
		}
		p.say("saving %s", head.Set)
		view, err := w.set(ctx, st, head.Set)
		if err != nil {
			return nil, err
		}
		views = append(views, view)
	}
	if err := errors.Join(w.end(), out.Flush(), f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return views, nil
}

// set saves a set as it is now, and the commits that led there.
func (w *backupWriter) set(ctx context.Context, st store.Store, set string) (savedView, error) {
	u, err := st.Fetch(ctx, set, flags.Head{Set: set})
	if err != nil {
		return savedView{}, err
	}
	contents, err := store.Assemble(set, u)
	if err != nil {
		return savedView{}, err
	}
	head := contents.Head()
	if err := w.part(checkpointTag, contents.Checkpoint()); err != nil {
		return savedView{}, fmt.Errorf("backup %s: %w", set, err)
	}
	view := savedView{Set: set, Token: head.Token().String(), Entries: head.Count}
	var failed error
	err = store.EachCommit(ctx, st, set, flags.Version{}, head.Version, func(c *flags.Commit) {
		if failed == nil {
			failed = w.part(commitTag, c)
		}
		if view.Commits++; view.Commits == 1 && c.Version != firstVersion {
			view.Note = "older commits are no longer kept"
		}
	})
	return view, errors.Join(err, failed)
}
