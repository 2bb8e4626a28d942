package flags

import (
	"encoding/json"
	"fmt"
)

// Share is one variant's part of a rollout.
type Share struct {
	Variant string
	Weight  int // of the sum of all
}

// WithRollout returns the definition with its rule replaced by a rollout: variants
// by share, sticky per targeting key. With by, entities are told apart by that
// attribute instead, and those without it get the default variant. The flag's key
// goes into the hash in both forms: two flags rolled out to a quarter each must not
// pick the same quarter. That the variants exist is checked when it is written.
func (d Definition) WithRollout(shares []Share, by string) (Definition, error) {
	var args []any
	if by != "" {
		args = append(args, map[string]any{"cat": []any{
			map[string]any{"var": "$flagd.flagKey"}, map[string]any{"var": by},
		}})
	}
	for _, s := range shares {
		args = append(args, []any{s.Variant, s.Weight})
	}
	rule := map[string]any{"fractional": args}
	if by != "" { // without the attribute everybody would land in one bucket
		rule = map[string]any{"if": []any{map[string]any{"var": by}, rule, nil}}
	}
	text, err := json.Marshal(rule)
	if err != nil {
		return d, fmt.Errorf("encode rule: %w", err)
	}
	return d.WithTargeting(text)
}

// Rollout returns the shares of a rule that WithRollout has written, or that
// reads the same. ok is false for any other rule, and for none.
func (d Definition) Rollout() (shares []Share, by string, ok bool) {
	rule := d.Targeting()
	var split struct {
		Fractional []json.RawMessage `json:"fractional"`
	}
	var choice struct {
		If []json.RawMessage `json:"if"`
	}
	if json.Unmarshal(rule, &choice) == nil && len(choice.If) == 3 && string(choice.If[2]) == "null" {
		rule = choice.If[1]
		var by0 struct {
			Var string `json:"var"`
		}
		if json.Unmarshal(choice.If[0], &by0) != nil || by0.Var == "" {
			return nil, "", false
		}
		by = by0.Var
	}
	if json.Unmarshal(rule, &split) != nil || len(split.Fractional) < 2 {
		return nil, "", false
	}
	args := split.Fractional
	if by != "" {
		args = args[1:]
	}
	for _, arg := range args {
		var pair []json.RawMessage
		var s Share
		if json.Unmarshal(arg, &pair) != nil || len(pair) != 2 || json.Unmarshal(pair[0], &s.Variant) != nil || json.Unmarshal(pair[1], &s.Weight) != nil {
			return nil, "", false
		}
		shares = append(shares, s)
	}
	again, err := d.WithRollout(shares, by)
	return shares, by, err == nil && string(again.Targeting()) == string(d.Targeting())
}
