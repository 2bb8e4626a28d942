package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
)

// targetFlags are the rules that a command line describes.
type targetFlags struct {
	when, serve []string
	otherwise   string
	by          string
	add, clear  bool
}

func (a *app) targetCmd() *cobra.Command {
	t := &targetFlags{}
	cmd := a.editing("target KEY --when EXPRESSION --serve VARIANT", "Serve a variant to whom a condition is true for",
		`  flagctl target new-checkout --when 'country in ["NZ", "AU"] && plan == "pro"' --serve on
  flagctl target new-checkout --when 'segment("staff")' --serve on --when 'plan == "pro"' --serve on=25,off=75 --else off
  flagctl target new-checkout --when 'semver(version) >= "2.1.0"' --serve on --add
  flagctl target new-checkout --clear`, cobra.ExactArgs(1),
		func(d flags.Definition, args []string) (flags.Definition, string, error) { return t.edit(d, args[0]) })
	cmd.Long = `Serve a variant to whom a condition is true for: one --when and one --serve for
each rule, tried in order. Whom none matches gets --else or the default variant.
--serve takes a variant, or shares such as on=25,off=75.

The rules replace those there were; --add puts them after those. The language of
conditions: attributes, == != < <= > >= in, && || !, startsWith, endsWith,
contains, has, missing, semver, percent, segment. ` + "`flagctl validate --when`" + ` tries one.`
	f := cmd.Flags()
	f.StringArrayVar(&t.when, "when", nil, "condition of a rule, once for each")
	f.StringArrayVar(&t.serve, "serve", nil, "variant or shares of the rule, once for each --when")
	f.StringVar(&t.otherwise, "else", "", "variant or shares for whom no rule matches (default: the default variant)")
	f.StringVar(&t.by, "by", "", "attribute that shares go by (default: the targeting key)")
	f.BoolVar(&t.add, "add", false, "put the rules after those there are")
	f.BoolVar(&t.clear, "clear", false, "remove all rules")
	for _, name := range []string{"serve", "else"} {
		a.mustCompleteVariants(cmd, name)
	}
	return cmd
}

func (a *app) mustCompleteVariants(cmd *cobra.Command, flag string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if strings.Contains(word, "=") {
			return a.completeFlagThenShares(cmd, args, word)
		}
		return a.completeFlagThenVariant(cmd, args, word)
	})
	if err != nil {
		panic(err) // only for a flag that does not exist
	}
}

func (t *targetFlags) edit(d flags.Definition, key string) (flags.Definition, string, error) {
	before := d.Targeting()
	targeting, err := t.targeting(d, key)
	if err != nil {
		return d, "", err
	}
	rule, err := targeting.Compile()
	if err != nil {
		return d, "", usagef("%s", strings.TrimPrefix(err.Error(), "expression: "))
	}
	if d, err = d.WithTargeting(rule); err != nil {
		return d, "", err
	}
	return d, t.note(d, key, before), nil
}

func (t *targetFlags) note(d flags.Definition, key string, before []byte) string {
	switch {
	case bytes.Equal(before, d.Targeting()):
		return key + " is targeted like that already"
	case !d.Enabled():
		return fmt.Sprintf("%s is DISABLED: callers go on using their own default until `flagctl enable %s`", key, key)
	case before != nil && !t.add:
		return "the rule it had before is replaced; `flagctl history " + key + "` has it"
	}
	return ""
}

// targeting returns what the rules of a flag are to be.
func (t *targetFlags) targeting(d flags.Definition, key string) (targeting expression.Targeting, err error) {
	switch {
	case t.clear && (len(t.when)+len(t.serve) > 0 || t.add || t.otherwise != "" || t.by != ""):
		return targeting, usagef("--clear stands alone")
	case t.clear:
		return targeting, nil
	case len(t.when) == 0:
		return targeting, &exitError{code: exitUsage, err: errors.New("no --when"), hint: "`flagctl get " + key + "` shows the rules, --clear removes them"}
	case len(t.when) != len(t.serve):
		return targeting, usagef("%d --when and %d --serve: each condition serves something", len(t.when), len(t.serve))
	}
	if t.add {
		var ok bool
		if targeting, ok = expression.ShowTargeting(d.Targeting()); !ok {
			return targeting, &exitError{code: exitUsage, err: fmt.Errorf("%s has a rule that cannot be shown as expressions, so nothing can be added to it", key), hint: "`flagctl get " + key + "` shows it as JSON; without --add it is replaced"}
		}
	}
	for i, when := range t.when {
		if _, err := expression.Compile(when); err != nil {
			return targeting, whenFault(err)
		}
		serve, err := t.serving(d, key, t.serve[i])
		if err != nil {
			return targeting, err
		}
		targeting.Rules = append(targeting.Rules, expression.Rule{When: when, Serve: serve})
	}
	if t.otherwise != "" {
		targeting.Else, err = t.serving(d, key, t.otherwise)
	}
	return targeting, err
}

// serving reads a variant or shares.
func (t *targetFlags) serving(d flags.Definition, key, text string) (expression.Serve, error) {
	if _, ok := d.Variant(text); ok {
		return expression.Serve{Variant: text}, nil
	}
	if !strings.Contains(text, "=") {
		return expression.Serve{}, unknownVariant(key, d, text)
	}
	shares, err := sharesOf(d, key, text)
	return expression.Serve{Split: shares, By: t.by}, err
}

// whenFault shows a fault of an expression with a caret under it.
func whenFault(err error) error {
	var fault *expression.Error
	if !errors.As(err, &fault) {
		return err
	}
	plain := *fault
	plain.Hint = "" // it has a line of its own
	caret := "  " + strings.ReplaceAll(fault.Caret(), "\n", "\n  ")
	return &exitError{code: exitUsage, err: fmt.Errorf("--when: %w\n%s", &plain, caret), hint: fault.Hint}
}

// ruleLines shows a rule as expressions, a line each, or as nothing where it has none.
func ruleLines(rule []byte) []string {
	targeting, ok := expression.ShowTargeting(rule)
	if !ok || rule == nil {
		return nil
	}
	return strings.Split(targeting.String(), "\n")
}
