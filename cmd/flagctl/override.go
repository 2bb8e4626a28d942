package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// overrideView is an override as it is shown.
type overrideView struct {
	Key     string `json:"key"`
	Entity  string `json:"entity"`
	Variant string `json:"variant"`
}

func (a *app) overrideCmd() *cobra.Command {
	return group("override", "Give one entity (targeting key) a variant of its own", a.overrideSetCmd(), a.overrideRemoveCmd(), a.overrideListCmd())
}

func (a *app) overrideSetCmd() *cobra.Command {
	w := &writeFlags{}
	var entity string
	cmd := &cobra.Command{
		Use: "set KEY --entity ID VARIANT", Short: "Set the variant that an entity gets, whatever the rules say", SuggestFor: []string{"create", "add"},
		Example: "  flagctl override set new-checkout --entity tenant-42 on",
		Args:    cobra.ExactArgs(2), ValidArgsFunction: a.completeFlagThenVariant,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.change(cmd, w, func(c *store.View) ([]flags.Mutation, string, error) {
				if err := checkName("--entity", entity); err != nil {
					return nil, "", err
				}
				d, _, err := a.flag(c, args[0])
				if err != nil {
					return nil, "", err
				}
				if _, ok := d.Variant(args[1]); !ok {
					return nil, "", unknownVariant(args[0], d, args[1])
				}
				data, err := flags.OverrideBytes(args[1])
				if err != nil {
					return nil, "", err
				}
				key := flags.OverrideKey(args[0], entity)
				if e, ok := c.Get(key); ok && string(e.Bytes) == string(data) {
					return nil, fmt.Sprintf("%s is %s already", key, args[1]), nil
				}
				return []flags.Mutation{{Key: key, Bytes: data}}, "", nil
			})
		},
	}
	entityFlag(cmd, &entity)
	w.register(cmd)
	return cmd
}

func (a *app) overrideRemoveCmd() *cobra.Command {
	w := &writeFlags{}
	var entity string
	cmd := &cobra.Command{
		Use: "rm KEY --entity ID", Short: "Remove an override", SuggestFor: []string{"delete", "remove", "clear", "unset"}, Example: "  flagctl override rm new-checkout --entity tenant-42",
		Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFlag,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.change(cmd, w, func(c *store.View) ([]flags.Mutation, string, error) {
				key := flags.OverrideKey(args[0], entity)
				if _, ok := c.Get(key); !ok {
					return nil, "", notFoundf("`flagctl override list "+args[0]+"` shows what there is", "no %s in set %q", key, a.set)
				}
				return []flags.Mutation{{Key: key}}, "", nil
			})
		},
	}
	entityFlag(cmd, &entity)
	mustCompleteBy(cmd, "entity", a.completeEntity)
	w.register(cmd)
	return cmd
}

// completeEntity completes the targeting keys that a flag has overrides for.
func (a *app) completeEntity(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, func(c *flags.Contents) []string {
		if len(args) == 0 {
			return nil
		}
		return sortedKeys(overridesOf(c, args[0]))
	})
}

// entityFlag registers the required --entity.
func entityFlag(cmd *cobra.Command, entity *string) {
	cmd.Flags().StringVar(entity, "entity", "", "targeting key: the tenant, user, ... that is meant")
	if err := cmd.MarkFlagRequired("entity"); err != nil {
		panic(err) // only for a flag that does not exist
	}
}

func (a *app) overrideListCmd() *cobra.Command {
	var entity string
	cmd := &cobra.Command{
		Use: "list [KEY] [--entity ID]", Short: "List overrides, of one flag or one entity or all",
		Example: `  flagctl override list new-checkout
  flagctl override list --entity tenant-42`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeFlag,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				c, err := a.contents(ctx, st)
				if err != nil {
					return err
				}
				if len(args) > 0 {
					if _, _, err := a.flag(c, args[0]); err != nil {
						return err
					}
				}
				views := []overrideView{}
				for _, e := range c.Checkpoint().Entries {
					if e.Key.Kind == flags.KindOverride && (len(args) == 0 || e.Key.Name == args[0]) && (entity == "" || e.Key.Entity == entity) {
						views = append(views, overrideView{e.Key.Name, e.Key.Entity, flags.OverrideVariant(e.Bytes)})
					}
				}
				return a.print(views, func(w io.Writer) { overrideTable(w, views) })
			})
		},
	}
	cmd.Flags().StringVar(&entity, "entity", "", "only those of this targeting key")
	return cmd
}

func overrideTable(w io.Writer, views []overrideView) {
	row(w, "KEY", "ENTITY", "VARIANT")
	for _, v := range views {
		row(w, v.Key, v.Entity, v.Variant)
	}
}

// overridesOf returns the overrides of one flag: entity to variant.
func overridesOf(c entries, key string) map[string]string {
	overrides := map[string]string{}
	for e := range c.All() {
		if e.Key.Kind == flags.KindOverride && e.Key.Name == key {
			overrides[e.Key.Entity] = flags.OverrideVariant(e.Bytes)
		}
	}
	return overrides
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
