package flags

import (
	"context"
	"errors"
	"fmt"
)

// Errors about the form and the identity of flag sets. Drivers wrap them; match
// with errors.Is.
var (
	// ErrFormat: bytes that are not a commit or checkpoint this version can read.
	ErrFormat = errors.New("flags: malformed")
	// ErrDigest: a set put together does not have the digest its origin stated.
	ErrDigest = errors.New("flags: digest mismatch")
	// ErrGap: a commit does not follow the version it was to be applied to.
	ErrGap = errors.New("flags: commit out of sequence")
	// ErrLineage: the set belongs to another history than the one already held.
	ErrLineage = errors.New("flags: another lineage")
	// ErrTooLarge: an encoded commit or checkpoint is over its limit.
	ErrTooLarge = errors.New("flags: too large")
	// ErrNotFresh: what a read demanded of the set's version or age could not be had.
	ErrNotFresh = errors.New("flags: not fresh")
	// ErrInvalid: a name, token or definition that breaks its rules.
	ErrInvalid = errors.New("flags: invalid")
)

// Class is what an error of a source means for whoever has other layers to ask.
type Class uint8

// The classes. Transient is the zero value on purpose: an error that nobody
// classified must never be able to hide an outage.
const (
	// ClassTransient: the layer cannot serve anybody now (unreachable, slow,
	// overloaded, misrouted, expired certificate); the next layer may be asked.
	ClassTransient Class = iota
	// ClassNotFound: an authoritative "there is no such set". Never fall back:
	// a staler layer must not bring back what was deleted.
	ClassNotFound
	// ClassPermanent: the request itself is wrong; asking elsewhere won't help.
	ClassPermanent
	// ClassDenied: the caller may not. Falling back would let a revoked key read.
	ClassDenied
	// ClassCanceled: the caller gave up or the layer was closed by us.
	ClassCanceled
	// ClassRefused: this process itself did not let the call through (an open gate,
	// a full bulkhead). Nothing was sent, so it says nothing about the layer's
	// health; the next layer may be asked.
	ClassRefused
)

var classNames = [...]string{"transient", "not found", "permanent", "denied", "canceled", "refused"}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// SourceError is an error that a driver has classified. Drivers return it from
// every method of Source and Watcher; nobody above them looks at library errors.
type SourceError struct {
	Class Class
	Op    string // what was attempted, e.g. "grpcstore: head default"
	Err   error
}

func (e *SourceError) Error() string { return e.Op + ": " + e.Err.Error() }

func noSuchSet(layer, set string) error {
	return &SourceError{Class: ClassNotFound, Op: layer, Err: fmt.Errorf("no flag set %q", set)}
}

// Unwrap returns the cause.
func (e *SourceError) Unwrap() error { return e.Err }

// ClassOf returns the class of err: that of the outermost SourceError in its
// chain, ClassCanceled for a bare context.Canceled, else ClassTransient. So a bare
// context.DeadlineExceeded is transient on purpose: the deadlines here are
// budgets of layers, and one that ran out is a layer that was too slow.
func ClassOf(err error) Class {
	var se *SourceError
	if errors.As(err, &se) {
		return se.Class
	}
	if errors.Is(err, context.Canceled) {
		return ClassCanceled
	}
	return ClassTransient
}
