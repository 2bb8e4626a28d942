package flagdfile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// Format is the notation of a flag file.
type Format string

// The formats.
const (
	JSON Format = "json"
	YAML Format = "yaml"
)

// FormatOf returns the format that a file's name says (.json, .yaml, .yml) or,
// where it says nothing, the one its first character does: JSON begins with {.
func FormatOf(name string, data []byte) Format {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		return JSON
	case ".yaml", ".yml":
		return YAML
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if data = bytes.TrimLeft(data, " \t\r\n"); len(data) == 0 || data[0] == '{' {
		return JSON
	}
	return YAML
}

// Read reads a flag file of at most flags.MaxDocumentBytes. The error is one of
// os, or a *flags.ValidationError with all that keeps the file from being read.
func Read(path string) (*flags.Document, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > flags.MaxDocumentBytes {
		return nil, fmt.Errorf("%w: %s has %d bytes, a flag file at most %d", flags.ErrTooLarge, path, info.Size(), flags.MaxDocumentBytes)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(data, path)
}

// Parse reads the text of a flag file; name decides the format, as FormatOf
// says, and begins the messages. The error is a *flags.ValidationError.
func Parse(data []byte, name string) (*flags.Document, error) {
	if FormatOf(name, data) == JSON {
		return flags.ParseDocument(data, name)
	}
	return parseYAML(data, name)
}

// Format writes entries as a flag file. Equal entries give equal bytes, and Parse
// gives the same entries back. Errors are those of [flags.Export].
func (f Format) Format(entries []flags.Entry) ([]byte, error) {
	data, err := flags.Export(entries)
	if err != nil || f != YAML {
		return data, err
	}
	return FormatYAML(data)
}
