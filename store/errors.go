package store

import "errors"

// Errors of stores. Drivers wrap them inside a *flags.SourceError; match with
// errors.Is.
var (
	// ErrNotFound: no such set or revision.
	ErrNotFound = errors.New("store: not found")
	// ErrExists: the set to be created exists.
	ErrExists = errors.New("store: already exists")
	// ErrConflict: a precondition does not hold any more. See ConflictError.
	ErrConflict = errors.New("store: conflict")
	// ErrEnded: the set was deleted or sealed; it must be created first.
	ErrEnded = errors.New("store: set has ended")
	// ErrInvalid: a commit or record that no store accepts. See flags.ErrInvalid for the faults.
	ErrInvalid = errors.New("store: invalid")
	// ErrReadOnly: the store takes no writes.
	ErrReadOnly = errors.New("store: read-only")
	// ErrCompacted: the asked-for revisions are older than the store keeps.
	ErrCompacted = errors.New("store: compacted")
	// ErrBusy: this process calls the store enough already; nothing was sent. See Bulkhead.
	ErrBusy = errors.New("store: busy")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store: closed")
)
