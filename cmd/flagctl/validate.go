package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags/expression"
)

func (a *app) validateCmd() *cobra.Command {
	var when string
	format := &fileFormat{}
	cmd := &cobra.Command{
		Use: "validate FILE...", Short: "Check files of flags and name every fault in them, without a router", ValidArgsFunction: completeFile,
		Example: `  flagctl validate flags.json more.yaml
  flagctl validate export.json --format unleash
  flagctl validate --when 'semver(version) >= "2.1.0"'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch condition := cmd.Flags().Changed("when"); {
			case condition && len(args) > 0:
				return usagef("--when and files exclude each other")
			case condition:
				return a.validateWhen(when)
			case len(args) == 0:
				return usagef("nothing to validate: name a file, or a condition with --when")
			}
			if err := format.check(); err != nil {
				return err
			}
			return a.validateFiles(args, format)
		},
	}
	cmd.Flags().StringVar(&when, "when", "", "check a condition instead, and print its normal form and its JsonLogic")
	format.register(cmd)
	return cmd
}

func (a *app) validateFiles(paths []string, format *fileFormat) error {
	failed := 0
	for _, path := range paths {
		doc, _, err := a.read(path, format)
		if err == nil {
			err = doc.Check()
		}
		if err != nil {
			failed++
			fmt.Fprintf(a.std.err, "flagctl: %s\n", err)
			continue
		}
		fmt.Fprintf(a.std.out, "%s: ok, %d entries\n", path, len(doc.Entries()))
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d files have faults", failed, len(paths))
	}
	return nil
}

// validateWhen checks an expression, and prints its normal form and its rule.
func (a *app) validateWhen(text string) error {
	rule, err := expression.Compile(text)
	if err != nil {
		return whenFault(err)
	}
	normal, err := expression.Format(text)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.std.out, "%s\n%s\n", normal, clean(string(rule)))
	return nil
}
