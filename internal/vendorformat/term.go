package vendorformat

import (
	"strconv"
	"strings"
)

// A term is JsonLogic as encoding/json writes it. Conditions are built in the forms
// that package expression can show, as far as it has them.

func operation(name string, args ...any) any { return map[string]any{name: args} }

func unary(name string, arg any) any { return map[string]any{name: arg} }

func attribute(name string) any { return unary("var", name) }

func segment(name string) any { return unary("$ref", name) }

func not(term any) any { return unary("!", term) }

// present is true unless the attribute is absent or null.
func present(name string) any { return operation("!=", attribute(name), nil) }

// filled is true unless the attribute is absent, null or "".
func filled(name string) any { return not(unary("missing", []any{name})) }

// all is true if every condition is; of none, it is.
func all(terms ...any) any { return join("and", true, terms) }

// either is true if one of the conditions is; of none, it is not.
func either(terms ...any) any { return join("or", false, terms) }

func join(name string, ofNone bool, terms []any) any {
	switch len(terms) {
	case 0:
		return ofNone
	case 1:
		return terms[0]
	}
	return operation(name, terms...)
}

// oneOf is true if the attribute is one of the values, of the same type.
func oneOf(name string, values []any) any { return operation("in", attribute(name), values) }

// textual are the values that other products take for the same text: there an
// attribute is text before it is compared, here 5 and "5" differ.
func textual(values ...string) []any {
	var out []any
	for _, v := range values {
		out = append(out, v)
		if f, err := strconv.ParseFloat(v, 64); err == nil && strconv.FormatFloat(f, 'f', -1, 64) == v {
			out = append(out, f)
		}
		if v == "true" || v == "false" {
			out = append(out, v == "true")
		}
	}
	return out
}

// share is a variant's part of a split.
type share struct {
	variant string
	weight  int
}

// by is what a split goes by: the hash of seed and attribute, "" being the flag's
// key and the targeting key.
type by struct{ seed, attribute string }

// split is a rollout, or the variant itself where only one has a weight; nil where
// none has.
func split(shares []share, b by) any {
	var entries []any
	variant := ""
	for _, s := range shares {
		if s.weight > 0 {
			variant = s.variant
			entries = append(entries, []any{s.variant, s.weight})
		}
	}
	switch len(entries) {
	case 0:
		return nil
	case 1:
		return variant
	}
	return fractional(entries, b)
}

func fractional(entries []any, b by) any {
	if b == (by{}) {
		return operation("fractional", entries...)
	}
	var seed any = b.seed
	if b.seed == "" {
		seed = attribute("$flagd.flagKey")
	}
	key := operation("cat", seed, attribute(firstText(b.attribute, targetingKey)))
	return operation("fractional", append([]any{key}, entries...)...)
}

const targetingKey = "targetingKey"

// percentParts is what a percentage is cut into, as by package expression.
const percentParts = 100_000

// inPercent is true for a part of those who have the attribute; for others it is
// what without says.
func inPercent(percent float64, b by, without bool) any {
	part := int(min(max(percent, 0), 100)*percentParts/100 + 0.5)
	if part == 0 {
		return false
	}
	entries := []any{[]any{"in", part}, []any{"out", percentParts - part}}
	inside := operation("==", fractional(entries, b), "in")
	if b == (by{}) && !without {
		return inside
	}
	return operation("if", attribute(firstText(b.attribute, targetingKey)), inside, without)
}

// firstText is the first text that says something.
func firstText(texts ...string) string {
	for _, s := range texts {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// path turns the steps of a nested attribute into its name here.
func path(steps ...string) string { return strings.Join(steps, ".") }
