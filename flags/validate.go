package flags

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Fault is one thing that is wrong with a definition, where, and what to do.
type Fault struct {
	Key    EntryKey // the entry; zero for a fault of a file as a whole
	Path   string   // as in a flag file: $.flags.adFailure.targeting.if[0]
	Reason string

	// Where the fault is in the file it was read from; Line is 0 where there is
	// no file. Line and Column count from 1, Offset in bytes
	// from 0 (-1: unknown).
	Line, Column, Offset int
}

// String returns path and reason in one line.
func (f Fault) String() string {
	const begin, end = 100, 60
	path := f.Path
	if len(path) > begin+end+3 {
		path = strings.ToValidUTF8(path[:begin], "") + "..." + strings.ToValidUTF8(path[len(path)-end:], "")
	}
	return path + ": " + f.Reason
}

// ValidationError holds every fault (a thousand at most) of what was to be written
// or read, sorted by place. It matches ErrInvalid.
type ValidationError struct {
	File   string // name of the file, where there is one
	Faults []Fault
}

// maxFaultsShown bounds an error's text; Faults has them all.
const maxFaultsShown = 20

// Error returns one line a fault, up to 20 of them, files first as FILE:LINE:COLUMN.
func (e *ValidationError) Error() string {
	lines := make([]string, 0, min(len(e.Faults), maxFaultsShown)+1)
	for _, f := range e.Faults {
		if len(lines) == maxFaultsShown {
			lines = append(lines, fmt.Sprintf("and %d more", len(e.Faults)-maxFaultsShown))
			break
		}
		lines = append(lines, e.where(f)+f.String())
	}
	if len(e.Faults) == 1 {
		return ErrInvalid.Error() + ": " + lines[0]
	}
	return fmt.Sprintf("%s: %d faults:\n  %s", ErrInvalid, len(e.Faults), strings.Join(lines, "\n  "))
}

func (e *ValidationError) where(f Fault) string {
	switch {
	case f.Line == 0 && e.File == "":
		return ""
	case f.Line == 0:
		return e.File + ": "
	case e.File == "":
		return fmt.Sprintf("line %d, column %d: ", f.Line, f.Column)
	default:
		return fmt.Sprintf("%s:%d:%d: ", e.File, f.Line, f.Column)
	}
}

// Unwrap returns ErrInvalid.
func (e *ValidationError) Unwrap() error { return ErrInvalid }

// noPlace is the offset of what was not read from a file.
const noPlace = -1

// faultList gathers faults.
type faultList []Fault

// maxFaults bounds what hostile input can make of us; nobody mends more at once.
const maxFaults = 1000

// add appends a fault, whose reason is worked out only if there is room for it.
func (l *faultList) add(f Fault, format string, args ...any) {
	if len(*l) < maxFaults {
		f.Reason = fmt.Sprintf(format, args...)
		*l = append(*l, f)
	}
}

// in returns the faults of a text as an error.
func (l faultList) in(text []byte) error {
	l.locate(string(text))
	return l.err("")
}

// locate fills in lines and columns of faults in a text.
func (l faultList) locate(text string) {
	slices.SortStableFunc(l, func(a, b Fault) int { return cmp.Compare(a.Offset, b.Offset) })
	line, begin, at := 1, 0, 0
	for i := range l {
		f := &l[i]
		if f.Offset < 0 || f.Offset > len(text) {
			continue
		}
		for ; at < f.Offset; at++ {
			if text[at] == '\n' {
				line, begin = line+1, at+1
			}
		}
		f.Line, f.Column = line, 1+utf8.RuneCountInString(text[begin:at])
	}
}

// err returns the faults sorted, or nil where there are none.
func (l faultList) err(file string) error {
	if len(l) == 0 {
		return nil
	}
	slices.SortStableFunc(l, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), a.Key.Compare(b.Key), strings.Compare(a.Path, b.Path))
	})
	return &ValidationError{File: file, Faults: l}
}
