package expression

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
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
	best, least := "", 1+max(1, len(got)/3)
	for _, name := range known {
		if d := distance(fold(got), fold(name)); d < least {
			best, least = name, d
		}
	}
	return best
}

// fold makes starts_with and StartsWith the same.
func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// distance counts the bytes to insert, delete or replace to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// excerpt keeps what users wrote from flooding a message.
func excerpt(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "..."
	}
	return quote(s)
}
