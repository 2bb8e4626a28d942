package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// filterFlags say which flags of a set are listed; all that is given must hold.
type filterFlags struct {
	tags, owners, kinds []string
	search, since       string
	expired             bool
	state               string
}

func (f *filterFlags) register(cmd *cobra.Command) {
	p := cmd.Flags()
	p.StringSliceVar(&f.tags, "tag", nil, "only flags with this tag; with each of them where there are several")
	p.StringSliceVar(&f.owners, "owner", nil, "only flags of this owner, or of one of them")
	p.StringSliceVar(&f.kinds, "kind", nil, "only flags of this kind: release, experiment, ops or permission")
	p.BoolVar(&f.expired, "expired", false, "only flags whose last day has passed")
	p.StringVar(&f.since, "changed-since", "", "only flags changed since: an age such as 7d, or a date")
	p.StringVar(&f.search, "search", "", "only flags with this text in key, description, owner or tags")
	p.StringVar(&f.state, "state", "", "only enabled or disabled flags")
	mustComplete(cmd, "kind", flags.AboutKinds()...)
	mustComplete(cmd, "state", "enabled", "disabled")
}

// check finds what cannot be meant.
func (f *filterFlags) check() error {
	for _, kind := range f.kinds {
		if !slices.Contains(flags.AboutKinds(), kind) {
			return usagef("--kind %q: want one of %s", kind, strings.Join(flags.AboutKinds(), ", "))
		}
	}
	if f.state != "" && !strings.EqualFold(f.state, "enabled") && !strings.EqualFold(f.state, "disabled") {
		return usagef("--state %q: want enabled or disabled", f.state)
	}
	return nil
}

// of returns the flags that are meant.
func (f *filterFlags) of(ctx context.Context, h store.History, head flags.Head, views []flagView, now time.Time) ([]flagView, error) {
	from := uint64(0)
	if f.since != "" {
		since, err := parseSince(f.since, now)
		if err != nil {
			return nil, usagef("--changed-since %q: %v", f.since, err)
		}
		if from, err = changedSince(ctx, h, head, since); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(views, func(v flagView) bool { return v.Revision < from || !f.admits(&v, now) }), nil
}

func (f *filterFlags) admits(v *flagView, now time.Time) bool {
	for _, tag := range f.tags {
		if !slices.Contains(v.Tags, tag) {
			return false
		}
	}
	text := strings.ToLower(strings.Join([]string{v.Key, v.Description, v.Owner, strings.Join(v.Tags, " ")}, "\n"))
	return (len(f.owners) == 0 || slices.Contains(f.owners, v.Owner)) &&
		(len(f.kinds) == 0 || slices.Contains(f.kinds, v.Kind)) &&
		(!f.expired || flags.About{Expires: v.Expires}.Expired(now)) &&
		(f.state == "" || strings.EqualFold(f.state, v.State)) &&
		strings.Contains(text, strings.ToLower(f.search))
}
