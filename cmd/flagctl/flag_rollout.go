package main

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
)

func (a *app) rolloutCmd() *cobra.Command {
	var by string
	cmd := a.editing("rollout KEY VARIANT=WEIGHT[,...]", "Serve variants by share, sticky per targeting key",
		`  flagctl rollout new-checkout on=25,off=75
  flagctl rollout new-checkout on=1,off=999 --by tenant
  flagctl target new-checkout --when 'segment("nz-pro")' --serve on=25,off=75   # only of these`, cobra.ExactArgs(2),
		func(d flags.Definition, args []string) (flags.Definition, string, error) {
			shares, err := sharesOf(d, args[0], args[1])
			if err != nil {
				return d, "", err
			}
			before := d.Targeting()
			if d, err = d.WithRollout(shares, by); err != nil {
				return d, "", err
			}
			note := ""
			switch {
			case bytes.Equal(before, d.Targeting()):
				note = args[0] + " is rolled out like that already"
			case before != nil:
				note = "the rule it had before is replaced; `flagctl history " + args[0] + "` has it"
			}
			return d, note, nil
		})
	cmd.Long = `Serve variants by share, to everybody; ` + "`flagctl target`" + ` serves shares to whom a
condition is true for, and leaves the others be. Who gets which is decided by a hash of flag key and
targeting key, so an entity keeps its variant while shares grow. --by ATTRIBUTE
buckets by another attribute of the context instead. Contexts without it get
the default variant.`
	cmd.Flags().StringVar(&by, "by", "", "attribute to bucket by (default: the targeting key)")
	cmd.ValidArgsFunction = a.completeFlagThenShares
	return cmd
}

// completeFlagThenShares completes shares of variants that have none yet, one at a time.
func (a *app) completeFlagThenShares(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return a.completeFlag(cmd, args, word)
	}
	words, directive := a.complete(cmd, func(c *flags.Contents) []string {
		d, _, err := a.flag(c, args[0])
		if err != nil {
			return nil
		}
		return shareWords(d, word)
	})
	return words, directive | cobra.ShellCompDirectiveNoSpace // the weight comes next
}

// shareWords returns what can come next after the shares in a word. A weight is for the
// person to type.
func shareWords(d flags.Definition, word string) []string {
	parts := strings.Split(word, ",")
	last := parts[len(parts)-1]
	begun := strings.TrimSuffix(word, last)
	named := map[string]bool{}
	for _, part := range parts {
		if i := strings.LastIndex(part, "="); i > 0 {
			named[part[:i]] = true
		}
	}
	switch {
	case strings.HasSuffix(last, "="):
		return nil
	case strings.Contains(last, "="):
		begun = word + ","
	}
	var words []string
	for _, v := range d.Variants() {
		if !named[v.Name] && !strings.Contains(v.Name, ",") {
			words = append(words, described(begun+v.Name+"=", string(v.Value)))
		}
	}
	return words
}

// sharesOf reads shares of variants that the flag has.
func sharesOf(d flags.Definition, key, text string) ([]flags.Share, error) {
	shares, err := parseShares(text)
	if err != nil {
		return nil, err
	}
	for _, s := range shares {
		if _, ok := d.Variant(s.Variant); !ok {
			return nil, unknownVariant(key, d, s.Variant)
		}
	}
	return shares, nil
}

func parseShares(text string) ([]flags.Share, error) {
	var shares []flags.Share
	seen, total := map[string]bool{}, 0
	for part := range strings.SplitSeq(text, ",") {
		i := strings.LastIndex(part, "=")
		if i <= 0 {
			return nil, usagef("shares %q: want VARIANT=WEIGHT, separated by commas", text)
		}
		name, weight := part[:i], strings.TrimSuffix(part[i+1:], "%")
		n, err := strconv.Atoi(weight)
		if err != nil || n < 0 || n > 1_000_000 {
			return nil, usagef("shares %q: the weight of %q is no whole number from 0 to 1000000", text, name)
		}
		if seen[name] {
			return nil, usagef("shares %q: %q is there twice", text, name)
		}
		seen[name] = true
		total += n
		shares = append(shares, flags.Share{Variant: name, Weight: n})
	}
	if len(shares) < 2 { // flagd ignores a lone share, and "on=25" alone would not mean a quarter
		return nil, usagef("shares %q: give every variant its share, such as on=25,off=75", text)
	}
	if total == 0 {
		return nil, usagef("shares %q: all weights are 0", text)
	}
	return shares, nil
}
