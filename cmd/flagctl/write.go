package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/user"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/vendorformat"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// writeFlags are the flags that every writing verb has.
type writeFlags struct {
	reason     string
	ifRevision revisionText
	dryRun     bool
	wait       time.Duration

	notes []vendorformat.Note // of an import: part of the answer
}

// revisionText is a revision as it was typed; "": none was. An empty one is refused: it
// is what a script makes of a variable that it has not set.
type revisionText string

func (r *revisionText) String() string { return string(*r) }
func (r *revisionText) Type() string   { return "revision" }

func (r *revisionText) Set(text string) error {
	if !isRevision(text) {
		return errors.New("want 57, 0.57 or a token")
	}
	*r = revisionText(text)
	return nil
}

// maxReason is the longest reason that a router takes, in bytes.
const maxReason = 1024

func (w *writeFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.reason, "reason", "", "why; kept in the history")
	f.Var(&w.ifRevision, "if-revision", "only if the set is still at this revision: 57, 0.57 or a token")
	f.BoolVar(&w.dryRun, "dry-run", false, "print what would change and change nothing")
	f.DurationVar(&w.wait, "wait", 0, "wait until every connected client has applied it (default 10s when no duration is given)")
	f.Lookup("wait").NoOptDefVal = "10s"
}

// writeView is the answer of every write.
type writeView struct {
	Token   string       `json:"token,omitempty"`
	DryRun  bool         `json:"dryRun,omitempty"`
	Changes []changeView `json:"changes"`
	Note    string       `json:"note,omitempty"`

	Notes []vendorformat.Note `json:"notes,omitempty"` // what an import has not kept exactly
}

// newCommit begins a commit; with --if-revision the set must be there.
func (a *app) newCommit(ctx context.Context, st store.Store, w *writeFlags) (flags.Commit, error) {
	c := flags.Commit{Set: a.set, ID: flags.NewCommitID(), Actor: actor(a.std.getenv), Reason: w.reason}
	if w.ifRevision == "" || a.sabotage.blind {
		return c, nil
	}
	head, err := st.Head(ctx, a.set)
	if err != nil {
		return c, err
	}
	c.If, err = a.ifRevision(head, w)
	return c, err
}

// ifRevision reads --if-revision.
func (a *app) ifRevision(head flags.Head, w *writeFlags) (flags.Version, error) {
	v, err := a.revision(head, string(w.ifRevision))
	if err != nil {
		return v, fmt.Errorf("--if-revision: %w", err)
	}
	return v, nil
}

// actor is the person at the keyboard, as far as can be told without access control.
func actor(getenv func(string) string) flags.Actor {
	act := flags.Actor{Kind: "user", ID: getenv("USER"), Via: "flagctl"}
	if u, err := user.Current(); act.ID == "" && err == nil {
		act.ID = u.Username
	}
	return act
}

// errDryRun stops an edit once it is known what it would do.
var errDryRun = errors.New("dry run")

// change is a write that depends on what is there: build looks at the set and
// returns mutations, with a note for people. Where somebody changed meanwhile
// what it looked at, it is built again; two people editing two flags never conflict.
func (a *app) change(cmd *cobra.Command, w *writeFlags, build func(v *store.View) ([]flags.Mutation, string, error)) error {
	if err := a.checkWrite(w); err != nil {
		return err
	}
	return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
		return a.changeIn(ctx, cmd.Context(), st, w, build)
	})
}

// changeIn is change in a store that is open. Waiting for the fleet is bounded by
// its own time, not by that of ctx.
func (a *app) changeIn(ctx, wait context.Context, st store.Store, w *writeFlags, build func(v *store.View) ([]flags.Mutation, string, error)) error {
	commit, err := a.newCommit(ctx, st, w)
	if err != nil {
		return err
	}
	answer := writeView{DryRun: w.dryRun, Notes: w.notes}
	var token flags.Token
	accepted, err := store.Edit(ctx, st, commit, func(v *store.View) (changes []flags.Mutation, err error) {
		if err := ended(v.Head()); err != nil {
			return nil, err
		}
		if !commit.If.IsZero() && v.Head().Version != commit.If {
			return nil, &store.ConflictError{Token: v.Head().Token(), Want: commit.If.Revision, Have: v.Head().Revision}
		}
		if changes, answer.Note, err = build(v); err != nil {
			return nil, err
		}
		token, answer.Changes = v.Head().Token(), viewOfChanges(v, changes)
		if !w.dryRun {
			return changes, nil
		}
		if len(changes) > 0 {
			err = v.Check(changes)
		}
		return nil, cmp.Or(err, errDryRun)
	})
	switch {
	case errors.Is(err, errDryRun):
		answer.Token = token.String()
		return a.print(answer, func(out io.Writer) { dryRunTable(out, answer) })
	case err != nil:
		return err
	case len(accepted.Changes) > 0: // nothing to write is no commit
		token = accepted.Head().Token()
	}
	return a.written(wait, w, token, answer)
}

