package flagdfile

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
)

// StrictJSON returns a JSON or YAML file of any content as JSON that
// [flags.Canonical] would accept, so that encoding/json can read it without
// surprises; name decides the format, as FormatOf says, and begins the messages.
// position returns line and column in the file, both from 1, of a byte of text.
// The error is a *flags.ValidationError.
func StrictJSON(data []byte, name string) (text []byte, position func(offset int) (line, column int), err error) {
	if FormatOf(name, data) == YAML {
		var fault *flags.Fault
		if text, position, fault = convertYAML(data); fault != nil {
			return nil, nil, &flags.ValidationError{File: name, Faults: []flags.Fault{*fault}}
		}
	} else {
		text = bytes.TrimPrefix(data, []byte("\ufeff"))
		position = func(offset int) (line, column int) { return placeIn(text, offset) }
	}
	_, err = flags.Canonical(text)
	var invalid *flags.ValidationError
	if errors.As(err, &invalid) {
		invalid.File = name
		for i := range invalid.Faults {
			f := &invalid.Faults[i]
			f.Line, f.Column = position(f.Offset)
		}
	}
	return text, position, err
}

func placeIn(text []byte, offset int) (line, column int) {
	before := text[:min(max(offset, 0), len(text))]
	begin := bytes.LastIndexByte(before, '\n') + 1
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[begin:])
}
