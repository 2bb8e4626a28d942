package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

func (a *app) revertCmd() *cobra.Command {
	w := &writeFlags{}
	cmd := &cobra.Command{
		Use:   "revert REVISION",
		Short: "Undo one commit and keep those after it; a new commit",
		Long: `Undo what one commit did: each entry that it changed becomes what it was before it,
in one new commit. What later commits did to other entries stays. Where a later one
changed the same entries nothing is written, and they are named. --dry-run shows what
would change. To go back to a revision as a whole there is ` + "`flagctl rollback`" + `.`,
		Example: `  flagctl revert 57 --reason "incident 12" --wait
  flagctl revert 57 --dry-run`,
		SuggestFor:        []string{"undo"},
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkWrite(w); err != nil {
				return err
			}
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				c, before, err := a.undoable(ctx, st, args[0])
				if err != nil {
					return err
				}
				token := c.Head().Token()
				w.reason = cmp.Or(w.reason, "revert of "+token.String())
				return a.changeIn(ctx, cmd.Context(), st, w, func(v *store.View) ([]flags.Mutation, string, error) {
					changes, changed := store.Undo(c, before, v.Get)
					if len(changed) > 0 {
						return nil, "", builtUpon(token, changed)
					}
					if len(changes) == 0 {
						return nil, "nothing to undo: what " + token.String() + " changed is as it was before it", nil
					}
					return changes, "", nil
				})
			})
		},
	}
	w.register(cmd)
	return cmd
}

// undoable returns a commit that one can undo, and what its changes replaced.
func (a *app) undoable(ctx context.Context, st store.Store, text string) (*flags.Commit, []store.Before, error) {
	head, err := st.Head(ctx, a.set)
	if err != nil {
		return nil, nil, err
	}
	at, err := a.revision(head, text)
	if err != nil {
		return nil, nil, err
	}
	commits, err := st.Commits(ctx, a.set, at, at, 1)
	if err == nil && (len(commits) == 0 || commits[0].Version != at) {
		err = fmt.Errorf("%w: %q was never at revision %s; it is at %s", store.ErrNotFound, a.set, at, head.Token())
	}
	if err != nil {
		return nil, nil, revisionFault(err)
	}
	c := &commits[0]
	switch {
	case c.Op != flags.OpChange:
		return nil, nil, usagef("%s is no change of entries but the %s of the set, and cannot be undone", c.Head().Token(), c.Op)
	case c.Epoch != head.Epoch:
		return nil, nil, &exitError{code: exitUsage, err: fmt.Errorf("%s is from before the set was made anew; it is at %s", c.Head().Token(), head.Token()),
			hint: "`flagctl rollback` brings back the set of any revision"}
	}
	befores, err := store.Befores(ctx, st, commits, int(min(at.Revision, 1<<30)))
	if err != nil {
		return nil, nil, err
	}
	for i, b := range befores[0] {
		if !b.Known {
			return nil, nil, revisionFault(fmt.Errorf("%w: what %s was before %s is no longer kept", store.ErrCompacted, c.Changes[i].Key, c.Head().Token()))
		}
	}
	return c, befores[0], nil
}

// builtUpon is the error of a commit that others have built upon.
func builtUpon(token flags.Token, changed []flags.EntryKey) error {
	const named = 5
	var names []string
	for _, key := range changed[:min(named, len(changed))] {
		names = append(names, key.String())
	}
	list := strings.Join(names, ", ")
	if more := len(changed) - named; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return &exitError{code: exitConflict, err: fmt.Errorf("%s cannot be undone alone: later commits changed %s; nothing was written", token, list),
		hint: fmt.Sprintf("`flagctl diff %s` shows what has changed since; undo the later ones first, or `flagctl rollback`", token.Version)}
}
