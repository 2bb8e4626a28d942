package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

func (a *app) watchCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "watch [KEY]",
		Short: "Print each change as it happens, one a line, until interrupted",
		Long: `Print each change as it happens, one a line, until interrupted. A connection that
is lost is made again, and goes on where it broke off.`,
		Example: `  flagctl watch
  flagctl watch new-checkout -o json | jq .reason`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeFlag,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := a.watch(cmd.Context(), first(args))
			if cmd.Context().Err() != nil {
				return nil // interrupted, as watches end
			}
			return err
		},
	}
}

// watch follows the set for as long as the context lives; --timeout does not
// apply, except to the first answer, which the driver bounds.
func (a *app) watch(ctx context.Context, key string) (err error) {
	st, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	contents, err := a.contents(ctx, st)
	if err != nil {
		return err
	}
	w := &watching{app: a, key: key, at: contents.Head(), past: pastOf(contents.Checkpoint())}
	var reported flags.Head
	for {
		err := w.follow(ctx, st)
		if ctx.Err() != nil || flags.ClassOf(err) != flags.ClassTransient {
			return err
		}
		if reported != w.at { // once an outage, as far as can be told
			fmt.Fprintf(a.std.err, "flagctl: %s; trying again\n", message(err))
			reported = w.at
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// watching is a watch, across the streams it takes.
type watching struct {
	*app
	key  string
	at   flags.Head // what has been printed so far
	past *past
}

// follow prints what one stream delivers until it breaks.
func (w *watching) follow(ctx context.Context, st flags.Watcher) error {
	stream, err := st.Watch(ctx, w.set, w.at)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		ev, err := stream.Next()
		if err != nil {
			return err
		}
		if ev.Absent {
			return &flags.SourceError{Class: flags.ClassNotFound, Op: "watch", Err: fmt.Errorf("%w: no flag set %q", store.ErrNotFound, w.set)}
		}
		if ev.Queued {
			continue // its head is the set's, not what we have shown
		}
		if err := stream.Applied(flags.Ack{Head: ev.Head}); err != nil { // so that nobody's --wait waits for us
			return err
		}
		if ev.Checkpoint != nil {
			if ev.Checkpoint.Head != w.at {
				fmt.Fprintf(w.std.err, "flagctl: what led from %s to %s cannot be shown\n", w.at.Token(), ev.Checkpoint.Token())
			}
			w.at, w.past = ev.Checkpoint.Head, pastOf(ev.Checkpoint)
		}
		for i := range ev.Commits {
			v := w.past.viewOf(&ev.Commits[i], w.key)
			w.at = ev.Commits[i].Head()
			if w.key != "" && len(v.Changes) == 0 {
				continue
			}
			if err := w.line(v, watchRow(v)); err != nil {
				return err
			}
		}
	}
}

func pastOf(cp *flags.Checkpoint) *past {
	p := newPast(false)
	for _, e := range cp.Entries {
		p.entries[e.Key] = e.Bytes
	}
	return p
}

func watchRow(v commitView) string {
	var what []string
	for _, c := range v.Changes {
		what = append(what, c.text())
	}
	text := fmt.Sprintf("%s  %s  %s  %s", v.Time.Local().Format(time.TimeOnly), v.Token, v.Actor, strings.Join(what, "; "))
	if v.Reason != "" {
		text += "  (" + v.Reason + ")"
	}
	return clean(text)
}
