package boltstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/store"
)

// A record rests as
//
//	format (1 byte, 1) | sum (16) | version (8) | expires, µs since 1970 (8; 0: never) | bytes
//
// The sum is the beginning of the SHA-256 of kind, id and all after it: a record that was
// damaged or moved is refused rather than believed.
const (
	itemFormat = 1
	itemSum    = 16
	itemFixed  = 1 + itemSum + 8 + 8
)

func encodeItem(it store.Item) []byte {
	out := make([]byte, itemFixed, itemFixed+len(it.Bytes))
	out[0] = itemFormat
	var expires int64
	if !it.Expires.IsZero() {
		expires = it.Expires.UnixMicro()
	}
	binary.BigEndian.PutUint64(out[1+itemSum:], it.Version)
	binary.BigEndian.PutUint64(out[1+itemSum+8:], uint64(expires))
	out = append(out, it.Bytes...)
	copy(out[1:], sumOf(it.Kind, it.ID, out[1+itemSum:]))
	return out
}

// decodeItem copies what it needs: values of a transaction are gone with it. The error
// wraps ErrCorrupt.
func decodeItem(kind, id string, value []byte) (store.Item, error) {
	if len(value) < itemFixed || value[0] != itemFormat {
		return store.Item{}, damagedItem(kind, id, errors.New("it is no record of this version"))
	}
	rest := value[1+itemSum:]
	if !bytes.Equal(value[1:1+itemSum], sumOf(kind, id, rest)) {
		return store.Item{}, damagedItem(kind, id, errors.New("it does not add up"))
	}
	it := store.Item{Kind: kind, ID: id, Version: binary.BigEndian.Uint64(rest), Bytes: bytes.Clone(rest[16:])}
	if expires := int64(binary.BigEndian.Uint64(rest[8:])); expires != 0 {
		it.Expires = time.UnixMicro(expires).UTC()
	}
	return it, nil
}

// sumOf has each part end where it ends: neither names contain the zero byte.
func sumOf(kind, id string, rest []byte) []byte {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\x00%s\x00", kind, id) // never fails
	_, _ = h.Write(rest)
	return h.Sum(nil)[:itemSum]
}

func damagedItem(kind, id string, why error) error {
	return fmt.Errorf("%w: record %s/%s: %w", ErrCorrupt, kind, id, why)
}
