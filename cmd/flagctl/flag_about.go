package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
)

// aboutFlags are what people are told of a flag, as the command line gives it.
type aboutFlags struct {
	about flags.About
	given func(name string) bool
}

func (t *aboutFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.about.Description, "description", "", "what the flag is for")
	f.StringVar(&t.about.Owner, "owner", "", "whom to ask: a person or a team")
	f.StringSliceVar(&t.about.Tags, "tag", nil, "words to find it by, once for each or separated by commas")
	f.StringVar(&t.about.Kind, "kind", "", "release, experiment, ops or permission")
	f.BoolVar(&t.about.Permanent, "permanent", false, "the flag is not meant to go away")
	f.StringVar(&t.about.Expires, "expires", "", "last day that the flag is needed: YYYY-MM-DD, or days from now such as 30d")
	mustComplete(cmd, "kind", flags.AboutKinds()...)
	t.given = f.Changed
}

// on returns a definition with what was given; an empty text takes it away.
func (t *aboutFlags) on(d flags.Definition, now time.Time) (flags.Definition, error) {
	if t.given("kind") && t.about.Kind != "" && !slices.Contains(flags.AboutKinds(), t.about.Kind) {
		return d, usagef("--kind %q: want one of %s", t.about.Kind, strings.Join(flags.AboutKinds(), ", "))
	}
	expires := t.about.Expires
	if expires != "" {
		day, err := dayOf(expires, now)
		if err != nil {
			return d, usagef("--expires %q: %v", expires, err)
		}
		expires = day
	}
	a := d.About()
	for name, take := range map[string]func(){
		"description": func() { a.Description = t.about.Description },
		"owner":       func() { a.Owner = t.about.Owner },
		"tag":         func() { a.Tags = trimmed(t.about.Tags) },
		"kind":        func() { a.Kind = t.about.Kind },
		"permanent":   func() { a.Permanent = t.about.Permanent },
		"expires":     func() { a.Expires = expires },
	} {
		if t.given(name) {
			take()
		}
	}
	return d.WithAbout(a), nil
}

func trimmed(words []string) []string {
	var out []string
	for _, w := range words {
		if w = strings.TrimSpace(w); w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// dayOf reads a date, or a number of days from now.
func dayOf(text string, now time.Time) (string, error) {
	if age, err := parseAge(text); err == nil {
		return now.UTC().Add(age).Format(time.DateOnly), nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return "", fmt.Errorf("want a date such as %s, or days from now such as 30d", now.UTC().Format(time.DateOnly))
	}
	return day.Format(time.DateOnly), nil
}

func (a *app) describeCmd() *cobra.Command {
	t := &aboutFlags{}
	cmd := a.editing("describe KEY", "Say what a flag is for, whose it is, and how long it is needed",
		`  flagctl describe new-checkout --owner payments --tag web,q3 --kind release --expires 90d
  flagctl describe new-checkout --description "the one-page checkout" --expires ""`, cobra.ExactArgs(1),
		func(d flags.Definition, args []string) (flags.Definition, string, error) {
			if !slices.ContainsFunc([]string{"description", "owner", "tag", "kind", "permanent", "expires"}, t.given) {
				return d, "", &exitError{code: exitUsage, err: fmt.Errorf("nothing to say about %s", args[0]), hint: "use --owner, --tag, --kind, --permanent, --expires or --description"}
			}
			before := d.String()
			d, err := t.on(d, time.Now())
			if err == nil && d.String() == before {
				return d, args[0] + " is described like that already", nil
			}
			return d, "", err
		})
	cmd.Long = `Say what a flag is for, whose it is, and how long it is needed. What is not given
stays; an empty text takes it away; --tag replaces the tags there were.`
	t.register(cmd)
	return cmd
}
