package boltstore

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// ErrCorrupt: the file is damaged. Nothing of the damaged part is ever served.
var ErrCorrupt = errors.New("boltstore: damaged file")

// ErrLocked: another process has the file open.
var ErrLocked = errors.New("boltstore: file is in use by another process")

func damaged(set, what string, key []byte, why error) error {
	at := hex.EncodeToString(key)
	if v, ok := versionOf(key); ok && what != "index of commit" {
		at = v.String()
	}
	return fmt.Errorf("%w: set %q, %s %s: %w", ErrCorrupt, set, what, at, why)
}

// openError says in one line what is wrong with the file and what to do.
func openError(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, berrors.ErrTimeout):
		err = fmt.Errorf("%w: %s; stop that process or name another file", ErrLocked, path)
	case errors.Is(err, ErrCorrupt):
		err = fmt.Errorf("%w; %s is left as it is: restore it from a backup or fill a new one from a mirror", err, path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		err = fmt.Errorf("%w: %s is no bbolt database or its first pages are gone (%w); restore it from a backup or name another file", ErrCorrupt, path, err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		// The operating system has said what and where.
	default:
		err = fmt.Errorf("%s: %w", path, err)
	}
	return &flags.SourceError{Class: flags.ClassPermanent, Op: "boltstore: open", Err: err}
}

func classify(op, set string, err error) error {
	if err == nil {
		return nil
	}
	op = "boltstore: " + op + " " + set
	switch {
	case errors.Is(err, ErrCorrupt):
		// Nobody can be served from this file; others may have the set.
		return &flags.SourceError{Class: flags.ClassTransient, Op: op, Err: err}
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		err = fmt.Errorf("%w: %w", store.ErrClosed, err)
	}
	return store.Classify(op, err)
}

// guarded turns what bbolt does when it meets a damaged page, which is to panic
// or to follow a wild pointer into the mapping, into an error. bbolt rolls the
// transaction back on the way out.
func guarded(transact func(func(*bolt.Tx) error) error, do func(*bolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, p)
		}
	}()
	return transact(do)
}
