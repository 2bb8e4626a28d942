package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
)

// Exit codes; scripts rely on them.
const (
	exitOK           = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNotFound     = 3
	exitConflict     = 4
	exitNotConfirmed = 5
	exitDenied       = 6
)

// exitError is an error that knows its exit code and what to do about it.
type exitError struct {
	code int
	hint string
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

func notFoundf(hint, format string, args ...any) error {
	return &exitError{code: exitNotFound, hint: hint, err: fmt.Errorf(format, args...)}
}

// report prints what is wrong, and a hint at what to do about it, and returns the
// exit code.
func report(std stdio, cmd *cobra.Command, err error) int {
	code, hint := classify(err)
	var answered *answer
	if errors.As(err, &answered) {
		return code // it is no fault, and has been printed
	}
	if hint == "" && code == exitUsage {
		hint = usageHint(cmd, err)
	}
	l := layoutOf(std.err, std.getenv)
	fmt.Fprintf(std.err, "%s %s\n", l.paint(red, "flagctl:"), message(err))
	if hint != "" {
		fmt.Fprintf(std.err, "%s %s\n", l.paint(bold, "hint:"), hint)
	}
	return code
}

// answer is an exit code that is an answer, such as that of eval --test.
type answer struct{ code int }

func (a *answer) Error() string { return fmt.Sprintf("exit code %d", a.code) }

// message drops the names of the drivers' operations, here and in the router,
// which say nothing to the person who typed the command, where the cause is plain.
func message(err error) string {
	var conflict *store.ConflictError
	if errors.As(err, &conflict) {
		err = conflict
	}
	text := err.Error()
	for _, plain := range []error{store.ErrNotFound, store.ErrExists, store.ErrEnded, store.ErrInvalid, store.ErrReadOnly} {
		if _, cause, found := strings.Cut(text, plain.Error()); found && errors.Is(err, plain) {
			text = plain.Error() + cause
			break
		}
	}
	return strings.TrimPrefix(withoutRPC(strings.Replace(text, "invalid: flags: invalid", "invalid", 1)), "store: ")
}

// withoutRPC leaves out the names that gRPC and access control give to what they say.
func withoutRPC(text string) string {
	if op, rest, found := strings.Cut(text, "rpc error: code = "); found {
		if _, said, found := strings.Cut(rest, " desc = "); found {
			text = op + said
		}
	}
	for _, name := range []string{"authz: unauthenticated: ", "authz: denied: "} {
		if _, said, found := strings.Cut(text, name); found {
			return said
		}
	}
	return text
}

func classify(err error) (code int, hint string) {
	var ee *exitError
	var se *flags.SourceError
	var said *answer
	switch {
	case errors.As(err, &said):
		return said.code, ""
	case errors.As(err, &ee):
		return ee.code, ee.hint
	case errors.Is(err, store.ErrConflict):
		return exitConflict, "somebody changed it meanwhile; look with `flagctl history` and try again"
	case errors.Is(err, store.ErrExists):
		return exitConflict, "`flagctl sets list` shows the sets there are"
	case errors.Is(err, store.ErrNotFound):
		return exitNotFound, "`flagctl status` lists the sets; choose one with --set"
	case errors.Is(err, store.ErrEnded):
		return exitNotFound, "`flagctl sets create NAME` begins it again"
	case errors.Is(err, boltstore.ErrLocked):
		return exitFailed, "if that is a router, go through it: --server HOST:PORT in place of --store"
	case errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &se):
		return exitFailed, "give it longer with --timeout"
	case errors.As(err, &se) && se.Class == flags.ClassDenied:
		return exitDenied, "use --api-key or HOLDFAST_API_KEY with a key that may do this"
	case tlsHint(err) != "":
		return exitFailed, tlsHint(err)
	case otherPort(err):
		return exitFailed, otherPortHint
	case errors.As(err, &se) && se.Class == flags.ClassTransient:
		return exitFailed, "is it running, and are --server or --store right?"
	case errors.As(err, &se):
		return exitFailed, hintOf(err)
	case isUsage(err):
		return exitUsage, ""
	default:
		return exitFailed, hintOf(err)
	}
}

// hintOf says what can be done about an error that has no exit code of its own.
func hintOf(err error) string {
	switch {
	case errors.Is(err, flags.ErrInvalid), errors.Is(err, store.ErrInvalid):
		return "nothing was written; mend what is named and try again"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return "is the path right, and may you read it?"
	case errors.Is(err, store.ErrReadOnly):
		return "write to the router or store that it follows"
	}
	return ""
}

// isUsage recognises the errors that the command-line library makes by itself.
func isUsage(err error) bool {
	for _, s := range []string{"unknown command", "unknown flag", "unknown shorthand", "accepts ", "requires ", "required flag", "invalid argument", "flag needs an argument", "if any flags in the group", "at least one of the flags"} {
		if strings.HasPrefix(err.Error(), s) {
			return true
		}
	}
	return false
}
