package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
	"github.com/holdfast-flags/holdfast/store"
)

// editing makes a command that changes the definition of one flag.
func (a *app) editing(use, short, example string, args cobra.PositionalArgs, edit func(d flags.Definition, args []string) (flags.Definition, string, error)) *cobra.Command {
	w := &writeFlags{}
	cmd := &cobra.Command{
		Use: use, Short: short, Example: example, Args: args, ValidArgsFunction: a.completeFlag,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.change(cmd, w, func(c *store.View) ([]flags.Mutation, string, error) {
				d, e, err := a.flag(c, args[0])
				if err != nil {
					return nil, "", err
				}
				d, note, err := edit(d, args)
				if err != nil {
					return nil, "", err
				}
				for _, name := range expression.Segments(d.Targeting()) {
					if _, ok := c.Get(segmentKey(name)); !ok {
						return nil, "", a.noSegment(c, name)
					}
				}
				after := d.Bytes()
				if string(after) == string(e.Bytes) {
					return nil, note, nil // nothing to write is no commit
				}
				return []flags.Mutation{{Key: e.Key, Bytes: after}}, note, nil
			})
		},
	}
	w.register(cmd)
	return cmd
}

func (a *app) enableCmd() *cobra.Command {
	return a.editing("enable KEY", "Evaluate the flag again (state ENABLED)", "  flagctl enable new-checkout", cobra.ExactArgs(1), setEnabled(true))
}

func (a *app) disableCmd() *cobra.Command {
	return a.editing("disable KEY", "Let every caller use its own default (state DISABLED)", "  flagctl disable new-checkout --reason incident", cobra.ExactArgs(1), setEnabled(false))
}

func setEnabled(enabled bool) func(flags.Definition, []string) (flags.Definition, string, error) {
	return func(d flags.Definition, args []string) (flags.Definition, string, error) {
		if d.Enabled() == enabled {
			return d, fmt.Sprintf("%s is %s already", args[0], stateText(d)), nil
		}
		return d.WithEnabled(enabled), "", nil
	}
}

func (a *app) toggleCmd() *cobra.Command {
	return a.editing("toggle KEY", "Switch the default variant of a flag with two variants to the other one",
		"  flagctl toggle new-checkout --reason \"release 42\" --wait", cobra.ExactArgs(1), toggle)
}

func toggle(d flags.Definition, args []string) (flags.Definition, string, error) {
	variants := d.Variants()
	if len(variants) != 2 {
		return d, "", &exitError{code: exitUsage, err: fmt.Errorf("toggle needs two variants, %s has %d: %s", args[0], len(variants), variantNames(d)),
			hint: fmt.Sprintf("flagctl set-default %s VARIANT", args[0])}
	}
	now, ok := d.DefaultVariant()
	if !ok {
		return d, "", &exitError{code: exitUsage, err: fmt.Errorf("%s has no default variant to toggle", args[0]), hint: fmt.Sprintf("flagctl set-default %s VARIANT", args[0])}
	}
	next := variants[0].Name
	if next == now {
		next = variants[1].Name
	}
	note := ""
	if d.Targeting() != nil {
		note = fmt.Sprintf("%s has a rule: the default is for whomever the rule leaves to it", args[0])
	}
	if !d.Enabled() {
		note = fmt.Sprintf("%s is DISABLED: callers go on using their own default until `flagctl enable %s`", args[0], args[0])
	}
	return d.WithDefaultVariant(next), note, nil
}

func (a *app) setDefaultCmd() *cobra.Command {
	cmd := a.editing("set-default KEY VARIANT", "Set the default variant", "  flagctl set-default checkout-theme dark", cobra.ExactArgs(2), setDefault)
	cmd.ValidArgsFunction = a.completeFlagThenVariant
	return cmd
}

func setDefault(d flags.Definition, args []string) (flags.Definition, string, error) {
	if _, ok := d.Variant(args[1]); !ok {
		return d, "", unknownVariant(args[0], d, args[1])
	}
	if now, ok := d.DefaultVariant(); ok && now == args[1] {
		return d, fmt.Sprintf("%s has default %s already", args[0], now), nil
	}
	return d.WithDefaultVariant(args[1]), "", nil
}
