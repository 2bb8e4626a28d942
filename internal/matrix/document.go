package matrix

import (
	"fmt"
	"strings"
)

// Row is what came of one subset of the layers failing.
type Row struct {
	Reader  string // what a process that was running gets
	Latency string // worst time that this added to a read
	Change  string // how soon it sees a change that is made meanwhile
	Start   string // what a process gets that starts meanwhile, and how long New takes
	Back    string // how soon it follows the primary again, once everything is back
}

// Document returns docs/failure-matrix.md, with a row for the id of each subset.
func Document(rows map[string]Row) []byte {
	var b strings.Builder
	b.WriteString(opening)
	b.WriteString("| failing | how | a running reader gets | worst added latency of a read | sees a change within | a process that starts gets | follows the primary again within |\n" +
		"|---|---|---|---|---|---|---|\n")
	for _, s := range Subsets() {
		layers := strings.Join(s.Layers, ", ")
		if layers == "" {
			layers = "none"
		}
		r := rows[s.ID()]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", layers, s.Failure, r.Reader, r.Latency, r.Change, r.Start, r.Back)
	}
	b.WriteString(afterSubsets)
	for _, section := range sections {
		b.WriteString("\n## " + section.title + "\n\n| | what is done | what must come of it | what came of it | proved by | fails without its guard |\n|---|---|---|---|---|---|\n")
		for _, c := range Cells() {
			if c.ID[:1] == section.letter {
				fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", c.ID, c.Fault, c.Pass, c.Result, names(c.Tests), names(c.Twins))
			}
		}
	}
	return []byte(b.String())
}

var sections = []struct{ letter, title string }{
	{"L", "Layers that are worse than down"},
	{"F", "Faults"},
	{"E", "Eight that broke others"},
	{"G", "Guarantees about caches"},
}

func names(tests []string) string {
	quoted := make([]string, len(tests))
	for i, t := range tests {
		quoted[i] = "`" + t + "`"
	}
	return strings.Join(quoted, ", ")
}

const opening = `# Failure matrix

What is done to Holdfast on purpose, and what comes of it. This page is made by the tests (` + "`make docs`" + `), and
the tests fail if it is not what they find. Figures are of virtual time, the same in each run, or bounds that
a test asserts. In every cell readers read all the time, and also: 0 failed reads, 0 reads back in time, 0 commits torn apart,
0 unclassified errors, 0 goroutines left 2 s after Close.

## Layers

Eight subsets of {cache, primary, secondary}, refusing connections or accepting them and hanging. Both
processes have a healthy minute behind them, or start 5 min into the outage without a file on disk; with one, they serve it
at once, reported stale, until something better arrives.

`

const afterSubsets = `
"stale" is said beside the value, never instead of it: reads go on for ever unless ` + "`MaxStaleness`" + ` bounds them.
`
