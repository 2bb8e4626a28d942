package flags

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Version places a commit in the history of its set. Epochs come first: the
// epoch rises when a set is restored or created again, and revisions count the
// commits of an epoch densely from 1. The zero Version is "nothing yet".
type Version struct {
	Epoch    uint64
	Revision uint64
}

// Compare returns -1, 0 or 1 as v is older than, equal to or newer than o.
func (v Version) Compare(o Version) int {
	return cmp.Or(cmp.Compare(v.Epoch, o.Epoch), cmp.Compare(v.Revision, o.Revision))
}

// Before reports whether v is older than o.
func (v Version) Before(o Version) bool { return v.Compare(o) < 0 }

// IsZero reports whether v is the version of a set that was never written.
func (v Version) IsZero() bool { return v == Version{} }

func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Epoch, v.Revision) }

// ParseVersion reads 2.57, or 57, which is of the epoch given: the forms in which people
// name a revision of a set they know the epoch of. The error wraps ErrInvalid.
func ParseVersion(text string, epoch uint64) (Version, error) {
	revision := text
	var err error
	if before, after, both := strings.Cut(text, "."); both {
		revision = after
		epoch, err = parseNumber(before)
	}
	v := Version{Epoch: epoch}
	if err == nil {
		v.Revision, err = parseNumber(revision)
	}
	if err != nil {
		return Version{}, fmt.Errorf("%w revision %q; want a number or epoch.revision", ErrInvalid, shorten(text))
	}
	return v, nil
}

// Lineage says which history a set belongs to: a random id minted when the set
// is first created and kept for ever after. Two sets of one name but different
// lineage (a wiped disk, another environment) are never mixed.
type Lineage string

const lineageAlphabet = "abcdefghjkmnpqrstuvwxyz23456789" // no 0 o 1 i l: people read tokens aloud

const lineageLength = 8

// NewLineage mints a lineage.
func NewLineage() Lineage {
	var b [lineageLength]byte
	for i := range b {
		b[i] = lineageAlphabet[randomIndex(len(lineageAlphabet))]
	}
	return Lineage(b[:])
}

// randomIndex draws uniformly from [0, n) for n <= 256, without modulo bias.
func randomIndex(n int) int {
	limit := 256 - 256%n
	var b [1]byte
	for {
		_, _ = rand.Read(b[:]) // documented never to fail
		if int(b[0]) < limit {
			return int(b[0]) % n
		}
	}
}

// Status is the condition of a set at a version.
type Status uint8

// The conditions.
const (
	StatusLive    Status = iota // can be written
	StatusSealed                // its epoch has ended; a restore goes on in the next one
	StatusDeleted               // has no entries, by a commit that says so
)

var statusNames = [...]string{"live", "sealed", "deleted"}

func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// Head describes a set at one version: which history, how far, and what its
// contents must add up to. The zero Head of a set name is "nothing yet".
type Head struct {
	Set     string
	Lineage Lineage
	Version
	Status Status
	Digest Digest
	Count  int       // entries
	Time   time.Time // of the commit, by its writer's clock; for people only
}

// Token returns the revision token of the head.
func (h Head) Token() Token { return Token{Set: h.Set, Version: h.Version, Lineage: h.Lineage} }

// Token is proof of a version: what a write returns and what a read may demand.
// Its text form is set@epoch.revision~lineage; the lineage may be left out on
// input, and then matches any.
type Token struct {
	Set string
	Version
	Lineage Lineage
}

func (t Token) String() string {
	if t.Lineage == "" {
		return fmt.Sprintf("%s@%s", t.Set, t.Version)
	}
	return fmt.Sprintf("%s@%s~%s", t.Set, t.Version, t.Lineage)
}

// ParseToken reads a token's text form. The error wraps ErrInvalid.
func ParseToken(s string) (Token, error) {
	bad := func(why string) (Token, error) {
		return Token{}, fmt.Errorf("%w token %q: %s; want set@epoch.revision~lineage", ErrInvalid, shorten(s), why)
	}
	set, rest, ok := strings.Cut(s, "@")
	if !ok {
		return bad("no @")
	}
	if err := CheckSetName(set); err != nil {
		return bad("bad set name")
	}
	rest, lineage, marked := strings.Cut(rest, "~")
	if marked && (len(lineage) != lineageLength || strings.Trim(lineage, lineageAlphabet) != "") {
		return bad("bad lineage")
	}
	epoch, revision, ok := strings.Cut(rest, ".")
	if !ok {
		return bad("no dot between epoch and revision")
	}
	e, err := parseNumber(epoch)
	if err != nil {
		return bad("bad epoch")
	}
	r, err := parseNumber(revision)
	if err != nil {
		return bad("bad revision")
	}
	return Token{Set: set, Version: Version{e, r}, Lineage: Lineage(lineage)}, nil
}

// parseNumber takes the one decimal form of a number only, so that a token has
// one text form: no sign, no leading zero.
func parseNumber(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err == nil && strconv.FormatUint(n, 10) != s {
		return 0, strconv.ErrSyntax
	}
	return n, err
}
