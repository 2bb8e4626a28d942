package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
)

func (a *app) settleOutput() error {
	switch a.output {
	case "table", "json", "yaml":
		return nil
	case "":
		a.output = "json"
		if isTerminal(a.std.out) {
			a.output = "table"
		}
		return nil
	default:
		return usagef("--output %q: want table, json or yaml", a.output)
	}
}

// print answers with v as JSON or YAML, or as the table that rows writes: cells end
// with a tab, lines with a newline. --fields leaves only some of it.
func (a *app) print(v any, rows func(w io.Writer)) error {
	if len(a.fields) > 0 {
		p, err := pick(v, a.fields)
		if err != nil {
			return err
		}
		v, rows = p, func(w io.Writer) { p.table(w, a.fields) }
	}
	a.working.done()
	switch a.output {
	case "table":
		var text strings.Builder
		rows(&text)
		return layoutOf(a.std.out, a.std.getenv).write(a.std.out, text.String())
	case "yaml":
		// By way of JSON, so that both forms have the same fields in the same order.
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encode answer: %w", err)
		}
		if text, err = flagdfile.FormatYAML(text); err != nil {
			return fmt.Errorf("encode answer: %w", err)
		}
		_, err = a.std.out.Write(text)
		return err
	default:
		enc := json.NewEncoder(a.std.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
}

// row writes one line of a table, without what would break it up or drive the
// terminal: keys, descriptions and reasons come from others.
func row(w io.Writer, cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = clean(fmt.Sprint(c))
	}
	fmt.Fprintln(w, strings.Join(texts, "\t"))
}

// clean writes control characters, and those that turn the direction of text, as
// escapes.
func clean(s string) string {
	if !strings.ContainsFunc(s, flags.Unprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if flags.Unprintable(r) {
			escape := strconv.QuoteRuneToASCII(r)
			b.WriteString(escape[1 : len(escape)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// line prints one value of a stream: a line of text, one of compact JSON, or a
// YAML document.
func (a *app) line(v any, text string) error {
	switch a.output {
	case "table":
		_, err := fmt.Fprintln(a.std.out, text)
		return err
	case "yaml":
		fmt.Fprintln(a.std.out, "---")
		return a.print(v, nil)
	}
	if len(a.fields) > 0 {
		p, err := pick(v, a.fields)
		if err != nil {
			return err
		}
		v = p
	}
	enc := json.NewEncoder(a.std.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
