package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// Bounds of items.
const (
	MaxItemKind  = 32       // bytes of a kind
	MaxItemID    = 128      // bytes of an id
	MaxItemBytes = 64 << 10 // bytes of an item
)

// Records keeps small documents that are not flags, beside the journal in the same
// database and never in it: API keys, webhook cursors. They have no history.
// Methods are safe for concurrent use and return errors as *flags.SourceError.
type Records interface {
	// GetRecord returns one item. ErrNotFound where there is none or it has expired.
	GetRecord(ctx context.Context, kind, id string) (Item, error)
	// ListRecords returns the items of a kind sorted by ID, expired ones left out.
	ListRecords(ctx context.Context, kind string) ([]Item, error)
	// PutRecord stores an item if its Version is that of the stored one, or zero and
	// there is none, and returns it with its new Version. Else ErrConflict; an item
	// that breaks the bounds is ErrInvalid. After a transient error it is unknown
	// whether it was stored.
	PutRecord(ctx context.Context, it Item) (Item, error)
	// DeleteRecord removes an item if its version is this one. ErrNotFound where
	// there is none, ErrConflict where it is another.
	DeleteRecord(ctx context.Context, kind, id string, version uint64) error
}

// Item is a small document of Records.
type Item struct {
	Kind string // lower-case letters, digits and hyphens
	ID   string // unique in its kind: letters, digits and any of . _ : @ -
	// Version is another one after each put, also of an item that was deleted in
	// between; no order is in it. Zero: not stored yet.
	Version uint64
	Bytes   []byte
	// Expires is when the item is gone, to the microsecond; zero means never.
	Expires time.Time
}

// Expired reports whether the item is gone at an instant.
func (it Item) Expired(now time.Time) bool {
	return !it.Expires.IsZero() && !now.Before(it.Expires)
}

// CheckItemName returns an error wrapping ErrInvalid for a kind or an id that no
// item can have.
func CheckItemName(kind, id string) error {
	const lower, digits = "abcdefghijklmnopqrstuvwxyz", "0123456789"
	if !named(kind, MaxItemKind, lower+digits+"-") {
		return fmt.Errorf("%w: record kind %.40q: want 1 to %d of a-z 0-9 -", ErrInvalid, kind, MaxItemKind)
	}
	if !named(id, MaxItemID, lower+strings.ToUpper(lower)+digits+"._:@-") {
		return fmt.Errorf("%w: record id %.40q: want 1 to %d of a-z A-Z 0-9 . _ : @ -", ErrInvalid, id, MaxItemID)
	}
	return nil
}

func named(s string, most int, of string) bool {
	return s != "" && len(s) <= most && strings.Trim(s, of) == ""
}

// PrepareItem checks an item that is to be put over old (the zero Item where there is
// none) at the instant now, and returns it as it is stored. Every driver calls it
// under whatever makes its put atomic. The error wraps ErrInvalid or ErrConflict.
func PrepareItem(old, it Item, now time.Time) (Item, error) {
	if err := CheckItemName(it.Kind, it.ID); err != nil {
		return it, err
	}
	if len(it.Bytes) > MaxItemBytes {
		return it, fmt.Errorf("%w: record %s/%s has %d bytes, at most %d are kept", ErrInvalid, it.Kind, it.ID, len(it.Bytes), MaxItemBytes)
	}
	it.Expires = it.Expires.UTC().Truncate(time.Microsecond)
	if it.Expired(now) {
		return it, fmt.Errorf("%w: record %s/%s expires in the past", ErrInvalid, it.Kind, it.ID)
	}
	if err := CheckItemVersion(old, it.Version, now); err != nil {
		return it, fmt.Errorf("%w (record %s/%s)", err, it.Kind, it.ID)
	}
	it.Version = newItemVersion()
	return it, nil
}

// CheckItemVersion returns an error wrapping ErrConflict where the item, which is as
// good as none once it has expired, has another version than want.
func CheckItemVersion(old Item, want uint64, now time.Time) error {
	have := old.Version
	if old.Expired(now) {
		have = 0
	}
	if have != want {
		return fmt.Errorf("%w: record is at version %d, not %d", ErrConflict, have, want)
	}
	return nil
}

// newItemVersion is drawn, so that none comes twice: who holds the version of an item
// that was deleted and made again must not overwrite it. 63 bits fit databases without
// unsigned numbers.
func newItemVersion() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return max(binary.BigEndian.Uint64(b[:])>>1, 1)
}

// NoItem is the error of an item that is not there, wrapping ErrNotFound.
func NoItem(kind, id string) error {
	return fmt.Errorf("%w: no record %s/%s", ErrNotFound, kind, id)
}