// apply makes a commit that depends on nothing that is there. Waiting for the
// fleet is bounded by its own time, not by that of ctx.
func (a *app) apply(ctx, wait context.Context, st store.Store, w *writeFlags, commit flags.Commit, note string) error {
	answer := writeView{DryRun: w.dryRun, Notes: w.notes, Note: note, Changes: viewOfChanges(flags.NewContents(a.set), commit.Changes)}
	if w.dryRun {
		if err := a.prepare(ctx, st, commit); err != nil {
			return err
		}
		return a.print(answer, func(out io.Writer) { dryRunTable(out, answer) })
	}
	accepted, err := st.Apply(ctx, commit)
	if err != nil {
		return err
	}
	return a.written(wait, w, accepted.Head().Token(), answer)
}

// prepare finds what the store would refuse a commit for.
func (a *app) prepare(ctx context.Context, st store.Store, commit flags.Commit) error {
	contents := flags.NewContents(a.set)
	u, err := st.Fetch(ctx, a.set, flags.Head{Set: a.set})
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return err
	default:
		if contents, err = store.Assemble(a.set, u); err != nil {
			return err
		}
	}
	_, err = store.Prepare(contents, commit, time.Now())
	return err
}

// checkWrite finds what is wrong with the flags before anything is written.
func (a *app) checkWrite(w *writeFlags) error {
	if w.wait < 0 {
		return usagef("--wait=%v: want a positive duration such as 10s", w.wait)
	}
	if w.wait > 0 && a.storeAt != "" {
		return usagef("--wait needs a router: only it knows its clients; leave out --store")
	}
	if len(w.reason) > maxReason || !utf8.ValidString(w.reason) || strings.ContainsFunc(w.reason, flags.Unprintable) {
		return usagef("--reason: want one line of at most %d bytes, without control characters and marks of direction", maxReason)
	}
	return nil
}

// written answers a write that was accepted, or was not needed, and waits for the
// fleet if asked to.
func (a *app) written(ctx context.Context, w *writeFlags, token flags.Token, answer writeView) error {
	answer.Token = token.String()
	if err := a.print(answer, func(out io.Writer) { writeTable(out, answer) }); err != nil {
		return err
	}
	if w.wait > 0 {
		return a.confirm(ctx, token, w.wait)
	}
	return nil
}

func viewOfChanges(before entries, changes []flags.Mutation) []changeView {
	views := []changeView{} // an empty list in JSON, not null
	for _, m := range changes {
		e, _ := before.Get(m.Key)
		views = append(views, changeOf(m.Key, e.Bytes, m.Bytes))
	}
	return views
}

const shownChanges = 20

func writeTable(out io.Writer, v writeView) {
	for i, c := range v.Changes {
		if i == shownChanges && len(v.Changes) > shownChanges+1 {
			fmt.Fprintf(out, "... and %d more\n", len(v.Changes)-i)
			break
		}
		row(out, c.text())
	}
	if v.Note != "" {
		row(out, v.Note)
	}
	row(out, v.Token)
}

func dryRunTable(out io.Writer, v writeView) {
	fmt.Fprintln(out, "would change, nothing was written:")
	changesTable(out, v.Changes)
	if v.Note != "" {
		row(out, v.Note)
	}
}

// confirm waits until every connected client of the set answers from token or
// something newer. The router knows; a store opened directly does not.
func (a *app) confirm(ctx context.Context, token flags.Token, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("waited %v", limit))
	defer cancel()
	st, err := a.router()
	if err != nil {
		return err
	}
	defer st.Close()
	missing := "the router has not said who has applied it"
	pause := time.NewTimer(settling(ctx, st))
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return &exitError{code: exitNotConfirmed, err: fmt.Errorf("%s is written, but not confirmed: %s (%w)", token, missing, context.Cause(ctx)),
				hint: "`flagctl clients` shows who is behind"}
		case <-pause.C:
			pause.Reset(50 * time.Millisecond)
		}
		clients, err := st.Clients(ctx, a.set)
		connected := len(clients)
		behind := slices.DeleteFunc(clients, func(c grpcstore.Client) bool {
			at := c.Applied.Head // of another history, its number says nothing
			return at.Lineage == token.Lineage && !at.Version.Before(token.Version)
		})
		switch {
		case err == nil && len(behind) == 0:
			fmt.Fprintf(a.std.err, "applied by all %d connected clients\n", connected)
			return nil
		case err == nil:
			missing = fmt.Sprintf("%d connected clients have not applied it", len(behind))
		case flags.ClassOf(err) != flags.ClassCanceled: // the router may come back before the time is over
			missing = message(err)
		}
	}
}

// settling is how long a router that has only just started is given until its
// clients are back: before that, nobody being behind says nothing.
func settling(ctx context.Context, st *grpcstore.Store) time.Duration {
	const afterStart = 2 * time.Second
	status, err := st.Status(ctx)
	if err != nil {
		return 0
	}
	return min(max(0, afterStart-time.Since(status.Started)), afterStart)
}
