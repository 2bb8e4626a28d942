package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// getView is one flag, with all there is to know of it.
type getView struct {
	Key        string            `json:"key"`
	Revision   uint64            `json:"revision"`
	Definition json.RawMessage   `json:"definition"`
	Rules      []string          `json:"rules,omitempty"` // the targeting as expressions, if it has them
	Overrides  map[string]string `json:"overrides,omitempty"`
	Created    *stampView        `json:"created,omitempty"` // absent: the journal does not go back that far
	Changed    *stampView        `json:"changed,omitempty"`
}

func (a *app) getCmd() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "get KEY", Short: "Print a flag: its definition, overrides, and who changed it", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFlag,
		Example: `  flagctl get new-checkout
  flagctl get new-checkout -o yaml
  flagctl get new-checkout --at 57`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
				c, err := a.at(ctx, st, at)
				if err != nil {
					return err
				}
				d, e, err := a.flag(c, args[0])
				if err != nil {
					return err
				}
				view := getView{Key: args[0], Revision: e.Revision, Definition: e.Bytes, Rules: ruleLines(d.Targeting()), Overrides: overridesOf(c, args[0])}
				if view.Created, view.Changed, err = stamps(ctx, st, c.Head(), e); err != nil {
					return err
				}
				return a.print(view, func(w io.Writer) { getTable(w, &view, d) })
			})
		},
	}
	atFlag(cmd, &at)
	return cmd
}

func getTable(w io.Writer, v *getView, d flags.Definition) {
	row(w, "key", v.Key)
	row(w, "type", d.Type())
	row(w, "state", stateText(d))
	row(w, "default", defaultText(d))
	row(w, "revision", v.Revision)
	aboutRows(w, d.About())
	for _, s := range d.Variants() {
		row(w, "variant "+s.Name, string(s.Value))
	}
	ruleRows(w, v.Rules, defaultText(d))
	if rule := d.Targeting(); rule != nil && v.Rules == nil {
		row(w, "targeting", string(rule))
	}
	if meta := d.WithAbout(flags.About{}).Field("metadata"); meta != nil {
		row(w, "metadata", string(meta))
	}
	for _, entity := range sortedKeys(v.Overrides) {
		row(w, "override "+entity, v.Overrides[entity])
	}
	if v.Created != nil {
		row(w, "created", v.Created.text())
	}
	if v.Changed != nil {
		row(w, "changed", v.Changed.text())
	}
}

// ruleRows shows the rules and who is left, the last being those that no rule matches.
func ruleRows(w io.Writer, lines []string, byDefault string) {
	for i, line := range lines {
		serve, last := strings.CutPrefix(line, "else ")
		switch {
		case last && i == 0: // there is no rule before it: it is for everybody
			row(w, "rollout", serve)
			return
		case last:
			row(w, "else", serve)
			return
		}
		row(w, fmt.Sprintf("rule %d", i+1), line)
	}
	if len(lines) > 0 {
		row(w, "else", byDefault+" (the default)")
	}
}

func aboutRows(w io.Writer, t flags.About) {
	for _, f := range [][2]string{{"description", t.Description}, {"owner", t.Owner}, {"tags", strings.Join(t.Tags, ", ")}, {"kind", t.Kind}, {"expires", t.Expires}} {
		if f[1] != "" {
			row(w, f[0], f[1])
		}
	}
	if t.Permanent {
		row(w, "permanent", "yes")
	}
}
