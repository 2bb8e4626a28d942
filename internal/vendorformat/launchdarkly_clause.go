package vendorformat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

type (
	ldSegment struct {
		Included         []string        `json:"included"`
		Excluded         []string        `json:"excluded"`
		IncludedContexts []ldTarget      `json:"includedContexts"`
		ExcludedContexts []ldTarget      `json:"excludedContexts"`
		Rules            []ldSegmentRule `json:"rules"`
		Unbounded        bool            `json:"unbounded"`
		Deleted          bool            `json:"deleted"`
	}
	ldSegmentRule struct {
		Clauses     []ldClause `json:"clauses"`
		Weight      *int       `json:"weight"`
		BucketBy    string     `json:"bucketBy"`
		ContextKind string     `json:"rolloutContextKind"`
	}
	// ldSegmentResult is a translated segment, or why it cannot be.
	ldSegmentResult struct {
		when json.RawMessage
		why  string
		busy bool // it is being translated: whoever asks for it now is part of a circle
	}
)

// segment translates a segment once. Segments of segments are written out, because
// flagd's evaluators cannot refer to each other.
func (ld *ldTranslation) segment(key string) ldSegmentResult {
	if r, done := ld.segments[key]; done {
		if r.busy {
			r.why = "it contains itself"
		}
		return r
	}
	s, known := ld.file.Segments[key]
	switch {
	case !known || s.Deleted:
		return ldSegmentResult{why: "the file does not have it"}
	case len(ld.faults) > 0: // such as that there is too much: do not go on to make more
		return ldSegmentResult{why: "the file has faults"}
	}
	ld.segments[key] = ldSegmentResult{busy: true}
	// A segment has its notes under its own name; a draft collects them.
	d := &draft{t: ld.translation}
	place := fmt.Sprintf("segment %q", key)
	when := ld.segmentTerm("$.segments."+key, d, place, s)
	text, err := json.Marshal(when)
	r := ldSegmentResult{when: text}
	switch {
	case err != nil:
		r = ldSegmentResult{why: err.Error()}
	case d.broken:
		r = ldSegmentResult{why: "it cannot be kept"}
	case len(text) > ldMaxSegment:
		r = ldSegmentResult{why: fmt.Sprintf("with what it contains it comes to more than %d bytes", ldMaxSegment)}
		d.lose(place, "%s", r.why)
	default:
		ld.keepSegment("$.segments."+key, key, r.when)
	}
	ld.segments[key] = r
	return r
}

// ldMaxSegment leaves room for a few segments in an entry.
const ldMaxSegment = 256 << 10

// segmentTerm: included, or else not excluded and one of the rules.
func (ld *ldTranslation) segmentTerm(path string, d *draft, place string, s ldSegment) any {
	if s.Unbounded {
		d.lose(place, "its members are kept by LaunchDarkly, and are not in the file")
		return false
	}
	in := ld.members(d, place, s.Included, s.IncludedContexts)
	out := ld.members(d, place, s.Excluded, s.ExcludedContexts)
	var rules []any
	for i, r := range s.Rules {
		at := fmt.Sprintf("%s.rules[%d]", path, i)
		var more []any
		if r.Weight != nil {
			d.note(place, ldHash)
			name := ld.attribute(d, place, r.ContextKind, orKey(r.BucketBy))
			more = append(more, inPercent(float64(*r.Weight)*100/ldWhole, by{seed: "segment", attribute: name}, true))
		}
		if when, ok := ld.all(at, d, place, r.Clauses, more); ok {
			rules = append(rules, when)
		}
	}
	if len(rules) == 0 {
		return either(in...)
	}
	byRule := either(rules...)
	if len(out) > 0 {
		byRule = all(not(either(out...)), byRule)
	}
	return either(append(in, byRule)...)
}

func (ld *ldTranslation) members(d *draft, place string, keys []string, contexts []ldTarget) []any {
	var terms []any
	if len(keys) > 0 {
		terms = append(terms, oneOf(targetingKey, words(keys)))
	}
	for _, c := range contexts {
		if len(c.Values) > 0 {
			terms = append(terms, oneOf(ld.attribute(d, place, c.ContextKind, "key"), words(c.Values)))
		}
	}
	return terms
}

// all translates clauses, every one of which must be true, and a condition besides.
func (ld *ldTranslation) all(path string, d *draft, place string, clauses []ldClause, more []any) (any, bool) {
	var terms []any
	ok := true
	for i, c := range clauses {
		term, kept := ld.clause(fmt.Sprintf("%s.clauses[%d]", path, i), d, place, c)
		terms = append(terms, term)
		ok = ok && kept
	}
	return all(append(terms, more...)...), ok
}

