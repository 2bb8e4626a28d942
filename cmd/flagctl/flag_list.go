package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// flagView is a flag in a list.
type flagView struct {
	Key         string   `json:"key"`
	Type        string   `json:"type"`
	State       string   `json:"state"`
	Default     string   `json:"defaultVariant"`
	Variants    int      `json:"variants"`
	Targeting   bool     `json:"targeting"`
	Overrides   int      `json:"overrides"`
	Revision    uint64   `json:"revision"`
	Description string   `json:"description,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	Kind        string   `json:"kind,omitempty"`
	Permanent   bool     `json:"permanent,omitempty"`
	Expires     string   `json:"expires,omitempty"`
}

func (a *app) listCmd() *cobra.Command {
	var at string
	f := &filterFlags{}
	cmd := &cobra.Command{
		Use: "list", Short: "List the flags of the set", Args: cobra.NoArgs,
		Example: `  flagctl list
  flagctl list --owner payments --expired
  flagctl list --changed-since 7d --fields key,state,owner
  flagctl list --set checkout-prod -o json | jq -r .[].key`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				c, err := a.at(ctx, st, at)
				if err != nil {
					return err
				}
				views, err := f.of(ctx, st, c.Head(), listOf(c.Checkpoint()), time.Now())
				if err != nil {
					return err
				}
				return a.print(views, func(w io.Writer) { listTable(w, views) })
			})
		},
	}
	atFlag(cmd, &at)
	f.register(cmd)
	return cmd
}

func listOf(cp *flags.Checkpoint) []flagView {
	views := []flagView{} // an empty list in JSON, not null
	overrides := map[string]int{}
	for _, e := range cp.Entries {
		if e.Key.Kind == flags.KindOverride {
			overrides[e.Key.Name]++
		}
	}
	for _, e := range cp.Entries {
		if e.Key.Kind != flags.KindFlag {
			continue
		}
		v := flagView{Key: e.Key.Name, Type: "invalid", Revision: e.Revision, Overrides: overrides[e.Key.Name]}
		if d, err := flags.ParseDefinition(e.Bytes); err == nil {
			v.Type, v.State, v.Default = d.Type().String(), stateText(d), defaultText(d)
			v.Variants, v.Targeting = len(d.Variants()), d.Targeting() != nil
			t := d.About()
			v.Description, v.Owner, v.Tags, v.Kind, v.Permanent, v.Expires = t.Description, t.Owner, t.Tags, t.Kind, t.Permanent, t.Expires
		}
		views = append(views, v)
	}
	return views
}

// listTable shows owners and last days only where there are any.
func listTable(w io.Writer, views []flagView) {
	owners := slices.ContainsFunc(views, func(v flagView) bool { return v.Owner != "" })
	dated := slices.ContainsFunc(views, func(v flagView) bool { return v.Expires != "" })
	line := func(key, kind, state, byDefault, rules, overrides, owner, expires, description any) {
		cells := []any{key, kind, state, byDefault, rules, overrides}
		if owners {
			cells = append(cells, owner)
		}
		if dated {
			cells = append(cells, expires)
		}
		row(w, append(cells, description)...)
	}
	line("KEY", "TYPE", "STATE", "DEFAULT", "RULES", "OVERRIDES", "OWNER", "EXPIRES", "DESCRIPTION")
	for _, v := range views {
		rules := "-"
		if v.Targeting {
			rules = "yes"
		}
		line(v.Key, v.Type, v.State, v.Default, rules, v.Overrides, v.Owner, v.Expires, shorten(v.Description, 60))
	}
}

func shorten(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return string(r[:limit-1]) + "…"
}

// flag returns the definition of a flag and its entry.
func (a *app) flag(c entries, key string) (flags.Definition, flags.Entry, error) {
	e, ok := c.Get(flags.FlagKey(key))
	if !ok {
		return flags.Definition{}, e, notFoundf(nearest(c, key), "no flag %q in set %q", key, a.set)
	}
	d, err := flags.ParseDefinition(e.Bytes)
	if err != nil {
		return d, e, fmt.Errorf("flag %q: %w", key, err)
	}
	return d, e, nil
}
