package matrix

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// TallyEnv names the file that tests append to and make test sums up. Without it
// nothing is written.
const TallyEnv = "HOLDFAST_TALLY"

// Tally notes, when tb ends, that a cell was tried with so many faults, of which so
// many violated it; a test that failed violates its cell at least once. An id that is not
// registered is an error.
func Tally(tb testing.TB, id string, tried, violations int) {
	tb.Helper()
	if !slices.Contains(IDs(), id) {
		tb.Errorf("matrix: no cell %q is registered", id)
		return
	}
	path := os.Getenv(TallyEnv)
	if path == "" {
		return
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			violations = max(violations, 1)
		}
		if err := appendLine(path, fmt.Sprintf("%s %d %d\n", id, tried, violations)); err != nil {
			tb.Errorf("matrix: %v", err)
		}
	})
}

// appendLine writes in one piece, as tests of several packages run at the same time.
func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(line); err != nil {
		_ = f.Close() // the line is lost either way
		return err
	}
	return f.Close()
}

// Summary is what a run has tried.
type Summary struct {
	Tried      int
	Violations int
	Violated   []string // ids
	Missing    []string // ids of cells that were not tried
}

// Sum reads what a run appended.
func Sum(r io.Reader) (Summary, error) {
	var s Summary
	seen := map[string]bool{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var id string
		var tried, violations int
		if _, err := fmt.Sscan(lines.Text(), &id, &tried, &violations); err != nil {
			return s, fmt.Errorf("line %q: want ID TRIED VIOLATIONS: %w", lines.Text(), err)
		}
		seen[id] = seen[id] || tried > 0
		s.Tried += tried
		s.Violations += violations
		if violations > 0 && !slices.Contains(s.Violated, id) {
			s.Violated = append(s.Violated, id)
		}
	}
	for _, id := range IDs() {
		if !seen[id] {
			s.Missing = append(s.Missing, id)
		}
	}
	return s, lines.Err()
}

// OK reports whether every cell was tried and none was violated.
func (s Summary) OK() bool { return s.Violations == 0 && len(s.Missing) == 0 }

// String is the line that a run ends with.
func (s Summary) String() string {
	text := fmt.Sprintf("faults tried: %d, violations: %d", s.Tried, s.Violations)
	if len(s.Violated) > 0 {
		text += " (" + strings.Join(s.Violated, " ") + ")"
	}
	if len(s.Missing) > 0 {
		text += "; not tried: " + strings.Join(s.Missing, " ")
	}
	return text
}
