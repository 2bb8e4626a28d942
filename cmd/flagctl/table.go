package main

import (
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// layout is how tables are written.
type layout struct {
	width  int  // of the terminal, in characters; 0: no bound
	colour bool // the terminal shows it, and nobody has asked for none
}

const (
	gap       = 2 // characters between columns
	leastCell = 6 // characters that a shortened cell keeps
)

// write lays out rows: lines whose cells end with a tab. Lines that follow one
// another share their columns, and a line without cells stays as it is.
func (l layout) write(out io.Writer, text string) error {
	var b strings.Builder
	var block [][]string
	flush := func() {
		l.block(&b, block)
		block = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if cells := strings.Split(line, "\t"); len(cells) > 1 {
			block = append(block, cells)
			continue
		}
		flush()
		b.WriteString(l.change(line) + "\n")
	}
	flush()
	_, err := io.WriteString(out, b.String())
	return err
}

// block writes rows under one another. A table with a header is made to fit the
// terminal; a list of names and values is not, or a rule could not be read.
func (l layout) block(b *strings.Builder, rows [][]string) {
	var widths []int
	for _, cells := range rows {
		for i, c := range cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	header := len(widths) > 2
	if header && l.width > 0 {
		fit(widths, l.width)
	}
	for n, cells := range rows {
		for i, c := range cells {
			if header {
				c = cut(c, widths[i])
			}
			b.WriteString(l.cell(c, header && n == 0))
			if i < len(cells)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c)+gap))
			}
		}
		b.WriteByte('\n')
	}
}

// fit takes from the widest column, the first one last: it has the names.
func fit(widths []int, width int) {
	total := gap * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > width; total-- {
		widest := 1
		for i := range widths[1:] {
			if widths[i+1] > widths[widest] {
				widest = i + 1
			}
		}
		if widths[widest] <= leastCell {
			widest = 0
		}
		if widths[widest] <= leastCell {
			return
		}
		widths[widest]--
	}
}

// cut shortens a text to a number of characters.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:max(limit-1, 0)]) + "…"
}

// Colours, as terminals have them.
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (l layout) paint(colour, s string) string {
	if !l.colour || s == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

func (l layout) cell(text string, header bool) string {
	switch {
	case header:
		return l.paint(bold, text)
	case text == "ENABLED":
		return l.paint(green, text)
	case text == "DISABLED":
		return l.paint(yellow, text)
	}
	return text
}

var changedLine = regexp.MustCompile(`^ +[-+] `)

// change colours a line of a diff.
func (l layout) change(line string) string {
	switch mark := changedLine.FindString(line); {
	case strings.HasSuffix(mark, "- "):
		return l.paint(red, line)
	case strings.HasSuffix(mark, "+ "):
		return l.paint(green, line)
	}
	return line
}
