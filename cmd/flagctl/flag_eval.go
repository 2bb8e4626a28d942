package main

import (
	"context"
	"encoding/json"
	"errors"
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
	Explain      []stepView      `json:"explain,omitempty"`
}

// asking is a question: which flag, for whom, and what is wanted of the answer.
type asking struct {
	key, at       string
	ec            flags.EvaluationContext
	explain, test bool
	sample        int
}

func (a *app) evalCmd() *cobra.Command {
	var entity, contextJSON string
	var attrs []string
	var q asking
	cmd := &cobra.Command{
		Use:   "eval KEY",
		Short: "Evaluate a flag for a context, as the SDK does",
		Long: `Evaluate a flag for a context, as the SDK does. Attribute values are JSON where
they can be read as JSON and strings otherwise: seats=30 is a number, plan=pro a
string, and zip='"01234"' a string of digits.

--explain shows the path through the rule: each condition, what came of it, and
the values it saw. --test prints nothing and exits with 0 where the value is true,
and with 1 where it is anything else or there is none, for scripts; other exit
codes are those of every command. --sample says how many of so many made-up
targeting keys, with the same attributes, get each variant.`,
		Example: `  flagctl eval new-checkout --entity tenant-42 --attr plan=pro --attr seats=30
  flagctl eval new-checkout --context '{"targetingKey":"tenant-42","geo":{"country":"NZ"}}'
  flagctl eval new-checkout --entity tenant-42 --attr plan=pro --explain
  flagctl eval new-checkout --attr plan=pro --attr country=NZ --sample 10000
  if flagctl eval maintenance --test; then echo closed; fi`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFlag,
		RunE: func(cmd *cobra.Command, args []string) error {
			ec, err := evaluationContext(entity, contextJSON, attrs)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("sample") && (q.sample < 1 || q.sample > maxSample) {
				return usagef("--sample %d: want a number from 1 to %d", q.sample, maxSample)
			}
			q.key, q.ec = args[0], ec
			return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error { return a.eval(ctx, st, &q) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&entity, "entity", "", "targeting key: the tenant, user, ... that asks")
	f.StringArrayVar(&attrs, "attr", nil, "NAME=VALUE of the context, once for each")
	f.StringVar(&contextJSON, "context", "", "the context as a JSON object; --entity and --attr go on top")
	f.BoolVar(&q.explain, "explain", false, "show the path through the rule with the values seen")
	f.BoolVar(&q.test, "test", false, "print nothing; exit with 0 for true and 1 for anything else")
	f.IntVar(&q.sample, "sample", 0, "evaluate for so many made-up targeting keys, and count who gets what")
	for _, other := range []string{"entity", "explain", "test"} {
		cmd.MarkFlagsMutuallyExclusive("sample", other)
	}
	cmd.MarkFlagsMutuallyExclusive("explain", "test")
	atFlag(cmd, &q.at)
	return cmd
}

func (a *app) eval(ctx context.Context, st store.Store, q *asking) error {
	c, err := a.at(ctx, st, q.at)
	if err != nil {
		return err
	}
	e, ok := c.Get(flags.FlagKey(q.key))
	if !ok {
		return notFoundf(nearest(c, q.key), "no flag %q in set %q", q.key, a.set)
	}
	snapshot := flags.NewSnapshot(c.Checkpoint()).View()
	if q.sample > 0 {
		return a.sample(snapshot, q)
	}
	d := snapshot.ValueDetails(q.key, q.ec, flags.Value{})
	if q.test {
		if d.ErrorCode == flags.ErrorNone && d.Value.Kind() == flags.ValueBool && d.Value.Bool() {
			return nil
		}
		return &answer{code: exitFailed}
	}
	view := evalView{Key: q.key, Variant: d.Variant, Reason: d.Reason.String(), ErrorMessage: d.ErrorMessage(), Token: d.Token().String()}
	if d.ErrorCode != flags.ErrorNone {
		view.ErrorCode = d.ErrorCode.String()
	}
	view.Value = d.Value.AppendJSON(nil)
	if m := d.Metadata(); m.Len() > 0 {
		view.Metadata = m.AppendJSON(nil)
	}
	if definition, err := flags.ParseDefinition(e.Bytes); q.explain && err == nil {
		override, _ := c.Get(flags.OverrideKey(q.key, q.ec.TargetingKey()))
		view.Explain = newExplainer(c, q.key, q.ec).steps(definition, override.Bytes)
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
	if v.Explain != nil {
		explainRows(w, v.Explain)
	}
}

// evaluationContext builds the context that the command line describes.
func evaluationContext(entity, contextJSON string, attrs []string) (flags.EvaluationContext, error) {
	members := map[string]any{}
	if contextJSON != "" {
		if err := json.Unmarshal([]byte(contextJSON), &members); err != nil {
			var other *json.UnmarshalTypeError
			if errors.As(err, &other) {
				return flags.EvaluationContext{}, usagef(`--context is no JSON object but of type %s; want something like {"plan":"pro"}`, other.Value)
			}
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
