package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/flags/expression"
)

// conditionText shows a condition as an expression, or else as JSON.
func conditionText(term any) string {
	rule, err := json.Marshal(term)
	if err != nil {
		return ""
	}
	if text, ok := expression.Show(rule); ok {
		return text
	}
	return string(rule)
}

// serveText shows what a rule gives: a variant, shares, or JSON.
func serveText(term any) string {
	if variant, ok := term.(string); ok {
		return variant
	}
	rule, err := json.Marshal(term)
	if err != nil {
		return ""
	}
	if t, ok := expression.ShowTargeting(rule); ok && len(t.Rules) == 0 {
		return strings.TrimPrefix(t.String(), "serve ")
	}
	return string(rule)
}

func explainRows(w io.Writer, steps []stepView) {
	row(w)
	for _, s := range steps {
		text := s.Result
		switch {
		case s.When != "":
			text = fmt.Sprintf("%s: when %s serve %s", s.Result, s.When, s.Serve)
		case s.Serve != "" && s.Result == resultTrue:
			text = s.Serve
		case s.Serve != "":
			text = s.Result + ": " + s.Serve
		}
		row(w, s.Step, text)
		conditionRows(w, s.Conditions, "  ")
	}
}

func conditionRows(w io.Writer, conditions []conditionView, indent string) {
	for _, c := range conditions {
		row(w, "", indent+c.Result+": "+c.When+seen(c.Values))
		conditionRows(w, c.Parts, indent+"  ")
	}
}

// seen lists values, sorted by name.
func seen(values map[string]json.RawMessage) string {
	var parts []string
	for name, v := range values {
		text := name + " is not there"
		if v != nil {
			text = name + " = " + shorten(string(v), 80)
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return ""
	}
	slices.Sort(parts)
	return "   (" + strings.Join(parts, ", ") + ")"
}
