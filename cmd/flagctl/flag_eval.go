package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// evalView is the answer for one flag and context.
type evalView struct {
	Key          string          `json:"key"`
	Value        json.RawMessage `json:"value"` // null: the caller's own default
	Variant      string          `json:"variant,omitempty"`
	Reason       string          `json:"reason"`
	ErrorCode    string          `json:"errorCode,omitempty"`
	ErrorMessage string          `json:"errorMessage,omitempty"`
	Metadata     json.RawMessage `json:"metadata,omitempty"`
	Token        string          `json:"token"`
}

func (a *app) evalCmd() *cobra.Command {
	var entity, contextJSON string
	var attrs []string
	cmd := &cobra.Command{
		Use:   "eval KEY",
		Short: "Evaluate a flag for a context, as the SDK does",
		Long: `Evaluate a flag for a context, as the SDK does. Attribute values are JSON where
they can be read as JSON and strings otherwise: seats=30 is a number, plan=pro a
string, and zip='"01234"' a string of digits.`,
		Example: `  flagctl eval new-checkout --entity tenant-42 --attr plan=pro --attr seats=30
  flagctl eval new-checkout --context '{"targetingKey":"tenant-42","geo":{"country":"NZ"}}'`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFlag,
		RunE: func(cmd *cobra.Command, args []string) error {
			ec, err := evaluationContext(entity, contextJSON, attrs)
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error { return a.eval(ctx, st, args[0], ec) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&entity, "entity", "", "targeting key: the tenant, user, ... that asks")
	f.StringArrayVar(&attrs, "attr", nil, "NAME=VALUE of the context, once for each")
	f.StringVar(&contextJSON, "context", "", "the context as a JSON object; --entity and --attr go on top")
	return cmd
}

func (a *app) eval(ctx context.Context, st store.Store, key string, ec flags.EvaluationContext) error {
	c, err := a.contents(ctx, st)
	if err != nil {
		return err
	}
	if _, ok := c.Get(flags.FlagKey(key)); !ok {
		return notFoundf(nearest(c, key), "no flag %q in set %q", key, a.set)
	}
	d := flags.NewSnapshot(c.Checkpoint()).View().ValueDetails(key, ec, flags.Value{})
	view := evalView{Key: key, Variant: d.Variant, Reason: d.Reason.String(), ErrorMessage: d.ErrorMessage(), Token: d.Token().String()}
	if d.ErrorCode != flags.ErrorNone {
		view.ErrorCode = d.ErrorCode.String()
	}
	view.Value = d.Value.AppendJSON(nil)
	if m := d.Metadata(); m.Len() > 0 {
		view.Metadata = m.AppendJSON(nil)
	}
	return a.print(view, func(w io.Writer) { evalTable(w, view) })
}

func evalTable(w io.Writer, v evalView) {
	value := string(v.Value)
	if v.Variant == "" && value == "null" {
		value = "the caller's own default"
	}
	row(w, "value", value)
	if v.Variant != "" {
		row(w, "variant", v.Variant)
	}
	row(w, "reason", v.Reason)
	if v.ErrorCode != "" {
		row(w, "error", v.ErrorCode+" "+v.ErrorMessage)
	}
	if v.Metadata != nil {
		row(w, "metadata", string(v.Metadata))
	}
	row(w, "revision", v.Token)
}

// evaluationContext builds the context that the command line describes.
func evaluationContext(entity, contextJSON string, attrs []string) (flags.EvaluationContext, error) {
	members := map[string]any{}
	if contextJSON != "" {
		if err := json.Unmarshal([]byte(contextJSON), &members); err != nil {
			return flags.EvaluationContext{}, usagef("--context is no JSON object: %v", err)
		}
		if members == nil {
			return flags.EvaluationContext{}, usagef("--context is no JSON object: null")
		}
	}
	for _, attr := range attrs {
		name, text, ok := strings.Cut(attr, "=")
		if !ok || name == "" {
			return flags.EvaluationContext{}, usagef("--attr %q: want NAME=VALUE", attr)
		}
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			value = text
		}
		members[name] = value
	}
	if entity != "" {
		members["targetingKey"] = entity
	}
	ec, err := flags.FromMap(members)
	if err != nil {
		return ec, usagef("context: %v", err)
	}
	return ec, nil
}
