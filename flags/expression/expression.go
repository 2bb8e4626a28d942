package expression

import (
	"bytes"
	"fmt"
	"slices"
)

// Limits of a text. Whatever is within them compiles to a rule that can be written.
const (
	MaxLength = 64 << 10 // bytes
	MaxDepth  = 20       // parentheses and negations inside one another; each is up to two levels of the 64 of a JSON document
)

// Compile turns a condition into canonical JsonLogic: what stands in the targeting of a flag, or decides there. Equal
// conditions compile to equal bytes. The error is an *Error.
func Compile(text string) ([]byte, error) { return compile(text, false) }

// CompileSegment is Compile for a shared rule ($evaluators), which cannot refer to another one. The error is an *Error.
func CompileSegment(text string) ([]byte, error) { return compile(text, true) }

func compile(text string, shared bool) ([]byte, error) {
	p := newParser(text)
	p.shared = shared
	term := p.condition()
	p.end()
	if p.err != nil {
		return nil, p.err
	}
	return encode(term)
}

// Show returns the expression that compiles to rule, in its normal form. ok is false where there is none that compiles to
// the canonical form of exactly this rule; then show it as JSON.
func Show(rule []byte) (text string, ok bool) {
	term, canonical, ok := decode(rule)
	if !ok {
		return "", false
	}
	if text, ok = condition(term, lowest); !ok {
		return "", false
	}
	// Checked, not trusted: an expression that means anything else than the rule must never be seen.
	if back, err := Compile(text); err != nil || !bytes.Equal(back, canonical) {
		return "", false
	}
	return text, true
}

// Format returns the normal form of an expression. The error is an *Error.
func Format(text string) (string, error) {
	rule, err := Compile(text)
	if err != nil {
		return "", err
	}
	formatted, ok := Show(rule)
	if !ok {
		return "", fmt.Errorf("expression: the normal form is longer than %d bytes", MaxLength)
	}
	return formatted, nil
}

// Segments returns the names of the segments that a rule refers to, each once, whether it can be shown or not; nil for
// what is not JSON.
func Segments(rule []byte) []string {
	term, _, ok := decode(rule)
	if !ok {
		return nil
	}
	names := references(term, nil)
	slices.Sort(names)
	return slices.Compact(names)
}

func references(term any, names []string) []string {
	if name, ok := segmentName(term); ok {
		return append(names, name)
	}
	switch v := term.(type) {
	case map[string]any:
		for _, arg := range v {
			names = references(arg, names)
		}
	case []any:
		for _, arg := range v {
			names = references(arg, names)
		}
	}
	return names
}
