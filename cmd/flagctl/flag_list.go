package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// flagView is a flag in a list.
type flagView struct {
	Key         string `json:"key"`
	Type        string `json:"type"`
	State       string `json:"state"`
	Default     string `json:"defaultVariant"`
	Variants    int    `json:"variants"`
	Targeting   bool   `json:"targeting"`
	Overrides   int    `json:"overrides"`
	Revision    uint64 `json:"revision"`
	Description string `json:"description,omitempty"`
}

func (a *app) listCmd() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "list", Short: "List the flags of the set", Args: cobra.NoArgs,
		Example: `  flagctl list
  flagctl list --set checkout-prod -o json | jq -r .[].key`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				c, err := a.at(ctx, st, at)
				if err != nil {
					return err
				}
				views := listOf(c.Checkpoint())
				return a.print(views, func(w io.Writer) { listTable(w, views) })
			})
		},
	}
	atFlag(cmd, &at)
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
			v.Type, v.State, v.Default, v.Description = d.Type().String(), stateText(d), defaultText(d), d.Description()
			v.Variants, v.Targeting = len(d.Variants()), d.Targeting() != nil
		}
		views = append(views, v)
	}
	return views
}

func listTable(w io.Writer, views []flagView) {
	row(w, "KEY", "TYPE", "STATE", "DEFAULT", "RULES", "OVERRIDES", "DESCRIPTION")
	for _, v := range views {
		rules := "-"
		if v.Targeting {
			rules = "yes"
		}
		row(w, v.Key, v.Type, v.State, v.Default, rules, v.Overrides, shorten(v.Description, 60))
	}
}

func shorten(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return string(r[:limit-3]) + "..."
}

func (a *app) getCmd() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "get KEY", Short: "Print a flag's definition", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFlag,
		Example: `  flagctl get new-checkout
  flagctl get new-checkout -o yaml
  flagctl get new-checkout --at 57`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				c, err := a.at(ctx, st, at)
				if err != nil {
					return err
				}
				d, e, err := a.flag(c, args[0])
				if err != nil {
					return err
				}
				view := struct {
					Key        string            `json:"key"`
					Revision   uint64            `json:"revision"`
					Definition json.RawMessage   `json:"definition"`
					Rules      []string          `json:"rules,omitempty"` // the targeting as expressions, if it has them
					Overrides  map[string]string `json:"overrides,omitempty"`
				}{args[0], e.Revision, e.Bytes, ruleLines(d.Targeting()), overridesOf(c, args[0])}
				return a.print(view, func(w io.Writer) { getTable(w, args[0], d, e, view.Overrides) })
			})
		},
	}
	atFlag(cmd, &at)
	return cmd
}

func getTable(w io.Writer, key string, d flags.Definition, e flags.Entry, overrides map[string]string) {
	row(w, "key", key)
	row(w, "type", d.Type())
	row(w, "state", stateText(d))
	row(w, "default", defaultText(d))
	row(w, "revision", e.Revision)
	if text := d.Description(); text != "" {
		row(w, "description", text)
	}
	for _, v := range d.Variants() {
		row(w, "variant "+v.Name, string(v.Value))
	}
	rules := ruleLines(d.Targeting())
	for i, line := range rules {
		row(w, fmt.Sprintf("rule %d", i+1), line)
	}
	if rule := d.Targeting(); rule != nil && rules == nil {
		row(w, "targeting", string(rule))
	}
	if meta := d.Field("metadata"); meta != nil {
		row(w, "metadata", string(meta))
	}
	for _, entity := range sortedKeys(overrides) {
		row(w, "override "+entity, overrides[entity])
	}
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
