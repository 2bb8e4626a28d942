package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// newFlag is what the flags of create describe.
type newFlag struct {
	kind           string
	variants       []string
	defaultVariant string
}

func (a *app) createCmd() *cobra.Command {
	w, n, t := &writeFlags{}, &newFlag{}, &aboutFlags{}
	cmd := &cobra.Command{
		Use:   "create KEY",
		Short: "Create a flag; boolean with variants on and off unless said otherwise",
		Example: `  flagctl create new-checkout --description "the one-page checkout" --owner payments --kind release --expires 90d
  flagctl create theme --type string --variant light=light --variant dark=dark --default light
  flagctl create limits --type object --variant 'small={"seats":5}' --default small`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkName("flag key", args[0]); err != nil {
				return err
			}
			d, err := n.definition()
			if err != nil {
				return err
			}
			if d, err = t.on(d, time.Now()); err != nil {
				return err
			}
			return a.change(cmd, w, func(c *store.View) ([]flags.Mutation, string, error) {
				if _, ok := c.Get(flags.FlagKey(args[0])); ok {
					return nil, "", &exitError{code: exitConflict, err: fmt.Errorf("flag %q exists in set %q", args[0], a.set), hint: "flagctl get " + args[0]}
				}
				return []flags.Mutation{{Key: flags.FlagKey(args[0]), Bytes: d.Bytes()}}, "", nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&n.kind, "type", "boolean", "boolean, string, number or object")
	f.StringArrayVar(&n.variants, "variant", nil, "NAME=VALUE, once for each; default for a boolean flag: on=true and off=false")
	f.StringVar(&n.defaultVariant, "default", "", "default variant (default: off for a boolean flag, else the first variant)")
	t.register(cmd)
	mustComplete(cmd, "type", flags.TypeNames()...)
	w.register(cmd)
	return cmd
}

func (n *newFlag) definition() (flags.Definition, error) {
	kind, ok := flags.ParseType(n.kind)
	if !ok {
		return flags.Definition{}, usagef("--type %q: want one of %s", n.kind, strings.Join(flags.TypeNames(), ", "))
	}
	variants, byDefault := n.variants, n.defaultVariant
	if len(variants) == 0 {
		if n.kind != "boolean" {
			return flags.Definition{}, usagef("a %s flag needs at least one --variant NAME=VALUE", n.kind)
		}
		variants = []string{"on=true", "off=false"}
		if byDefault == "" {
			byDefault = "off"
		}
	}
	d := flags.Definition{}.WithEnabled(true)
	for _, v := range variants {
		name, text, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return d, usagef("--variant %q: want NAME=VALUE", v)
		}
		if _, twice := d.Variant(name); twice {
			return d, usagef("--variant %q is given twice", name)
		}
		if err := checkName("variant", name); err != nil {
			return d, err
		}
		value, err := flags.ParseVariant(kind, text)
		if err != nil {
			return d, usagef("--variant %q: %s", shorten(v, 80), wantValue(kind, err))
		}
		if d, err = d.WithVariant(name, value); err != nil {
			return d, usagef("--variant %q: %v", shorten(v, 80), err)
		}
		if byDefault == "" {
			byDefault = name
		}
	}
	if _, ok := d.Variant(byDefault); !ok {
		return d, usagef("--default %q is no variant; there are %s", byDefault, variantNames(d))
	}
	return d.WithDefaultVariant(byDefault), nil
}

// wantValue is what a value of a type looks like; of objects the place of the fault
// helps more.
func wantValue(kind flags.Type, err error) string {
	switch kind {
	case flags.TypeBoolean:
		return "want true or false"
	case flags.TypeNumber:
		return "want a number such as 10 or 2.5"
	default:
		return err.Error()
	}
}

func (a *app) deleteCmd() *cobra.Command {
	w := &writeFlags{}
	cmd := &cobra.Command{
		Use: "delete KEY", Short: "Delete a flag with its overrides, in one commit; the history stays",
		Example: `  flagctl delete new-checkout --reason "everybody has it"
  flagctl delete new-checkout --dry-run`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFlag,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.change(cmd, w, func(c *store.View) ([]flags.Mutation, string, error) {
				if _, ok := c.Get(flags.FlagKey(args[0])); !ok {
					return nil, "", notFoundf(nearest(c, args[0]), "no flag %q in set %q", args[0], a.set)
				}
				changes := []flags.Mutation{{Key: flags.FlagKey(args[0])}}
				for _, e := range c.Overrides(args[0]) {
					changes = append(changes, flags.Mutation{Key: e.Key})
				}
				return changes, "", nil
			})
		},
	}
	w.register(cmd)
	return cmd
}
