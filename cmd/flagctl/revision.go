package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// isRevision reports whether text is meant as a revision: 57, 0.57 or a token.
func isRevision(text string) bool {
	return strings.Contains(text, "@") || text != "" && strings.Trim(text, "0123456789.") == "" && strings.Trim(text, ".") != ""
}

// revision reads a revision of the set: a number of the epoch it is in, with its
// epoch, or a token.
func (a *app) revision(head flags.Head, text string) (flags.Version, error) {
	bad := usagef("%q is no revision; want 57, %d.57 or a token such as %s", text, head.Epoch, head.Token())
	if v, err := flags.ParseVersion(text, head.Epoch); err == nil {
		if v.Revision == 0 {
			return flags.Version{}, bad
		}
		return v, nil
	}
	if !strings.Contains(text, "@") {
		text = head.Set + "@" + text
	}
	token, err := flags.ParseToken(text)
	switch {
	case err != nil:
		return flags.Version{}, bad
	case token.Set != head.Set:
		return flags.Version{}, usagef("%s is a revision of %q, not of %q; choose the set with --set", token, token.Set, head.Set)
	case token.Lineage != "" && token.Lineage != head.Lineage:
		return flags.Version{}, notFoundf("it may be of another environment", "%s is of another history than %s", token, head.Token())
	}
	return token.Version, nil
}

// at returns the set as it was at a revision; as it is where text is "".
func (a *app) at(ctx context.Context, st store.Store, text string) (*flags.Contents, error) {
	if text == "" {
		return a.contents(ctx, st)
	}
	head, err := st.Head(ctx, a.set)
	if err != nil {
		return nil, err
	}
	version, err := a.revision(head, text)
	if err != nil {
		return nil, err
	}
	c, err := store.At(ctx, st, a.set, version)
	return c, revisionFault(err)
}

// revisionFault adds to an error of reading the past what can be done about it.
func revisionFault(err error) error {
	switch {
	case errors.Is(err, store.ErrCompacted):
		return &exitError{code: exitNotFound, err: errors.New(message(err)), hint: "`flagctl history --limit 0` shows how far back the journal goes"}
	case errors.Is(err, store.ErrNotFound):
		return &exitError{code: exitNotFound, err: errors.New(message(err)), hint: "`flagctl history` shows the revisions there are"}
	}
	return err
}

// atFlag adds --at to a reading command.
func atFlag(cmd *cobra.Command, at *string) {
	cmd.Flags().StringVar(at, "at", "", "as it was at this revision: 57, 0.57 or a token")
}

// commitAt returns the commit of a revision as it is shown.
func (a *app) commitAt(ctx context.Context, st store.Store, text string) (commitView, error) {
	head, err := st.Head(ctx, a.set)
	if err != nil {
		return commitView{}, err
	}
	version, err := a.revision(head, text)
	if err != nil {
		return commitView{}, err
	}
	from, err := oldest(ctx, st, head)
	if err != nil {
		return commitView{}, err
	}
	past := newPast(from != firstVersion)
	var found *commitView
	err = store.EachCommit(ctx, st, a.set, from, version, func(c *flags.Commit) {
		if c.Version != version {
			past.pass(c)
			return
		}
		v := past.viewOf(c, "")
		found = &v
	})
	switch {
	case err != nil:
		return commitView{}, err
	case found == nil && version.Before(from):
		return commitView{}, revisionFault(fmt.Errorf("%w: revision %s of %q is no longer kept", store.ErrCompacted, version, a.set))
	case found == nil:
		return commitView{}, revisionFault(fmt.Errorf("%w: %q was never at revision %s; it is at %s", store.ErrNotFound, a.set, version, head.Token()))
	}
	return *found, nil
}
