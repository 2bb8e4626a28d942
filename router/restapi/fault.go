package restapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
)

// mostFaults is how many faults an answer names.
const mostFaults = 100

// faultsOf returns the faults of a definition, with their places in the body.
func faultsOf(err error, r *http.Request) []restwire.Fault {
	var invalid *flags.ValidationError
	if !errors.As(err, &invalid) {
		return nil
	}
	own, within := bodyEntry(r)
	out := make([]restwire.Fault, 0, min(len(invalid.Faults), mostFaults))
	for _, f := range invalid.Faults[:min(len(invalid.Faults), mostFaults)] {
		m := restwire.Fault{Detail: f.Reason, Line: f.Line, Column: f.Column}
		steps := stepsOf(f.Path)
		switch {
		case f.Key == flags.EntryKey{}: // of the body as a text
			m.Pointer = pointer(steps)
		case own == nil: // of an entry of a file
			m.Pointer, m.Entry = pointer(steps), f.Key.String()
		case f.Key == *own:
			m.Pointer = pointer(steps[min(within, len(steps)):])
		default: // of one that the change breaks
			m.Detail, m.Entry = f.String(), f.Key.String()
		}
		out = append(out, m)
	}
	return out
}

// bodyEntry returns the entry that the body of a request is, and how many steps of the
// path of a fault lead to it; nil for a whole file.
func bodyEntry(r *http.Request) (own *flags.EntryKey, within int) {
	var key flags.EntryKey
	switch {
	case strings.HasSuffix(r.Pattern, "/flags/{key}"):
		key, within = flagOf(r), 2
	case strings.HasSuffix(r.Pattern, "/evaluators/{name}"):
		key, within = evaluatorOf(r), 2
	case strings.HasSuffix(r.Pattern, "/overrides/{entity}/{key}"):
		key, within = overrideOf(r), 4
	default:
		return nil, 0
	}
	return &key, within
}

// stepsOf takes a path of a fault apart: $.flags["a b"].targeting.if[0]. What it cannot
// read ends it, so that a pointer never leads astray.
func stepsOf(path string) []string {
	rest, ok := strings.CutPrefix(path, "$")
	var steps []string
	for ok && rest != "" {
		var step string
		switch {
		case strings.HasPrefix(rest, `["`):
			d := json.NewDecoder(strings.NewReader(rest[1:]))
			if d.Decode(&step) != nil || !strings.HasPrefix(rest[1+d.InputOffset():], "]") {
				return steps
			}
			rest = rest[1+d.InputOffset()+1:]
		case rest[0] == '[':
			step, rest, ok = strings.Cut(rest[1:], "]")
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			step, rest = rest[1:1+end], rest[1+end:]
		default:
			return steps
		}
		steps = append(steps, step)
	}
	return steps
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// pointer returns steps as a JSON pointer in the form of a URI's fragment, as problem
// details have it: # is the whole body.
func pointer(steps []string) string {
	escaped := slices.Clone(steps)
	for i := range escaped {
		escaped[i] = "/" + escapePointer.Replace(escaped[i])
	}
	return "#" + strings.Join(escaped, "")
}
