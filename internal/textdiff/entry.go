// Package textdiff shows people what a change did: to a JSON value as lines, and to an
// entry of a set with its rules in the language in which they are written.
package textdiff

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
)

// longest is how many characters of a rule stand in a summary; the lines have all of it.
const longest = 100

// Summary is flags.Summary that says what the targeting of a flag, or a segment, became,
// where that can be written as expressions: "new-checkout: targeting -> when plan ==
// "pro" serve on".
func Summary(key flags.EntryKey, before, after []byte) string {
	return flags.SummaryWith(key, before, after, func(kind flags.Kind, rule []byte) string {
		lines, _ := ruleLines(kind, rule)
		text := strings.Join(lines, "; ")
		if utf8.RuneCountInString(text) > longest {
			text = string([]rune(text)[:longest-1]) + "…"
		}
		return text
	})
}

// Entry is Lines of an entry in which rules are expressions, a line for each rule of a
// flag. Where either side has a rule that is none, both rules are JSON: two notations of
// them side by side would not show what changed.
func Entry(key flags.EntryKey, before, after []byte) []string {
	a, ok1 := readable(key.Kind, before)
	b, ok2 := readable(key.Kind, after)
	if !ok1 || !ok2 {
		return Lines(before, after)
	}
	return compared(a, b)
}

// readable returns the lines of an entry, with its rules as expressions. ok is false
// where they cannot be shown so.
func readable(kind flags.Kind, data []byte) (lines []string, ok bool) {
	if data == nil || kind != flags.KindFlag && kind != flags.KindEvaluator {
		return indented(data), true
	}
	if kind == flags.KindEvaluator {
		return ruleLines(kind, data)
	}
	def, err := flags.ParseDefinition(data)
	if err != nil || def.Targeting() == nil {
		return indented(data), true
	}
	rules, ok := ruleLines(kind, def.Targeting())
	if !ok {
		return nil, false
	}
	// The rule's place among the fields is kept: it is where the JSON has it.
	const place = `  "targeting": `
	def, err = def.WithTargeting([]byte("0"))
	lines = indented(def.Bytes())
	i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, place) })
	if err != nil || i < 0 {
		return nil, false
	}
	for n := range rules {
		rules[n] = "    " + rules[n]
	}
	lines[i] = strings.TrimRight(place, " ")
	return slices.Insert(lines, i+1, rules...), true
}

// ruleLines returns a segment, or the targeting of a flag, as people write it. ok is false
// where it cannot be written so.
func ruleLines(kind flags.Kind, rule []byte) (lines []string, ok bool) {
	if kind == flags.KindEvaluator {
		text, ok := expression.Show(rule)
		return []string{text}, ok
	}
	targeting, ok := expression.ShowTargeting(rule)
	if len(targeting.Rules) == 0 {
		return []string{targeting.Else.String()}, ok
	}
	return strings.Split(targeting.String(), "\n"), ok
}
