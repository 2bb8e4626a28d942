package main

import (
	"encoding/json"
	"fmt"
	"io"

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

// fileView is what was found in a file.
type fileView struct {
	File    string `json:"file"`
	OK      bool   `json:"ok"`
	Entries int    `json:"entries,omitempty"`
	Error   string `json:"error,omitempty"`
}

// checkedCondition is a condition in its normal form, and what it compiles to.
type checkedCondition struct {
	When string          `json:"when"`
	Rule json.RawMessage `json:"rule"`
}

func (a *app) validateFiles(paths []string, format *fileFormat) error {
	views, failed := []fileView{}, 0
	for _, path := range paths {
		doc, _, err := a.read(path, format)
		if err == nil {
			err = doc.Check()
		}
		if err != nil {
			failed++
			fmt.Fprintf(a.std.err, "flagctl: %s\n", err)
			views = append(views, fileView{File: path, Error: err.Error()})
			continue
		}
		views = append(views, fileView{File: path, OK: true, Entries: len(doc.Entries())})
	}
	err := a.print(views, func(w io.Writer) {
		for _, v := range views {
			if v.OK {
				row(w, fmt.Sprintf("%s: ok, %d entries", v.File, v.Entries))
			}
		}
	})
	if err != nil {
		return err
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
	return a.print(checkedCondition{When: normal, Rule: rule}, func(w io.Writer) {
		row(w, normal)
		row(w, string(rule))
	})
}
