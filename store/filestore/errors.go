package filestore

import (
	"errors"

	"github.com/holdfast-flags/holdfast/flags"
)

// ErrNothingKept: there is no last-known-good file that can be used. Its class is
// not found where there is no file at all, and transient where there is one that
// cannot be used. Neither says anything about whether the set exists.
var ErrNothingKept = errors.New("filestore: nothing kept")

func sourceError(class flags.Class, op string, err error) error {
	return &flags.SourceError{Class: class, Op: "filestore: " + op, Err: err}
}