func (ld *ldTranslation) clause(path string, d *draft, place string, c ldClause) (any, bool) {
	if c.Op == "segmentMatch" {
		return ld.inSegments(path, d, place, c)
	}
	ld.clauses = true
	if c.Attribute == "" {
		ld.fault(path, "a clause without an attribute")
		return nil, false
	}
	name := ld.attribute(d, place, c.ContextKind, c.Attribute)
	if c.Attribute == "anonymous" {
		d.note(place, "anonymous is an attribute like any other here: absent, it is not false")
	}
	var terms []any
	if c.Op == "in" {
		terms = []any{oneOf(name, literals(c.Values))}
	} else {
		for i, v := range c.Values {
			term, why := ldCompare(name, c.Op, v)
			if why != "" {
				d.lose(place, "%s %s: %s", c.Attribute, c.Op, why)
				return nil, false
			}
			if text := ldDiffers(c.Op); text != "" && i == 0 {
				d.note(place, "%s", text)
			}
			terms = append(terms, term)
		}
	}
	if _, known := ldOrder[c.Op]; known && len(terms) > 0 { // null is 0 in an order
		return all(present(name), negated(either(terms...), c.Negate)), true
	}
	if c.Negate { // whoever lacks the attribute does not match, negated or not
		return all(present(name), not(either(terms...))), true
	}
	return either(terms...), true
}

func negated(term any, negate bool) any {
	if negate {
		return not(term)
	}
	return term
}

func literals(values []json.RawMessage) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

var (
	ldOrder    = map[string]string{"lessThan": "<", "lessThanOrEqual": "<=", "greaterThan": ">", "greaterThanOrEqual": ">="}
	ldVersions = map[string]string{"semVerEqual": "=", "semVerLessThan": "<", "semVerGreaterThan": ">"}
)

// ldCompare is the condition for one value, or why there is none.
func ldCompare(name, op string, value json.RawMessage) (term any, why string) {
	if sign, ok := ldOrder[op]; ok {
		if kindOf(value) != "number" {
			return false, "" // only numbers have an order
		}
		return operation(sign, attribute(name), value), ""
	}
	var text string
	isText := json.Unmarshal(value, &text) == nil && kindOf(value) == "string"
	sign, version := ldVersions[op]
	switch {
	case op == "matches":
		return nil, "there are no regular expressions here"
	case op == "before" || op == "after":
		return nil, "there are no comparisons of dates here"
	case !version && !slices.Contains([]string{"startsWith", "endsWith", "contains"}, op):
		return nil, "unknown operator"
	case !isText:
		return false, ""
	case version && !isSemver(text):
		return false, ""
	case version:
		return operation("sem_ver", attribute(name), sign, text), ""
	case op == "startsWith":
		return operation("starts_with", attribute(name), text), ""
	case op == "endsWith":
		return operation("ends_with", attribute(name), text), ""
	}
	return operation("in", text, attribute(name)), ""
}

// ldDiffers is what differs in an operator that is nearly the same here.
func ldDiffers(op string) string {
	if _, ok := ldOrder[op]; ok {
		return "comparing numbers: text that reads as a number is compared as one here, there it never matches"
	}
	if _, ok := ldVersions[op]; ok {
		return "comparing versions: they may begin with v here"
	}
	return ""
}

// isSemver reports whether a version can be compared here; minor and patch may be
// left out. Anything else never matches, here as there.
func isSemver(text string) bool {
	core, _, _ := strings.Cut(text, "+")
	core, _, _ = strings.Cut(core, "-")
	parts := strings.Split(core, ".")
	for _, p := range parts {
		if _, err := strconv.ParseUint(p, 10, 64); err != nil || len(p) > 1 && p[0] == '0' {
			return false
		}
	}
	return len(parts) <= 3
}

// inSegments translates the membership in any of some segments.
func (ld *ldTranslation) inSegments(path string, d *draft, place string, c ldClause) (any, bool) {
	var terms []any
	for i, v := range c.Values {
		var key string
		if json.Unmarshal(v, &key) != nil {
			ld.fault(fmt.Sprintf("%s.values[%d]", path, i), "a segment has a name, this is JSON %s", kindOf(v))
			return nil, false
		}
		r := ld.segment(key)
		if r.why != "" {
			d.lose(place, "it looks at segment %q: %s", key, r.why)
			return nil, false
		}
		if d.key == "" { // in a segment
			terms = append(terms, r.when)
		} else {
			terms = append(terms, segment(key))
		}
	}
	return negated(either(terms...), c.Negate), true
}
