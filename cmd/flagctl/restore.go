package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// maxBackup bounds what is read into memory.
const maxBackup = 2 << 30

func (a *app) restoreCmd() *cobra.Command {
	w := &writeFlags{}
	var force bool
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Bring sets back as a backup has them, as a new epoch", Args: cobra.ExactArgs(1), ValidArgsFunction: completeFile,
		Long: `Bring the sets of a backup back, or the one of --set or HOLDFAST_SET. The epoch of
the set ends where it is, and a new one begins with the contents of the backup: nobody
goes back in time, whoever writes by what it saw before conflicts and looks again,
and the history stays. A set that is as the backup has it is left alone.

A store that has lost a set gets its history back too, where flagctl works on it
directly (--store). Through a router such a set begins a new history: processes that
know the old one have to be restarted. A set that exists with another history than
that of the backup, in another environment for example, is only overwritten with
--force.`,
		Example: `  flagctl restore flags.hfbak --dry-run
  flagctl restore flags.hfbak --set checkout-prod --reason "incident 12"
  flagctl restore flags.hfbak --store bolt:holdfast-data/holdfast.db`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkWrite(w); err != nil {
				return err
			}
			if w.ifRevision != "" && !a.oneSet(cmd) {
				return usagef("--if-revision is about one set; name it with --set")
			}
			saved, err := a.readBackup(args[0])
			if err != nil {
				return err
			}
			if a.oneSet(cmd) {
				saved = slices.DeleteFunc(saved, func(s savedSet) bool { return s.checkpoint.Set != a.set })
			}
			if len(saved) == 0 {
				return notFoundf("without --set all sets of the backup are restored", "%s has no set %q", args[0], a.set)
			}
			return a.restore(cmd, w, saved, force)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "overwrite a set that has another history")
	w.register(cmd)
	return cmd
}

func (a *app) readBackup(path string) ([]savedSet, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxBackup+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case len(data) > maxBackup:
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxBackup)
	}
	sets, err := parseBackup(data)
	if err != nil {
		return nil, &exitError{code: exitFailed, err: fmt.Errorf("%s: %w", path, err), hint: "nothing was restored; take another backup"}
	}
	return sets, nil
}

// restore looks at all sets before it writes the first.
func (a *app) restore(cmd *cobra.Command, w *writeFlags, saved []savedSet, force bool) error {
	return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
		heads := make([]flags.Head, len(saved))
		for i, s := range saved {
			head, err := st.Head(ctx, s.checkpoint.Set)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if err == nil && head.Lineage != s.checkpoint.Lineage && !force {
				return &exitError{code: exitConflict, err: fmt.Errorf("%s is of another history than %s in the backup", head.Token(), s.checkpoint.Token()),
					hint: "is it another environment? --force overwrites it, as a new epoch of its own history"}
			}
			if w.ifRevision != "" {
				if err != nil {
					return err
				}
				want, err := a.ifRevision(head, w)
				if err != nil {
					return err
				}
				if want != head.Version {
					return &store.ConflictError{Token: head.Token(), Want: want.Revision, Have: head.Revision}
				}
			}
			heads[i] = head
		}
		for i, s := range saved {
			a.set = s.checkpoint.Set
			if err := a.restoreSet(ctx, cmd.Context(), st, w, s, heads[i]); err != nil {
				return fmt.Errorf("restore %s: %w", a.set, err)
			}
		}
		return nil
	})
}

func (a *app) restoreSet(ctx, wait context.Context, st store.Store, w *writeFlags, s savedSet, head flags.Head) error {
	now := flags.NewContents(a.set)
	if head.Version.IsZero() {
		if replica, ok := st.(store.Replica); ok && !w.dryRun {
			if err := bringBack(ctx, replica, s); err != nil {
				return err
			}
			head = s.checkpoint.Head
		}
	} else if head.Status != flags.StatusDeleted {
		var err error
		if now, err = a.contents(ctx, st); err != nil {
			return err
		}
		head = now.Head()
		if head.Status == flags.StatusLive && head.Digest == s.checkpoint.Digest && head.Count == s.checkpoint.Count {
			return a.written(wait, w, head.Token(), writeView{Changes: []changeView{}, Note: a.set + " is as the backup has it"})
		}
	}
	commit := flags.Commit{Set: a.set, ID: flags.NewCommitID(), Actor: actor(a.std.getenv), Reason: cmp.Or(w.reason, "restored from "+s.checkpoint.Token().String())}
	answer := writeView{DryRun: w.dryRun, Changes: viewOfChanges(now, flags.Diff(now.Checkpoint().Entries, s.checkpoint.Entries, true))}
	if w.dryRun {
		answer.Token = head.Token().String()
		return a.print(answer, func(out io.Writer) { dryRunTable(out, answer) })
	}
	if head.Status == flags.StatusLive && !head.Version.IsZero() {
		seal := commit
		seal.ID, seal.Op, seal.If = flags.NewCommitID(), flags.OpSeal, head.Version
		if _, err := st.Apply(ctx, seal); err != nil {
			return err
		}
	}
	commit.Op, commit.Changes = flags.OpCreate, flags.Diff(nil, s.checkpoint.Entries, false)
	accepted, err := st.Apply(ctx, commit)
	if err != nil {
		return &exitError{code: exitFailed, err: err, hint: "the old epoch has ended and is still read; run the same command again"}
	}
	answer.Note = fmt.Sprintf("%s has the %d entries of %s", a.set, s.checkpoint.Count, s.checkpoint.Token())
	return a.written(wait, w, accepted.Head().Token(), answer)
}

// bringBack puts the history of a set into a store that does not have it: all of it
// where the backup goes back to its beginning, else where it ended.
func bringBack(ctx context.Context, r store.Replica, s savedSet) error {
	if len(s.commits) > 0 && s.commits[0].Version == firstVersion {
		return r.Append(ctx, s.checkpoint.Set, s.commits)
	}
	return r.Seed(ctx, s.checkpoint)
}
