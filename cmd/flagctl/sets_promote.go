package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
	"github.com/holdfast-flags/holdfast/store"
)

// promotion is what goes from one set to another.
type promotion struct {
	from, to  string
	overrides bool
	keepState bool
}

func (a *app) setsPromoteCmd() *cobra.Command {
	w, p := &writeFlags{}, &promotion{}
	cmd := &cobra.Command{
		Use:   "promote --from A --to B [KEY ...]",
		Short: "Write the flags of one set into another, in one commit",
		Long: `Write flags of one set into another, in one commit: all of them or, where any
has a fault there, none. Without keys all flags and segments go; with keys those
flags, and the segments that their rules use. What only the other set has stays.
Overrides and the metadata of the set belong to where they are; --overrides takes
the overrides too. --keep-state leaves flags enabled or disabled as they are there.`,
		Example: `  flagctl sets promote --from checkout-staging --to checkout-prod --dry-run
  flagctl sets promote --from checkout-staging --to checkout-prod new-checkout --reason "release 42" --wait`,
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
			if p.from == "" {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			a.set = p.from
			return a.completeFlag(cmd, nil, word)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if p.from == p.to {
				return usagef("--from and --to are both %q", p.from)
			}
			if err := a.checkWrite(w); err != nil {
				return err
			}
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				a.set = p.from
				source, err := a.contents(ctx, st)
				if err != nil {
					return err
				}
				sent, err := p.entries(source, args)
				if err != nil {
					return err
				}
				a.set = p.to
				w.reason = cmp.Or(w.reason, "promoted from "+source.Head().Token().String())
				return a.changeIn(ctx, cmd.Context(), st, w, func(v *store.View) ([]flags.Mutation, string, error) { return p.changes(v, sent) })
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&p.from, "from", "", "set to take the flags from")
	f.StringVar(&p.to, "to", "", "set to write them to")
	f.BoolVar(&p.overrides, "overrides", false, "take the overrides of the flags too")
	f.BoolVar(&p.keepState, "keep-state", false, "leave flags that are there enabled or disabled as they are")
	for _, name := range []string{"from", "to"} {
		if err := errors.Join(cmd.MarkFlagRequired(name), cmd.RegisterFlagCompletionFunc(name, a.completeSets(1000))); err != nil {
			panic(err) // only for a flag that does not exist
		}
	}
	w.register(cmd)
	return cmd
}

// entries returns what goes: flags, and the segments that they need.
func (p *promotion) entries(c *flags.Contents, keys []string) ([]flags.Entry, error) {
	segments := map[string]bool{}
	for _, key := range keys {
		e, ok := c.Get(flags.FlagKey(key))
		if !ok {
			return nil, notFoundf(nearest(c, key), "no flag %q in set %q", key, p.from)
		}
		d, err := flags.ParseDefinition(e.Bytes)
		if err != nil {
			return nil, fmt.Errorf("flag %q: %w", key, err)
		}
		for _, name := range expression.Segments(d.Targeting()) {
			segments[name] = true
		}
	}
	return filter(c, func(e flags.Entry) bool {
		switch e.Key.Kind {
		case flags.KindFlag:
			return len(keys) == 0 || slices.Contains(keys, e.Key.Name)
		case flags.KindOverride:
			return p.overrides && (len(keys) == 0 || slices.Contains(keys, e.Key.Name))
		case flags.KindEvaluator:
			return len(keys) == 0 || segments[e.Key.Name]
		default:
			return false
		}
	}), nil
}

func (p *promotion) changes(v *store.View, sent []flags.Entry) ([]flags.Mutation, string, error) {
	if p.keepState {
		sent = slices.Clone(sent)
		for i, e := range sent {
			kept, err := withStateOf(v, e)
			if err != nil {
				return nil, "", err
			}
			sent[i].Bytes = kept
		}
	}
	changes := v.Rely(flags.Diff(slices.Collect(v.All()), sent, false))
	note := fmt.Sprintf("%d of %d entries differ", len(changes), len(sent))
	if touched := alsoTouched(v, changes); len(touched) > 0 {
		note += "; the segments are also used by " + strings.Join(touched, ", ")
	}
	return changes, note, nil
}

// withStateOf returns the bytes of a flag that is to be written, in the state that
// the flag has there.
func withStateOf(v *store.View, e flags.Entry) ([]byte, error) {
	there, ok := v.Get(e.Key)
	if !ok || e.Key.Kind != flags.KindFlag {
		return e.Bytes, nil
	}
	was, err := flags.ParseDefinition(there.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Key, err)
	}
	d, err := flags.ParseDefinition(e.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Key, err)
	}
	return d.WithEnabled(was.Enabled()).Bytes(), nil
}

// alsoTouched returns the flags that do not change themselves, but whose segments do.
func alsoTouched(v *store.View, changes []flags.Mutation) []string {
	changed := map[string]bool{}
	for _, m := range changes {
		if m.Key.Kind == flags.KindFlag {
			changed[m.Key.Name] = true
		}
	}
	users := segmentUsers(v)
	var touched []string
	for _, m := range changes {
		if m.Key.Kind != flags.KindEvaluator {
			continue
		}
		for _, key := range users[m.Key.Name] {
			if !changed[key] {
				changed[key], touched = true, append(touched, key)
			}
		}
	}
	return touched
}
