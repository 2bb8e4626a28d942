package store

import (
	"context"
	"io"

	"github.com/holdfast-flags/holdfast/flags"
)

// Store keeps flag sets. All methods are safe for concurrent use and return
// errors as *flags.SourceError, wrapping the sentinels of this package.
type Store interface {
	flags.Source
	flags.Watcher
	Writer
	History
	io.Closer
}

// Writer takes commits.
type Writer interface {
	// Apply appends one commit atomically and returns it as accepted, once it is
	// as durable as the store makes anything.
	//
	// The caller fills in Set, ID, Op, Actor, Reason, Address, Changes and the
	// preconditions. A commit whose ID the set's journal holds already is not
	// applied again: the accepted one is returned (for at least 10,000 commits, or
	// as many as the store keeps). A violated precondition is ErrConflict (class
	// permanent). Without preconditions the store rebases on whatever is newest
	// and retries by itself. A failed Apply changes nothing, except that after a
	// transient error it is unknown whether it did: repeat it with the same ID.
	Apply(ctx context.Context, c flags.Commit) (flags.Commit, error)
}

// History reads the journal.
type History interface {
	// Sets returns the heads of all sets, deleted ones included, sorted by name.
	Sets(ctx context.Context) ([]flags.Head, error)
	// Commits returns the commits with from <= version <= to, oldest first, at
	// most limit of them (0: the store's own bound, at least 256). The zero from
	// means the oldest commit there is, which tells how far back the journal
	// reaches. Versions past the head are no error. ErrCompacted where from is older
	// than the journal reaches, ErrNotFound where there is no such set.
	Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error)
}

// Replica takes over the journal of another store, commit by commit as they are.
// A mirror is a replica that a router keeps current.
type Replica interface {
	// Head is flags.Source's: where the replica stands.
	Head(ctx context.Context, set string) (flags.Head, error)
	// Append adds accepted commits in order. One that is there already means done;
	// a different one at its place, or a gap, is an error wrapping flags.ErrGap or
	// flags.ErrLineage and changes nothing.
	Append(ctx context.Context, set string, commits []flags.Commit) error
	// Seed replaces whatever the replica has of the set by a checkpoint, unless it
	// has a newer version of the same lineage.
	Seed(ctx context.Context, cp *flags.Checkpoint) error
}
