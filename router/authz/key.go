package authz

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/holdfast-flags/holdfast/flags"
)

// Key is an API key as it is kept: not its secret, but what a secret is checked against.
type Key struct {
	ID   string   `json:"id"`
	Name string   `json:"name,omitempty"` // for people; unique among living keys
	Role Role     `json:"role"`
	Sets []string `json:"sets,omitempty"` // sorted; empty: all
	// Hash is the SHA-256 of the secret. The secret has 256 random bits, so that a slow
	// hash would protect nothing that a fast one does not.
	Hash      []byte    `json:"hash"`
	Rate      int       `json:"rate,omitempty"` // requests per second; 0: any number
	Expires   time.Time `json:"expires,omitzero"`
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"createdBy,omitempty"`
	Revoked   time.Time `json:"revoked,omitzero"`
	RevokedBy string    `json:"revokedBy,omitempty"`

	// LastUsed is kept apart, and is up to a minute behind.
	LastUsed time.Time `json:"-"`
}

// State returns what has become of a key: active, expired or revoked.
func (k *Key) State(now time.Time) string {
	switch {
	case !k.Revoked.IsZero():
		return "revoked"
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return "expired"
	}
	return "active"
}

// Bounds of keys.
const (
	maxKeyName = 100 // bytes
	maxKeySets = 100

	idBytes, secretBytes = 6, 32
	idLen, secretLen     = 10, 52 // in base32
	keyPrefix            = "hf_"
)

var text32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// draw returns a new id and secret.
func draw() (id string, secret []byte) {
	b := make([]byte, idBytes+secretBytes)
	_, _ = rand.Read(b) // documented never to fail
	return text32.EncodeToString(b[:idBytes]), b[idBytes:]
}

// keyText is what is shown once: hf_ID_SECRET.
func keyText(id string, secret []byte) string {
	return keyPrefix + id + "_" + text32.EncodeToString(secret)
}

var errKeyForm = fmt.Errorf("%w: that is no API key; want hf_ID_SECRET as it was shown when it was made", ErrUnauthenticated)

// parseKey reads what keyText wrote. The error says nothing of what was in it.
func parseKey(text string) (id string, secret []byte, err error) {
	rest, ok := strings.CutPrefix(text, keyPrefix)
	if !ok || len(rest) != idLen+1+secretLen || rest[idLen] != '_' {
		return "", nil, errKeyForm
	}
	id = rest[:idLen]
	if strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return "", nil, errKeyForm
	}
	if secret, err = text32.DecodeString(rest[idLen+1:]); err != nil || len(secret) != secretBytes {
		return "", nil, errKeyForm
	}
	return id, secret, nil
}

func hashOf(secret []byte) []byte {
	sum := sha256.Sum256(secret)
	return sum[:]
}

// noHash is compared with where there is no such key, so that asking takes as long.
var noHash = make([]byte, sha256.Size)

func sameHash(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// check finds what no key can be. The error wraps flags.ErrInvalid.
func (k *Key) check() error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if _, err := ParseRole(string(k.Role)); err != nil {
		faults = append(faults, err)
	}
	if bad := func(r rune) bool { return !unicode.IsPrint(r) }; len(k.Name) > maxKeyName || strings.ContainsFunc(k.Name, bad) {
		fault("name %.40q: want at most %d bytes that can be printed", k.Name, maxKeyName)
	}
	if len(k.Sets) > maxKeySets {
		fault("%d sets: want at most %d", len(k.Sets), maxKeySets)
	}
	for _, set := range k.Sets {
		if err := flags.CheckSetName(set); err != nil {
			faults = append(faults, err)
		}
	}
	if k.Rate < 0 || k.Rate > 1_000_000 {
		fault("rate %d: want 0 (any) to 1000000 requests per second", k.Rate)
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: API key: %w", flags.ErrInvalid, errors.Join(faults...))
}

// normal sorts the sets and drops what is there twice.
func (k *Key) normal() {
	k.Sets = slices.Clone(k.Sets)
	slices.Sort(k.Sets)
	k.Sets = slices.Compact(k.Sets)
}

func decodeKey(id string, data []byte) (*Key, error) {
	k := &Key{}
	if err := json.Unmarshal(data, k); err != nil {
		return nil, fmt.Errorf("API key %s: %w", id, err)
	}
	if k.ID != id || len(k.Hash) != sha256.Size {
		return nil, fmt.Errorf("API key %s: %w: it says it is %.40q with a hash of %d bytes", id, flags.ErrFormat, k.ID, len(k.Hash))
	}
	return k, k.check()
}
