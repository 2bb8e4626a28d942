package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// ConflictError says which precondition does not hold. It matches ErrConflict.
type ConflictError struct {
	Token flags.Token     // where the set is now
	Key   *flags.EntryKey // the entry, or nil where the whole set was meant
	Want  uint64          // the revision demanded
	Have  uint64          // the revision found; 0: there is none
}

func (e *ConflictError) Error() string {
	if e.Key == nil {
		return fmt.Sprintf("store: conflict: set is at %s, not at revision %d", e.Token, e.Want)
	}
	return fmt.Sprintf("store: conflict: %s was last changed at revision %d, not %d (set is at %s)", e.Key, e.Have, e.Want, e.Token)
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// Prepare checks a proposed commit against the contents it is to be applied to
// and returns it as it would be accepted at the instant now. It is the one place
// that all writes pass, so it is here that definitions are checked. Every driver that
// accepts writes calls it under whatever makes its append atomic.
//
// The error is a *ConflictError or wraps ErrExists, ErrEnded, ErrNotFound or
// ErrInvalid.
func Prepare(contents *flags.Contents, c flags.Commit, now time.Time) (flags.Commit, error) {
	head := contents.Head()
	if err := checkForm(&c); err != nil {
		return c, err
	}
	if err := checkStatus(head, c.Op); err != nil {
		return c, err
	}
	if !c.If.IsZero() && c.If != head.Version {
		return c, &ConflictError{Token: head.Token(), Want: c.If.Revision, Have: head.Revision}
	}
	for i := range c.Conditions {
		p := c.Conditions[i]
		if e, _ := contents.Get(p.Key); e.Revision != p.Version.Revision || e.Revision != 0 && head.Epoch != p.Version.Epoch {
			return c, &ConflictError{Token: head.Token(), Key: &p.Key, Want: p.Version.Revision, Have: e.Revision}
		}
	}
	if err := contents.CheckChanges(c.Op, c.Changes); err != nil {
		return c, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := contents.Seal(&c); err != nil {
		return c, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	c.Time = now.UTC().Truncate(time.Microsecond)
	return c, nil
}

func checkStatus(head flags.Head, op flags.Op) error {
	live := !head.Version.IsZero() && head.Status == flags.StatusLive
	switch {
	case op == flags.OpCreate && live:
		return fmt.Errorf("%w: set %q is at %s", ErrExists, head.Set, head.Token())
	case op == flags.OpCreate, live:
		return nil
	case head.Version.IsZero():
		return fmt.Errorf("%w: no flag set %q; create it first", ErrNotFound, head.Set)
	default:
		return fmt.Errorf("%w: set %q ended at %s; create it again first", ErrEnded, head.Set, head.Token())
	}
}

// checkForm finds what is wrong with a commit whatever it is applied to.
func checkForm(c *flags.Commit) error {
	if err := flags.CheckSetName(c.Set); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if c.ID == (flags.CommitID{}) {
		return fmt.Errorf("%w: no commit id", ErrInvalid)
	}
	if c.Op == flags.OpChange && len(c.Changes) == 0 {
		return fmt.Errorf("%w: nothing to change", ErrInvalid)
	}
	seen := make(map[flags.EntryKey]bool, len(c.Changes))
	for _, m := range c.Changes {
		if seen[m.Key] {
			return fmt.Errorf("%w: %s is changed twice", ErrInvalid, m.Key)
		}
		seen[m.Key] = true
	}
	return nil
}

// Class returns the class of an error of Prepare or of this package's sentinels,
// for drivers to put into their *flags.SourceError.
func Class(err error) flags.Class {
	switch {
	case errors.Is(err, ErrNotFound):
		return flags.ClassNotFound
	case errors.Is(err, ErrClosed):
		return flags.ClassCanceled
	case errors.Is(err, ErrBusy):
		return flags.ClassRefused
	case errors.Is(err, ErrConflict), errors.Is(err, ErrExists), errors.Is(err, ErrEnded), errors.Is(err, ErrInvalid),
		errors.Is(err, ErrReadOnly), errors.Is(err, ErrCompacted), errors.Is(err, flags.ErrTooLarge), errors.Is(err, flags.ErrInvalid):
		return flags.ClassPermanent
	default:
		return flags.ClassOf(err)
	}
}

// Classify returns err as a *flags.SourceError of its Class, op saying what was
// attempted ("memstore: head default"); nil stays nil, and what a driver has
// classified already stays as it is.
func Classify(op string, err error) error {
	var classified *flags.SourceError
	if err == nil || errors.As(err, &classified) {
		return err
	}
	return &flags.SourceError{Class: Class(err), Op: op, Err: err}
}
