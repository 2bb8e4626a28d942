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
