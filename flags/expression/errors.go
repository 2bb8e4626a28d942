package expression

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/internal/spelling"
)

// Error is what is wrong with a text, and where.
type Error struct {
	Line    int    // from 1
	Column  int    // in characters, from 1; one past the end of the line where something is missing there
	Message string // one line without the place: `unknown function "startWith"`
	Hint    string // what to do about it, or ""

	source string // the line
}

// Error returns place, message and hint in one line.
func (e *Error) Error() string {
	text := fmt.Sprintf("column %d: %s", e.Column, e.Message)
	if e.Line > 1 {
		text = fmt.Sprintf("line %d, %s", e.Line, text)
	}
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Caret returns two lines: the faulty line, of a long one the part that matters, and a caret under the place. What would
// break up or turn a line on a terminal is a question mark in it.
func (e *Error) Caret() string {
	const before, after = 50, 30
	line := []rune(e.source)
	from := max(0, e.Column-1-before)
	to := min(len(line), e.Column+after)
	for i, r := range line {
		if !unicode.IsPrint(r) {
			line[i] = '?'
		}
		if r == '\t' {
			line[i] = ' '
		}
	}
	return string(line[from:to]) + "\n" + strings.Repeat(" ", e.Column-1-from) + "^"
}

// errorAt points at a byte of text.
func errorAt(text string, at int, message, hint string) *Error {
	start := strings.LastIndexByte(text[:at], '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	return &Error{
		Line: 1 + strings.Count(text[:at], "\n"), Column: 1 + utf8.RuneCountInString(text[start:at]),
		Message: message, Hint: hint, source: line,
	}
}

// meant returns the known name that got is a few typing errors away from, or "".
func meant(got string, known []string) string {
	folded := make([]string, len(known))
	for i, name := range known {
		folded[i] = fold(name)
	}
	if name, ok := spelling.Nearest(fold(got), folded); ok {
		return known[slices.Index(folded, name)]
	}
	return ""
}

// fold makes starts_with and StartsWith the same.
func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// excerpt keeps what users wrote from flooding a message.
func excerpt(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "..."
	}
	return quote(s)
}
