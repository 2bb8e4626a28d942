package flags

import (
	"cmp"
	"fmt"
	"strings"
)

// Kind says what an entry of a flag set is.
type Kind uint8

// The kinds. Their numbers are part of the digest and of every stored form.
const (
	KindFlag      Kind = 1 // Name is the flag key; bytes are its definition
	KindEvaluator Kind = 2 // Name is the evaluator's; bytes are its rule
	KindMetadata  Kind = 3 // Name is the metadata key of the set; bytes are a JSON scalar
	KindOverride  Kind = 4 // Name is the flag key, Entity the targeting key; bytes are {"variant":"..."}
)

var kindNames = map[Kind]string{KindFlag: "flag", KindEvaluator: "evaluator", KindMetadata: "metadata", KindOverride: "override"}

func (k Kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// EntryKey names an entry within its set. Names are compared byte by byte:
// case and Unicode form matter in every store alike.
type EntryKey struct {
	Kind   Kind
	Name   string
	Entity string // only for overrides: the targeting key
}

// FlagKey returns the key of the flag with the given name.
func FlagKey(name string) EntryKey { return EntryKey{Kind: KindFlag, Name: name} }

// OverrideKey returns the key of the override of a flag for one targeting key.
func OverrideKey(flag, entity string) EntryKey {
	return EntryKey{Kind: KindOverride, Name: flag, Entity: entity}
}

// Compare orders keys by kind, name and entity; checkpoints are sorted so.
func (k EntryKey) Compare(o EntryKey) int {
	return cmp.Or(cmp.Compare(k.Kind, o.Kind), strings.Compare(k.Name, o.Name), strings.Compare(k.Entity, o.Entity))
}

func (k EntryKey) String() string {
	if k.Kind == KindOverride {
		return fmt.Sprintf("override %q for %q", k.Name, k.Entity)
	}
	return fmt.Sprintf("%s %q", k.Kind, k.Name)
}

// Entry is one flag, evaluator, metadata value or override. Bytes are canonical
// JSON, the same everywhere, and must not be changed by anybody.
type Entry struct {
	Key      EntryKey
	Bytes    []byte
	Revision uint64 // of the commit that last changed it, within the set's epoch
}

// Mutation replaces one entry by full new bytes, or deletes it where Bytes is nil.
type Mutation struct {
	Key   EntryKey
	Bytes []byte
}

// Limits of names, in bytes.
const (
	MaxSetName  = 128
	MaxKeyBytes = 512
)

// CheckSetName returns an error wrapping ErrInvalid unless name can name a flag
// set: 1 to 128 of a-z A-Z 0-9 . _ -, beginning with a letter or digit.
func CheckSetName(name string) error {
	if name == "" || len(name) > MaxSetName {
		return fmt.Errorf("%w set name %q: want 1 to %d characters", ErrInvalid, name, MaxSetName)
	}
	for i := range len(name) {
		c := name[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || !strings.ContainsRune("._-", rune(c))) {
			return fmt.Errorf("%w set name %q: use a-z A-Z 0-9 . _ -, beginning with a letter or digit", ErrInvalid, name)
		}
	}
	return nil
}
