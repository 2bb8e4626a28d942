package store

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
)

// CheckSeed returns what keeps a checkpoint from being the beginning of a
// replica. The error wraps ErrInvalid, flags.ErrFormat or flags.ErrDigest.
func CheckSeed(cp *flags.Checkpoint) error {
	if err := flags.CheckSetName(cp.Set); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if cp.Version.IsZero() || cp.Lineage == "" {
		return fmt.Errorf("%w: checkpoint of %q has no version or lineage", ErrInvalid, cp.Set)
	}
	return cp.Verify()
}

// Reseeds reports whether a replica at head must take over a checkpoint with the
// head seed: it is of another lineage, newer, or at the same version but different.
func Reseeds(head, seed flags.Head) bool {
	if head.Lineage != seed.Lineage {
		return true
	}
	switch head.Version.Compare(seed.Version) {
	case -1:
		return true
	case 0:
		return head.Digest != seed.Digest || head.Count != seed.Count
	default:
		return false
	}
}

// Take applies those of the commits that are new to the contents, and returns
// them as records. One that the contents are past already must be the one that
// at finds at its version; where at finds none, its lineage's word is taken.
//
// The error wraps flags.ErrGap, flags.ErrLineage, flags.ErrDigest,
// flags.ErrTooLarge or ErrInvalid, or is at's; the contents may then be half-way and must be
// put back by the caller.
func Take(contents *flags.Contents, commits []flags.Commit, at func(flags.Version) (flags.Commit, bool, error)) ([]Record, error) {
	var records []Record
	start := contents.Head()
	if err := flags.CheckSetName(start.Set); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for _, c := range commits {
		if !start.Version.Before(c.Version) {
			if err := sameCommit(start, c, at); err != nil {
				return nil, err
			}
			continue
		}
		record, err := NewRecord(c)
		if err != nil {
			return nil, err
		}
		if err := contents.Apply(&c); err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

func sameCommit(head flags.Head, c flags.Commit, at func(flags.Version) (flags.Commit, bool, error)) error {
	ours, known, err := at(c.Version)
	if err != nil {
		return err
	}
	if c.Lineage != head.Lineage || known && (ours.ID != c.ID || ours.Digest != c.Digest) {
		return fmt.Errorf("%w: another commit is at %s already", flags.ErrLineage, c.Head().Token())
	}
	return nil
}
