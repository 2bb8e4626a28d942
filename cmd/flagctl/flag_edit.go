package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

func (a *app) editCmd() *cobra.Command {
	w := &writeFlags{}
	cmd := &cobra.Command{
		Use: "edit KEY", Short: "Edit a flag's definition as YAML in your editor", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFlag,
		Long: `Edit a flag's definition as YAML in your editor: VISUAL, EDITOR or vi. Where what
is saved has faults, they are shown as comments at the top and the editor opens
again. Saving it unchanged or empty writes nothing. A draft that was not written,
for whatever reason, is kept, and its path printed.`,
		Example: `  flagctl edit new-checkout
  EDITOR="code --wait" flagctl edit new-checkout --reason "other variants"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkWrite(w); err != nil {
				return err
			}
			return a.edit(cmd, w, args[0])
		},
	}
	w.register(cmd)
	return cmd
}

// edit goes from the flag to a draft, to what is written.
func (a *app) edit(cmd *cobra.Command, w *writeFlags, key string) (err error) {
	var contents *flags.Contents
	var before flags.Entry
	err = a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
		if contents, err = a.contents(ctx, st); err == nil {
			_, before, err = a.flag(contents, key)
		}
		return err
	})
	if err != nil {
		return err
	}
	d, err := newDraft(key, contents, before.Bytes)
	if err != nil {
		return err
	}
	keep := true
	defer func() {
		if !keep || !d.touched || a.sabotage.forgetful {
			d.remove()
		} else if err != nil {
			err = d.kept(err)
		}
	}()
	after, err := a.write(cmd.Context(), d)
	if err != nil {
		return err
	}
	if after == nil || bytes.Equal(after, before.Bytes) {
		keep = false
		fmt.Fprintf(a.std.err, "%s is unchanged; nothing was written\n", key)
		return nil
	}
	err = a.change(cmd, w, func(v *store.View) ([]flags.Mutation, string, error) {
		now, _ := v.Get(before.Key)
		if !bytes.Equal(now.Bytes, before.Bytes) && !a.sabotage.blind {
			return nil, "", errors.Join(&store.ConflictError{Token: v.Head().Token(), Key: &before.Key, Want: before.Revision, Have: now.Revision}, d.saveTheirs(now.Bytes))
		}
		return []flags.Mutation{{Key: before.Key, Bytes: after}}, "", nil
	})
	keep = err != nil
	return err
}

// maxSaves is how often a draft is shown with its faults: an editor that is a script
// may never mend them.
const maxSaves = 20

// write has the draft edited until it has no faults. Nothing is nil bytes.
func (a *app) write(ctx context.Context, d *draft) ([]byte, error) {
	var faults []string
	for tries := 1; ; tries++ {
		shown, err := d.show(faults)
		if err != nil {
			return nil, err
		}
		failed := a.openEditor(ctx, d.path)
		saved, err := os.ReadFile(d.path)
		// An editor that fails may have saved first.
		d.touched = d.touched || err == nil && !bytes.Equal(saved, shown)
		switch {
		case failed != nil:
			return nil, failed
		case err != nil:
			return nil, fmt.Errorf("read the draft: %w", err)
		}
		if faults != nil && (bytes.Equal(saved, shown) || tries == maxSaves) {
			return nil, &exitError{code: exitFailed, err: fmt.Errorf("given up with %d faults: %s", len(faults), faults[0])}
		}
		d.body = withoutHeader(saved)
		if len(bytes.TrimSpace(d.body)) == 0 {
			d.touched = false
			return nil, nil
		}
		definition, found := d.read()
		if len(found) == 0 {
			return definition, nil
		}
		faults = found
	}
}

// kept adds to an error where the draft is.
func (d *draft) kept(err error) error {
	code, hint := classify(err)
	where := "your draft is kept in " + d.path
	if d.theirs != "" {
		where += ", what is there now is in " + d.theirs
	}
	if code == exitConflict {
		hint = "bring the two together and save them with `flagctl edit`"
	}
	return &exitError{code: code, err: fmt.Errorf("%s; %s", message(err), where), hint: cmp.Or(hint, "nothing was written")}
}
