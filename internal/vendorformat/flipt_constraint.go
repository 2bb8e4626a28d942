package vendorformat

import (
	"encoding/json"
	"strconv"
)

// fliptConstraint compares one attribute, which Flipt has as text. An attribute that
// is absent is "", and matches nothing but what asks for that.
type fliptConstraint struct {
	Type     string `json:"type"`
	Property string `json:"property"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
}

const fliptSpaces = "spaces around an attribute count here"

// term is the condition, nil where there is none here.
func (c fliptConstraint) term(note func(string)) any {
	name := c.Property
	switch c.Operator {
	case "present", "notempty":
		note(fliptSpaces)
		return filled(name)
	case "notpresent", "empty":
		note(fliptSpaces)
		return unary("missing", []any{name})
	}
	switch c.Type {
	case "STRING_COMPARISON_TYPE":
		return c.text(name, note)
	case "ENTITY_ID_COMPARISON_TYPE":
		return c.text(targetingKey, note)
	case "NUMBER_COMPARISON_TYPE":
		return c.number(name)
	case "BOOLEAN_COMPARISON_TYPE":
		return c.boolean(name)
	}
	return nil
}

func (c fliptConstraint) text(name string, note func(string)) any {
	var list []string
	if c.Operator == "isoneof" || c.Operator == "isnotoneof" {
		if json.Unmarshal([]byte(c.Value), &list) != nil {
			return nil
		}
	}
	switch c.Operator {
	case "eq":
		return oneOf(name, textual(c.Value))
	case "neq":
		return all(filled(name), not(oneOf(name, textual(c.Value))))
	case "isoneof":
		return oneOf(name, textual(list...))
	case "isnotoneof":
		return all(filled(name), not(oneOf(name, textual(list...))))
	case "contains":
		return operation("in", c.Value, attribute(name))
	case "notcontains":
		return all(filled(name), not(operation("in", c.Value, attribute(name))))
	case "prefix":
		note(fliptSpaces)
		return operation("starts_with", attribute(name), c.Value)
	case "suffix":
		note(fliptSpaces)
		return operation("ends_with", attribute(name), c.Value)
	}
	return nil
}

var fliptOrder = map[string]string{"lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "eq": "=="}

func (c fliptConstraint) number(name string) any {
	var list []json.Number
	switch c.Operator {
	case "isoneof", "isnotoneof":
		if json.Unmarshal([]byte(c.Value), &list) != nil {
			return nil
		}
		var terms []any
		for _, n := range list {
			terms = append(terms, operation("==", attribute(name), n))
		}
		return all(filled(name), negated(either(terms...), c.Operator == "isnotoneof"))
	}
	f, err := strconv.ParseFloat(c.Value, 64)
	if err != nil || f-f != 0 { // infinities have no JSON form
		return nil
	}
	if c.Operator == "neq" { // what is no number is neither less nor more
		return all(filled(name), either(operation("<", attribute(name), f), operation(">", attribute(name), f)))
	}
	sign, ok := fliptOrder[c.Operator]
	if !ok {
		return nil
	}
	return all(filled(name), operation(sign, attribute(name), f))
}

// boolean takes every spelling that Flipt takes.
func (c fliptConstraint) boolean(name string) any {
	switch c.Operator {
	case "true":
		return oneOf(name, []any{true, "true", "True", "TRUE", "t", "T", "1", 1})
	case "false":
		return oneOf(name, []any{false, "false", "False", "FALSE", "f", "F", "0", 0})
	}
	return nil
}
