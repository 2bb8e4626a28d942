package filestore

import (
	"errors"

	"github.com/holdfast-flags/holdfast/flags"
)

// ErrNothingKept: there is no last-known-good file that can be used. It says
// nothing about whether the set exists, so its class is transient.
var ErrNothingKept = errors.New("filestore: nothing kept")

func sourceError(class flags.Class, op string, err error) error {
	return &flags.SourceError{Class: class, Op: "filestore: " + op, Err: err}
}
