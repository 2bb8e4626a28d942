package expression

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// How strongly what stands around a condition binds.
const (
	lowest   = iota
	insideOr // a group of its own needs parentheses
	insideAnd
	negation
)

// condition writes a term that is a condition; ok is false for one that it has no words for. What it writes is checked
// by whoever calls it, so it may be lenient.
func condition(term any, around int) (text string, ok bool) {
	if term == true || term == false {
		return fmt.Sprint(term), true
	}
	op, arg := operator(term)
	list, _ := arg.([]any)
	switch op {
	case "":
		return "", false
	case "or":
		return joined(list, " || ", insideOr, around >= insideOr)
	case "and":
		return joined(list, " && ", insideAnd, around >= insideAnd)
	case "!":
		return negated(arg)
	case "if", "==":
		if percent, b, isPercent := percentOf(term); isPercent {
			return percentText(percent, b), true
		}
	}
	if text, ok = call(op, arg, term); ok {
		return text, true
	}
	text, ok = comparison(op, list)
	if around == negation {
		text = "(" + text + ")"
	}
	return text, ok
}

func joined(parts []any, sign string, inside int, grouped bool) (string, bool) {
	texts := make([]string, len(parts))
	for i, part := range parts {
		text, ok := condition(part, inside)
		if !ok {
			return "", false
		}
		texts[i] = text
	}
	if grouped {
		return "(" + strings.Join(texts, sign) + ")", true
	}
	return strings.Join(texts, sign), true
}

// negated writes what "!" stands before.
func negated(term any) (string, bool) {
	op, arg := operator(term)
	list, _ := arg.([]any)
	if op == "missing" {
		names, ok := attributes(list)
		return "has(" + names + ")", ok
	}
	if op == "in" && len(list) == 2 && enumerated(list[1]) {
		return membership(list, "not in")
	}
	if op == "!" {
		if kind, arg := operator(arg); kind == "in" {
			if list, _ := arg.([]any); len(list) == 2 && enumerated(list[1]) {
				text, ok := negated(term.(map[string]any)["!"])
				return "!(" + text + ")", ok
			}
		}
	}
	text, ok := condition(term, negation)
	return "!" + text, ok
}

// call writes a function, or an attribute that is a condition.
func call(op string, arg, term any) (string, bool) {
	list, _ := arg.([]any)
	switch {
	case op == "var":
		return value(term)
	case op == "$ref":
		name, ok := segmentName(term)
		return "segment(" + quote(name) + ")", ok
	case op == "missing":
		names, ok := attributes(list)
		return "missing(" + names + ")", ok
	case len(list) != 2:
	case op == "starts_with":
		return pair("startsWith", list[0], list[1])
	case op == "ends_with":
		return pair("endsWith", list[0], list[1])
	case op == "in" && !enumerated(list[1]):
		return pair("contains", list[1], list[0])
	}
	return "", false
}

func pair(name string, a, b any) (string, bool) {
	x, ok1 := value(a)
	y, ok2 := value(b)
	return name + "(" + x + ", " + y + ")", ok1 && ok2
}

func comparison(op string, list []any) (string, bool) {
	switch {
	case op == "sem_ver" && len(list) == 3:
		name, ok1 := value(list[0])
		sign, _ := list[1].(string)
		version, ok2 := value(list[2])
		sign, ok3 := versionSigns[sign]
		return "semver(" + name + ") " + sign + " " + version, ok1 && ok2 && ok3
	case len(list) != 2:
	case op == "in":
		return membership(list, "in")
	case slices.Contains(comparisons, op):
		left, ok1 := value(list[0])
		right, ok2 := value(list[1])
		return left + " " + op + " " + right, ok1 && ok2
	}
	return "", false
}

// enumerated reports whether a haystack is one that "in" is written with. Anything else is looked into with contains.
func enumerated(term any) bool {
	_, isList := term.([]any)
	_, isSegment := segmentName(term)
	return isList || isSegment
}

func membership(list []any, word string) (string, bool) {
	needle, ok := value(list[0])
	if !ok {
		return "", false
	}
	if name, isSegment := segmentName(list[1]); isSegment {
		return needle + " " + word + " segment(" + quote(name) + ")", true
	}
	elements, _ := list[1].([]any)
	texts := make([]string, len(elements))
	for i, e := range elements {
		if texts[i], ok = value(e); !ok {
			return "", false
		}
	}
	return needle + " " + word + " [" + strings.Join(texts, ", ") + "]", true
}

func percentText(percent string, b bucket) string {
	text := "percent(" + percent
	if b.by != "" {
		text += ", by: " + attribute(b.by)
	}
	if b.seed != "" {
		text += ", seed: " + quote(b.seed)
	}
	return text + ")"
}

// value writes an attribute or a literal.
func value(term any) (string, bool) {
	switch v := term.(type) {
	case nil:
		return "null", true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	case string:
		return quote(v), true
	}
	name, ok := variableName(term)
	return attribute(name), ok
}

func attributes(names []any) (string, bool) {
	texts := make([]string, len(names))
	for i, n := range names {
		name, ok := n.(string)
		if !ok {
			return "", false
		}
		texts[i] = attribute(name)
	}
	return strings.Join(texts, ", "), len(names) > 0
}

// attribute writes a name as it is where it can be read back.
func attribute(name string) string {
	if name != "" && pathLength(name) == len(name) && !slices.Contains(words, name) {
		return name
	}
	return "attr(" + quote(name) + ")"
}

// quote writes a string such that all of it is seen: what is invisible, or turns the direction of the text around it, is
// an escape.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
