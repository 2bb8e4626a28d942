package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

func (a *app) rollbackCmd() *cobra.Command {
	w := &writeFlags{}
	cmd := &cobra.Command{
		Use:   "rollback REVISION [KEY ...]",
		Short: "Write the set, or some flags, as they were at a revision; a new commit",
		Long: `Write the set as it was at a revision, in one new commit: nothing of the history
is lost, and a rollback can be rolled back. With keys only those flags and their
overrides go back. --dry-run shows what would change. To undo one commit and keep
those after it there is ` + "`flagctl revert`" + `.`,
		Example: `  flagctl rollback 57 --reason "incident 12" --wait
  flagctl rollback 57 new-checkout --dry-run`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeAfterRevision,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkWrite(w); err != nil {
				return err
			}
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				then, err := a.at(ctx, st, args[0])
				if err != nil {
					return err
				}
				token := then.Head().Token()
				w.reason = cmp.Or(w.reason, "rollback to "+token.String())
				return a.changeIn(ctx, cmd.Context(), st, w, func(v *store.View) ([]flags.Mutation, string, error) {
					changes, err := backTo(then, v, args[1:])
					if err == nil && len(changes) == 0 {
						return nil, "nothing has changed since " + token.String(), nil
					}
					return changes, "", err
				})
			})
		},
	}
	w.register(cmd)
	return cmd
}

// backTo returns what makes a set, or the flags of keys, what they were.
func backTo(then *flags.Contents, v *store.View, keys []string) ([]flags.Mutation, error) {
	for _, key := range keys {
		_, was := then.Get(flags.FlagKey(key))
		if _, is := v.Get(flags.FlagKey(key)); !was && !is {
			return nil, notFoundf(nearest(v, key), "no flag %q, neither then nor now", key)
		}
	}
	return v.Back(then, func(k flags.EntryKey) bool {
		return len(keys) == 0 || slices.ContainsFunc(keys, func(key string) bool { return concerns(k, key) })
	}), nil
}

// filter returns the entries that are meant.
func filter(c entries, meant func(flags.Entry) bool) []flags.Entry {
	var out []flags.Entry
	for e := range c.All() {
		if meant(e) {
			out = append(out, e)
		}
	}
	return out
}

// completeAfterRevision completes flag keys from the second argument on.
func (a *app) completeAfterRevision(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeFlag(cmd, nil, word)
}
