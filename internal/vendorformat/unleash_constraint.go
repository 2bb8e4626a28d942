package vendorformat

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// unleashConstraint compares one field of the context, which is text there.
type unleashConstraint struct {
	ContextName     string          `json:"contextName"`
	Operator        string          `json:"operator"`
	Values          []string        `json:"values"`
	Value           json.RawMessage `json:"value"`
	Inverted        bool            `json:"inverted"`
	CaseInsensitive bool            `json:"caseInsensitive"`
}

// single is the value of an operator that takes one, which may be text or a number.
func (c unleashConstraint) single() string {
	var text string
	if json.Unmarshal(c.Value, &text) == nil {
		return strings.TrimSpace(text)
	}
	return string(c.Value)
}

// term is the condition, or why there is none here. Inverted, it is true for whoever
// lacks the field: the comparison is negated as a whole.
func (c unleashConstraint) term(note func(string)) (term any, why string) {
	name := unleashName(c.ContextName)
	if strings.Contains(name, ".") {
		note(fmt.Sprintf("attribute %q has a dot: here that is a step into an object", name))
	}
	switch c.Operator {
	case "IN":
		term = oneOf(name, textual(c.values()...))
	case "NOT_IN":
		term = not(oneOf(name, textual(c.values()...)))
	case "STR_STARTS_WITH", "STR_ENDS_WITH", "STR_CONTAINS":
		if c.CaseInsensitive {
			return nil, "text is not compared without regard to case here"
		}
		term = c.text(name)
	case "NUM_EQ", "NUM_GT", "NUM_GTE", "NUM_LT", "NUM_LTE":
		term, why = c.number(name)
	case "SEMVER_EQ", "SEMVER_GT", "SEMVER_LT", "SEMVER_GTE", "SEMVER_LTE":
		note("comparing versions: they may begin with v, and leave out parts, here")
		if !isSemver(c.single()) {
			return nil, fmt.Sprintf("%q is no version", c.single())
		}
		sign := map[string]string{"EQ": "=", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}[strings.TrimPrefix(c.Operator, "SEMVER_")]
		term = operation("sem_ver", attribute(name), sign, c.single())
	case "DATE_AFTER", "DATE_BEFORE":
		term, why = c.date(note)
	case "REGEX":
		return nil, "there are no regular expressions here"
	default:
		return nil, "unknown operator"
	}
	if why != "" {
		return nil, why
	}
	return negated(term, c.Inverted), ""
}

func (c unleashConstraint) values() []string {
	var out []string
	for _, v := range c.Values {
		if v != "" {
			out = append(out, strings.TrimSpace(v))
		}
	}
	return out
}

func (c unleashConstraint) text(name string) any {
	var terms []any
	for _, v := range c.values() {
		switch c.Operator {
		case "STR_STARTS_WITH":
			terms = append(terms, operation("starts_with", attribute(name), v))
		case "STR_ENDS_WITH":
			terms = append(terms, operation("ends_with", attribute(name), v))
		default:
			terms = append(terms, operation("in", v, attribute(name)))
		}
	}
	return either(terms...)
}

var unleashOrder = map[string]string{"NUM_EQ": "==", "NUM_GT": ">", "NUM_GTE": ">=", "NUM_LT": "<", "NUM_LTE": "<="}

// number: text that reads as a number is one, here as there; what is absent is none.
func (c unleashConstraint) number(name string) (any, string) {
	f, err := strconv.ParseFloat(c.single(), 64)
	if err != nil || f-f != 0 {
		return nil, fmt.Sprintf("%q is no number", c.single())
	}
	return all(present(name), operation(unleashOrder[c.Operator], attribute(name), f)), ""
}

// date compares the time of the question. Other fields have no dates here.
func (c unleashConstraint) date(note func(string)) (any, string) {
	if c.ContextName != "currentTime" {
		return nil, "there are no comparisons of dates here, but of currentTime"
	}
	at, err := time.Parse(time.RFC3339, c.single())
	if err != nil {
		return nil, fmt.Sprintf("%q is no date as in RFC 3339", c.single())
	}
	note("currentTime is the clock of whoever evaluates, in whole seconds; a context cannot set it here")
	sign := map[string]string{"DATE_AFTER": ">", "DATE_BEFORE": "<"}[c.Operator]
	return operation(sign, attribute("$flagd.timestamp"), at.Unix()), ""
}
