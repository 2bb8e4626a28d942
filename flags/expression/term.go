package expression

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// A term is a piece of JsonLogic as encoding/json has it: map[string]any with one member for an operation, []any,
// string, json.Number (so that a number keeps its writing), bool or nil. Parsing makes terms and printing reads them;
// there is no other tree that could mean something else.

// operation returns {name: args}.
func operation(name string, args ...any) any { return map[string]any{name: args} }

// unary returns {name: arg}, without the list that JsonLogic allows to leave out.
func unary(name string, arg any) any { return map[string]any{name: arg} }

// operator takes an operation apart; name is "" for anything else.
func operator(term any) (name string, arg any) {
	if m, ok := term.(map[string]any); ok && len(m) == 1 {
		for name, arg = range m {
			return name, arg
		}
	}
	return "", nil
}

// arguments returns the arguments of the operation of that name, if they are a list of n.
func arguments(term any, name string, n int) ([]any, bool) {
	got, arg := operator(term)
	list, ok := arg.([]any)
	return list, ok && got == name && len(list) == n
}

func variable(name string) any { return unary("var", name) }

// variableName returns the name of the attribute that a term reads.
func variableName(term any) (string, bool) {
	op, arg := operator(term)
	name, ok := arg.(string)
	return name, ok && op == "var"
}

func segmentName(term any) (string, bool) {
	op, arg := operator(term)
	name, ok := arg.(string)
	return name, ok && op == "$ref"
}

// encode returns the canonical bytes of a term.
func encode(term any) ([]byte, error) {
	text, err := json.Marshal(term)
	if err != nil {
		return nil, fmt.Errorf("expression: encode rule: %w", err)
	}
	return flags.Canonical(text)
}

// decode reads a rule, which need not be canonical, and returns its canonical form as well.
func decode(rule []byte) (term any, canonical []byte, ok bool) {
	canonical, err := flags.Canonical(rule)
	if err != nil {
		return nil, nil, false
	}
	d := json.NewDecoder(bytes.NewReader(canonical))
	d.UseNumber()
	return term, canonical, d.Decode(&term) == nil
}

// bucket says whose share of a split somebody falls into: a hash of the flag's key, the seed and the attribute. Without
// seed and attribute it is flagd's own, of the flag's key and the targeting key.
type bucket struct{ by, seed string }

// hash returns the one bucket for all that hash the same: flagd's own goes by the targeting key as well.
func (b bucket) hash() bucket {
	if b.by == flags.TargetingKey {
		b.by = ""
	}
	return b
}

// fractional returns the split of a bucket. Who lacks the attribute is not bucketed, or all of them would land in one
// place: they get otherwise.
func (b bucket) fractional(entries []any, wrap func(any) any, otherwise any) any {
	if b == (bucket{}) {
		return wrap(unary("fractional", entries))
	}
	by := b.by
	if by == "" {
		by = flags.TargetingKey
	}
	key := []any{variable("$flagd.flagKey")}
	if b.seed != "" {
		key = append(key, b.seed)
	}
	key = append(key, variable(by))
	entries = append([]any{unary("cat", key)}, entries...)
	return operation("if", variable(by), wrap(unary("fractional", entries)), otherwise)
}

// bucketOf takes fractional apart. It is lenient: whoever calls it compares what comes out with what went in.
func bucketOf(term any) (b bucket, entries []any, inner any) {
	inner = term
	if guarded, ok := arguments(term, "if", 3); ok {
		b.by, _ = variableName(guarded[0])
		inner = guarded[1]
	}
	split := inner
	if compared, ok := arguments(inner, "==", 2); ok {
		split = compared[0]
	}
	op, arg := operator(split)
	entries, _ = arg.([]any)
	if op != "fractional" || len(entries) == 0 {
		return b, nil, nil
	}
	if op, arg := operator(entries[0]); op == "cat" {
		if key, _ := arg.([]any); len(key) == 3 {
			b.seed, _ = key[1].(string)
		}
		entries = entries[1:]
	}
	if b.seed != "" {
		b = b.hash() // what a seed alone means
	}
	return b, entries, inner
}

// percentTotal makes a thousandth of a per cent the finest share. The boundary of a share depends on its part of the
// total only, so that 25 of 100 and 25,000 of 100,000 are the same entities.
const percentTotal = 100_000

// percentTerm is the condition that somebody is in the first part of 100,000. It compares text, because some providers
// only split into text.
func percentTerm(part int, b bucket) any {
	entries := []any{[]any{"in", number(part)}, []any{"out", number(percentTotal - part)}}
	return b.fractional(entries, func(split any) any { return operation("==", split, "in") }, false)
}

func number(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// percentPart reads a percentage as a part of percentTotal.
func percentPart(literal string) (part int, ok bool) {
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil || f < 0 || f > 100 {
		return 0, false
	}
	part = int(f*1000 + 0.5)
	return part, float64(part)/1000 == f && !strings.HasPrefix(literal, "-")
}

// percentOf takes percentTerm apart, as leniently as bucketOf.
func percentOf(term any) (percent string, b bucket, ok bool) {
	b, entries, inner := bucketOf(term)
	if compared, isTest := arguments(inner, "==", 2); !isTest || compared[1] != "in" || len(entries) != 2 {
		return "", b, false
	}
	entry, _ := entries[0].([]any)
	if len(entry) != 2 {
		return "", b, false
	}
	literal, _ := entry[1].(json.Number)
	part, err := strconv.Atoi(literal.String())
	return strconv.FormatFloat(float64(part)/1000, 'f', -1, 64), b, err == nil
}
