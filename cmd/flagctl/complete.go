package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// completeLimit is how long the shell waits for words: a person who typed TAB goes
// on typing where none come.
const completeLimit = time.Second

// completeFlag completes flag keys from the server.
func (a *app) completeFlag(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.complete(cmd, func(c *flags.Contents) []string {
		var keys []string
		for _, v := range listOf(c.Checkpoint()) {
			keys = append(keys, described(v.Key, v.Description))
		}
		return keys
	})
}

// described is a word with what the shell shows beside it.
func described(word, description string) string {
	if description == "" {
		return word
	}
	return word + "\t" + clean(shorten(description, 60))
}

func (a *app) completeFlagThenVariant(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return a.completeFlag(cmd, args, toComplete)
	}
	return a.complete(cmd, func(c *flags.Contents) []string {
		d, _, err := a.flag(c, args[0])
		if err != nil {
			return nil
		}
		var names []string
		for _, v := range d.Variants() {
			names = append(names, described(v.Name, string(v.Value)))
		}
		return names
	})
}

// completeSets completes up to most names of sets.
func (a *app) completeSets(most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.completing(cmd, func(ctx context.Context, st store.Store) ([]string, error) {
			heads, err := st.Sets(ctx)
			var names []string
			for _, h := range heads {
				if h.Status == flags.StatusLive {
					names = append(names, described(h.Set, fmt.Sprintf("%d entries", h.Count)))
				}
			}
			return names, err
		})
	}
}

func (a *app) complete(cmd *cobra.Command, words func(*flags.Contents) []string) ([]string, cobra.ShellCompDirective) {
	return a.completing(cmd, func(ctx context.Context, st store.Store) ([]string, error) {
		c, err := a.contents(ctx, st)
		if err != nil {
			return nil, err
		}
		return words(c), nil
	})
}

// completing asks the server for words. Where it does not answer there are none:
// an error would land in the middle of what is being typed.
func (a *app) completing(cmd *cobra.Command, words func(ctx context.Context, st store.Store) ([]string, error)) (found []string, _ cobra.ShellCompDirective) {
	if a.settle(cmd) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	a.timeout = min(a.timeout, completeLimit)
	err := a.with(cmd.Context(), func(ctx context.Context, st store.Store) (err error) {
		found, err = words(ctx, st)
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
