package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/user"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// writeFlags are the flags that every writing verb has.
type writeFlags struct {
	reason     string
	ifRevision uint64
	dryRun     bool
	wait       time.Duration
}

func (w *writeFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.reason, "reason", "", "why; kept in the history")
	f.Uint64Var(&w.ifRevision, "if-revision", 0, "only if the set is still at this revision")
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
}

func (a *app) newCommit(w *writeFlags) flags.Commit {
	return flags.Commit{Set: a.set, ID: flags.NewCommitID(), Actor: actor(a.std.getenv), Reason: w.reason}
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
		commit := a.newCommit(w)
		if w.ifRevision != 0 {
			head, err := st.Head(ctx, a.set)
			if err != nil {
				return err
			}
			commit.If = flags.Version{Epoch: head.Epoch, Revision: w.ifRevision}
		}
		answer := writeView{DryRun: w.dryRun}
		accepted, err := store.Edit(ctx, st, commit, func(v *store.View) (changes []flags.Mutation, err error) {
			if err := ended(v.Head()); err != nil {
				return nil, err
			}
			if w.ifRevision != 0 && v.Head().Version != commit.If {
				return nil, &store.ConflictError{Token: v.Head().Token(), Want: w.ifRevision, Have: v.Head().Revision}
			}
			changes, answer.Note, err = build(v)
			answer.Token, answer.Changes = v.Head().Token().String(), viewOfChanges(v, changes)
			if err == nil && w.dryRun {
				err = errDryRun
			}
			return changes, err
		})
		switch {
		case errors.Is(err, errDryRun):
			return a.print(answer, func(out io.Writer) { dryRunTable(out, answer) })
		case err != nil:
			return err
		case len(accepted.Changes) == 0: // nothing to write is no commit
			return a.print(answer, func(out io.Writer) { writeTable(out, answer) })
		default:
			return a.written(ctx, w, accepted, answer)
		}
	})
}

// apply makes a commit that depends on nothing that is there.
func (a *app) apply(ctx context.Context, st store.Store, w *writeFlags, commit flags.Commit, note string) error {
	answer := writeView{DryRun: w.dryRun, Note: note, Changes: viewOfChanges(flags.NewContents(a.set), commit.Changes)}
	if w.dryRun {
		return a.print(answer, func(out io.Writer) { dryRunTable(out, answer) })
	}
	accepted, err := st.Apply(ctx, commit)
	if err != nil {
		return err
	}
	return a.written(ctx, w, accepted, answer)
}

// checkWrite finds what is wrong with the flags before anything is written.
func (a *app) checkWrite(w *writeFlags) error {
	if w.wait > 0 && a.storeAt != "" {
		return usagef("--wait needs a router: only it knows its clients; leave out --store")
	}
	return nil
}

// written answers a write that was accepted, and waits for the fleet if asked to.
func (a *app) written(ctx context.Context, w *writeFlags, accepted flags.Commit, answer writeView) error {
	token := accepted.Head().Token()
	answer.Token = token.String()
	if err := a.print(answer, func(out io.Writer) { writeTable(out, answer) }); err != nil {
		return err
	}
	if w.wait > 0 {
		return a.confirm(context.WithoutCancel(ctx), token, w.wait)
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
		fmt.Fprintln(out, c.Summary)
	}
	if v.Note != "" {
		fmt.Fprintln(out, v.Note)
	}
	fmt.Fprintln(out, v.Token)
}

func dryRunTable(out io.Writer, v writeView) {
	fmt.Fprintln(out, "would change, nothing was written:")
	for _, c := range v.Changes {
		fmt.Fprintf(out, "  %s\n", c.Summary)
		for _, line := range diffLines(c.Before, c.After) {
			fmt.Fprintf(out, "    %s\n", line)
		}
	}
	if v.Note != "" {
		fmt.Fprintln(out, v.Note)
	}
}

// confirm waits until every connected client of the set answers from token or
// something newer. The router knows; a store opened directly does not.
func (a *app) confirm(ctx context.Context, token flags.Token, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	st, err := a.router()
	if err != nil {
		return err
	}
	defer st.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		clients, err := st.Clients(ctx, a.set)
		if err != nil && ctx.Err() == nil {
			return err
		}
		behind := slices.DeleteFunc(clients, func(c grpcstore.Client) bool { return !c.Applied.Head.Version.Before(token.Version) })
		if err == nil && len(behind) == 0 {
			fmt.Fprintf(a.std.err, "applied by all connected clients\n")
			return nil
		}
		select {
		case <-ctx.Done():
			return &exitError{code: exitNotConfirmed, err: fmt.Errorf("%s is written, but %d connected clients have not applied it within %v", token, len(behind), limit),
				hint: "`flagctl clients` shows who is behind"}
		case <-tick.C:
		}
	}
}
