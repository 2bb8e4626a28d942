package cachestrategy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

var (
	// ErrMiss: the cache has no entry for the set. It says nothing about whether
	// the set exists, so its class is transient; but the cache is in good health,
	// so a breaker must count it as a success.
	ErrMiss = errors.New("cachestrategy: not in the cache")
	// ErrDamaged: the entry cannot be read or does not add up. The next Put of the
	// same or a newer version repairs it.
	// To a client, which looks no further than package flags, it is flags.ErrFormat.
	ErrDamaged error = formatError("cachestrategy: damaged entry")
	// ErrNewerFormat: the entry was written by a later version of this program, which
	// this one leaves alone. To a client it is flags.ErrFormat.
	ErrNewerFormat error = formatError("cachestrategy: entry of a newer format")
	// ErrReadOnly: this user may read the cache and not write to it.
	ErrReadOnly = errors.New("cachestrategy: read-only")
	// ErrClosed: the cache was closed.
	ErrClosed = errors.New("cachestrategy: closed")
)

type formatError string

func (e formatError) Error() string { return string(e) }

// Is is for errors.Is.
func (formatError) Is(target error) bool { return target == flags.ErrFormat }

// UnknownError is what Registry.Open returns for a name that nobody registered.
type UnknownError struct {
	Name  string
	Known []string // sorted
}

func (e *UnknownError) Error() string {
	known := "none"
	if len(e.Known) > 0 {
		known = strings.Join(e.Known, ", ")
	}
	return fmt.Sprintf("unknown cache strategy %q (known: %s)", e.Name, known)
}

// invalid is the error of an offer that no cache takes.
func invalid(format string, args ...any) error {
	return &flags.SourceError{
		Class: flags.ClassPermanent, Op: "cachestrategy: put",
		Err: fmt.Errorf("%w: %s", flags.ErrInvalid, fmt.Sprintf(format, args...)),
	}
}
