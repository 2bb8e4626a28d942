package flags

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// CommitID is chosen by the writer: 16 random bytes. It makes a write safe to
// repeat, and tells "mine, already applied" from a conflict after a timeout.
type CommitID [16]byte

// NewCommitID draws a commit id.
func NewCommitID() (id CommitID) {
	_, _ = rand.Read(id[:]) // documented never to fail
	return id
}

func (id CommitID) String() string { return hex.EncodeToString(id[:]) }

// Op is what a commit does to its set as a whole.
type Op uint8

// The operations. Their numbers are part of the stored form.
const (
	OpChange Op = 0 // changes entries of a live set
	OpCreate Op = 1 // begins an epoch (revision 1) with the entries of the commit
	OpSeal   Op = 2 // ends an epoch, contents kept until the next one begins
	OpDelete Op = 3 // ends an epoch and leaves the set without entries
)

var opNames = [...]string{"change", "create", "seal", "delete"}

func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return fmt.Sprintf("op(%d)", uint8(o))
}

// Actor is who made a commit.
type Actor struct {
	Kind string // user, key, system
	ID   string // name of the user or id of the key
	Via  string // flagctl, page, rest, import, ...
}

// Condition demands that an entry was last changed at a version; the zero
// version demands that there is no such entry. The epoch counts: an entry of a
// set that was created again is not the one from before.
type Condition struct {
	Key     EntryKey
	Version Version
}

// Commit is one atomic write to a set. A writer fills in Set, ID, Op, Actor,
// Reason, Address, Changes and the preconditions; the store that accepts it
// fills in the rest. A commit is immutable once accepted.
type Commit struct {
	Set     string
	Lineage Lineage
	Version
	ID      CommitID
	Op      Op
	Actor   Actor
	Reason  string
	Address string // of the client, where there is one
	Time    time.Time
	Changes []Mutation

	// Preconditions. Without any, the write applies to whatever is there.
	Conditions []Condition // per entry
	If         Version     // the whole set must be at this version; zero: any

	Digest Digest // of the set after this commit
	Count  int    // entries of the set after this commit
}

// Head returns the head of the set after this commit.
func (c *Commit) Head() Head {
	h := Head{Set: c.Set, Lineage: c.Lineage, Version: c.Version, Digest: c.Digest, Count: c.Count, Time: c.Time}
	switch c.Op {
	case OpSeal:
		h.Status = StatusSealed
	case OpDelete:
		h.Status = StatusDeleted
	default:
	}
	return h
}

// Checkpoint is a whole set at one version. Entries are sorted by key.
type Checkpoint struct {
	Head
	Entries []Entry
}
