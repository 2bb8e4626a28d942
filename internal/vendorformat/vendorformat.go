package vendorformat

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
)

// readers translate, by the name of the format.
var readers = map[string]func(*translation, []byte) error{
	"flipt":        flipt,
	"goff":         goFeatureFlag,
	"launchdarkly": launchDarkly,
	"unleash":      unleash,
}

// Names returns the formats there are, sorted.
func Names() []string {
	var names []string
	for name := range readers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ErrUnknownFormat says that a format is none of Names.
var ErrUnknownFormat = errors.New("vendorformat: unknown format")

// Options are what a file does not say itself.
type Options struct {
	// Name is that of the file: it begins the messages, and its extension decides between JSON and YAML.
	Name string
	// Environment chooses one of those in a file that has several. Default: the only one.
	Environment string
	// Lossy goes on where something cannot be kept. Default: reading fails with a *LossError.
	Lossy bool
}

// Import is what a file holds.
type Import struct {
	Document *flags.Document // not checked yet
	Notes    []Note          // in the order of the file's flags
}

// Note is something that is not here exactly as it was there.
type Note struct {
	Flag  string `json:"flag,omitempty"`  // key; empty: the file, or a segment
	Place string `json:"place,omitempty"` // within the flag, such as "rule 2", or the segment
	Text  string `json:"text"`            // what happens instead
	Lost  bool   `json:"lost,omitempty"`  // nothing happens instead: it is left out
}

// LossError names every place that cannot be kept. It matches flags.ErrInvalid.
type LossError struct{ Lost []Note }

// Error counts the places; they are for a table.
func (e *LossError) Error() string {
	return fmt.Sprintf("%d places of the file cannot be kept", len(e.Lost))
}

// Unwrap returns flags.ErrInvalid.
func (e *LossError) Unwrap() error { return flags.ErrInvalid }

// Read translates a file. The error is a *flags.ValidationError for a file that is
// not what the format says it is, a *LossError, or wraps ErrUnknownFormat.
func Read(format string, data []byte, o Options) (Import, error) {
	read, ok := readers[format]
	if !ok {
		return Import{}, fmt.Errorf("%w %q (known: %s)", ErrUnknownFormat, format, strings.Join(Names(), ", "))
	}
	t := &translation{Options: o, limit: min(flags.MaxSetBytes, 64*len(data)+1<<20), flags: map[string]json.RawMessage{}, segments: map[string]json.RawMessage{}}
	if err := read(t, data); err != nil {
		return Import{}, err
	}
	if len(t.faults) > 0 {
		return Import{}, &flags.ValidationError{File: o.Name, Faults: t.faults}
	}
	if lost := t.lost(); len(lost) > 0 && !o.Lossy {
		return Import{}, &LossError{lost}
	}
	return t.done()
}

// translation is one file on its way.
type translation struct {
	Options

	flags    map[string]json.RawMessage
	segments map[string]json.RawMessage // $evaluators
	size     int                        // of both, in bytes
	limit    int                        // of size: segments inside segments may make a file larger, not explode it
	notes    []Note
	faults   []flags.Fault
}

// decode reads the file into a struct; fields that it does not have are ignored.
func (t *translation) decode(data []byte, into any) error {
	text, position, err := flagdfile.StrictJSON(data, t.Name)
	if err != nil {
		return err
	}
	err = json.Unmarshal(text, into)
	if err == nil {
		return nil
	}
	f := flags.Fault{Path: "$", Reason: strings.TrimPrefix(err.Error(), "json: "), Offset: -1}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		f.Path, f.Offset = strings.TrimSuffix("$."+wrong.Field, "."), int(wrong.Offset)
		f.Reason = fmt.Sprintf("this is a JSON %s, which cannot stand here", wrong.Value)
		f.Line, f.Column = position(int(wrong.Offset))
	}
	return &flags.ValidationError{File: t.Name, Faults: []flags.Fault{f}}
}

// maxNotes bounds what hostile input can make of us.
const maxNotes = 20_000

// fault reports what makes no sense in the vendor's own format.
func (t *translation) fault(path, format string, args ...any) {
	if len(t.faults) < maxNotes {
		t.faults = append(t.faults, flags.Fault{Path: path, Reason: fmt.Sprintf(format, args...), Offset: -1})
	}
}

// add keeps a note; places of a flag that say the same share one.
func (t *translation) add(n Note) {
	const near = 100 // notes to look at: those of one flag are together
	for i := len(t.notes) - 1; i >= max(0, len(t.notes)-near) && t.notes[i].Flag == n.Flag; i-- {
		old := &t.notes[i]
		if old.Text != n.Text || old.Lost != n.Lost || n.Flag == "" && old.Place != n.Place {
			continue
		}
		switch places := strings.Split(old.Place, ", "); {
		case slices.Contains(places, n.Place) || places[len(places)-1] == more:
		case len(places) > 20:
			old.Place += ", " + more
		default:
			old.Place += ", " + n.Place
		}
		return
	}
	switch {
	case len(t.notes) < maxNotes:
		t.notes = append(t.notes, n)
	case len(t.notes) == maxNotes:
		t.notes = append(t.notes, Note{Text: "and more notes than can be read; import fewer flags at a time", Lost: true})
	}
}

// more stands for further places.
const more = "and more"

// lost returns what is lost; it is not empty if anything is.
func (t *translation) lost() []Note {
	return slices.DeleteFunc(slices.Clone(t.notes), func(n Note) bool { return !n.Lost })
}

func (t *translation) done() (Import, error) {
	file := map[string]any{"flags": t.flags}
	if len(t.segments) > 0 {
		file["$evaluators"] = t.segments
	}
	text, err := json.Marshal(file)
	if err != nil {
		return Import{}, fmt.Errorf("vendorformat: %w", err)
	}
	// The text is ours: no line of it is one of the file's, but the paths name the flags.
	doc, err := flags.ParseConverted(text, t.Name, func(int) (line, column int) { return 0, 0 })
	return Import{Document: doc, Notes: t.notes}, err
}

// keep takes in an encoded flag or segment, within the limit.
func (t *translation) keep(into map[string]json.RawMessage, path, name string, text []byte) {
	if t.size += len(text); t.size > t.limit {
		t.fault(path, "the file comes to more than %d bytes of flags and segments", t.limit)
		return
	}
	into[name] = text
}

func (t *translation) keepSegment(path, name string, condition any) {
	text, err := json.Marshal(condition)
	_, twice := t.segments[name]
	switch {
	case twice:
		t.fault(path, "segment %q is defined twice; rename one", name)
	case err != nil:
		t.fault(path, "%s", err)
	case name == "":
		t.fault(path, "a segment without a name")
	default:
		t.keep(t.segments, path, name, text)
	}
}
