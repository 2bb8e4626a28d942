package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
	"github.com/holdfast-flags/holdfast/store"
)

// segmentView is a shared rule (flagd's evaluator) as it is shown.
type segmentView struct {
	Name     string          `json:"name"`
	Revision uint64          `json:"revision"`
	When     string          `json:"when,omitempty"` // the rule as an expression, if it has one
	Rule     json.RawMessage `json:"rule"`
	UsedBy   []string        `json:"usedBy"`
}

// text is the expression, or else the JSON.
func (v segmentView) text() string {
	if v.When != "" {
		return v.When
	}
	return string(v.Rule)
}

func segmentKey(name string) flags.EntryKey {
	return flags.EntryKey{Kind: flags.KindEvaluator, Name: name}
}

func (a *app) segmentCmd() *cobra.Command {
	return group("segment", "Name a condition, to use it in the rules of many flags", a.segmentSetCmd(), a.segmentListCmd(), a.segmentGetCmd(), a.segmentDeleteCmd())
}

func (a *app) segmentSetCmd() *cobra.Command {
	w := &writeFlags{}
	var when string
	cmd := &cobra.Command{
		Use: "set NAME --when EXPRESSION", Short: "Create a segment, or change it for all flags that use it", SuggestFor: []string{"create", "add", "edit"},
		Example: `  flagctl segment set pilots --when 'tenant in ["acme", "initech"] || endsWith(email, "@example.com")'
  flagctl target new-checkout --when 'segment("pilots")' --serve on`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeSegment,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkName("segment", args[0]); err != nil {
				return err
			}
			rule, err := expression.CompileSegment(when)
			if err != nil {
				return whenFault(err)
			}
			return a.change(cmd, w, func(c *store.View) ([]flags.Mutation, string, error) {
				key := segmentKey(args[0])
				if e, ok := c.Get(key); ok && bytes.Equal(e.Bytes, rule) {
					return nil, args[0] + " is like that already", nil
				}
				note := ""
				if users := segmentUsers(c)[args[0]]; len(users) > 0 {
					note = "used by " + strings.Join(users, ", ")
				}
				return []flags.Mutation{{Key: key, Bytes: rule}}, note, nil
			})
		},
	}
	cmd.Flags().StringVar(&when, "when", "", "the condition")
	if err := cmd.MarkFlagRequired("when"); err != nil {
		panic(err) // only for a flag that does not exist
	}
	w.register(cmd)
	return cmd
}

func (a *app) segmentListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the segments of the set", Args: cobra.NoArgs, Example: "  flagctl segment list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				c, err := a.contents(ctx, st)
				if err != nil {
					return err
				}
				views := segmentsOf(c)
				return a.print(views, func(w io.Writer) {
					row(w, "NAME", "FLAGS", "WHEN")
					for _, v := range views {
						row(w, v.Name, len(v.UsedBy), shorten(v.text(), 100))
					}
				})
			})
		},
	}
}

func (a *app) segmentGetCmd() *cobra.Command {
	return &cobra.Command{
		Use: "get NAME", Short: "Print a segment and the flags that use it", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeSegment,
		Example: "  flagctl segment get pilots",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				c, err := a.contents(ctx, st)
				if err != nil {
					return err
				}
				e, ok := c.Get(segmentKey(args[0]))
				if !ok {
					return a.noSegment(c, args[0])
				}
				v := segmentOf(e, segmentUsers(c))
				return a.print(v, func(w io.Writer) {
					row(w, "name", v.Name)
					row(w, "revision", v.Revision)
					row(w, "when", v.text())
					for _, key := range v.UsedBy {
						row(w, "flag", key)
					}
				})
			})
		},
	}
}

func (a *app) segmentDeleteCmd() *cobra.Command {
	w := &writeFlags{}
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Delete a segment that no flag uses any more", SuggestFor: []string{"rm", "remove"}, Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeSegment,
		Example: "  flagctl segment delete pilots",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.change(cmd, w, func(c *store.View) ([]flags.Mutation, string, error) {
				key := segmentKey(args[0])
				if _, ok := c.Get(key); !ok {
					return nil, "", a.noSegment(c, args[0])
				}
				if users := segmentUsers(c)[args[0]]; len(users) > 0 {
					return nil, "", &exitError{code: exitFailed, err: fmt.Errorf("segment %q is used by %s", args[0], strings.Join(users, ", ")), hint: "change their rules first with `flagctl target`"}
				}
				return []flags.Mutation{{Key: key}}, "", nil
			})
		},
	}
	w.register(cmd)
	return cmd
}

func segmentsOf(c *flags.Contents) []segmentView {
	views := []segmentView{} // an empty list in JSON, not null
	users := segmentUsers(c)
	for _, e := range c.Checkpoint().Entries {
		if e.Key.Kind == flags.KindEvaluator {
			views = append(views, segmentOf(e, users))
		}
	}
	return views
}

func segmentOf(e flags.Entry, users map[string][]string) segmentView {
	v := segmentView{Name: e.Key.Name, Revision: e.Revision, Rule: e.Bytes, UsedBy: append([]string{}, users[e.Key.Name]...)}
	v.When, _ = expression.Show(e.Bytes)
	return v
}

// completeSegment completes names of segments from the server.
func (a *app) completeSegment(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.complete(cmd, func(c *flags.Contents) []string {
		var names []string
		for _, v := range segmentsOf(c) {
			names = append(names, v.Name)
		}
		return names
	})
}

// segmentUsers returns for each segment the flags whose rules refer to it, sorted.
func segmentUsers(c entries) map[string][]string {
	users := map[string][]string{}
	for e := range c.All() {
		if e.Key.Kind != flags.KindFlag {
			continue
		}
		d, err := flags.ParseDefinition(e.Bytes)
		if err != nil {
			continue
		}
		for _, name := range expression.Segments(d.Targeting()) {
			users[name] = append(users[name], e.Key.Name)
		}
	}
	for _, keys := range users {
		slices.Sort(keys)
	}
	return users
}
