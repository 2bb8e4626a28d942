package cachestrategy

import (
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Defaults of lifetimes.
const (
	DefaultTTL    = time.Minute
	DefaultMargin = 0.1 // of the TTL
	MaxMargin     = 30 * time.Second
)

// Margin returns how long before its end an entry of a given lifetime is to be
// renewed: a fraction of the lifetime, at most MaxMargin.
func Margin(ttl time.Duration, fraction float64) time.Duration {
	return min(time.Duration(float64(ttl)*fraction), MaxMargin)
}

// Lifetime is how long an entry is good for, counted from the instant at which its
// origin vouched for it, and how long before its end it is not used without asking.
type Lifetime struct {
	TTL    time.Duration // 0: not said
	Margin time.Duration // 0: Part of the TTL
	Part   float64       // of the TTL, at most MaxMargin of it; 0: not said
}

// Check returns an error where the lifetime leaves nothing to be used.
func (l Lifetime) Check() error {
	switch {
	case l.TTL < 0 || l.Margin < 0 || l.Part < 0 || l.Part >= 1:
		return fmt.Errorf("%w lifetime: TTL %v, margin %v or %v of it; want nothing below 0, and a part below 1", flags.ErrInvalid, l.TTL, l.Margin, l.Part)
	case l.TTL > 0 && l.Margin >= l.TTL:
		return fmt.Errorf("%w lifetime: a margin of %v leaves nothing of a TTL of %v; want a margin below the TTL", flags.ErrInvalid, l.Margin, l.TTL)
	default:
		return nil
	}
}

// over returns l where it says a TTL. A margin alone is kept if it fits the
// lifetime below: a margin belongs to the TTL it was chosen for.
func (l Lifetime) over(below Lifetime) Lifetime {
	if l.TTL > 0 {
		return l
	}
	if own := (Lifetime{below.TTL, l.Margin, l.Part}); (l.Margin > 0 || l.Part > 0) && own.Check() == nil {
		return own
	}
	return below
}

// settled returns the lifetime with TTL and Margin filled in.
func (l Lifetime) settled() Lifetime {
	if l.TTL <= 0 {
		l.TTL = DefaultTTL
	}
	if l.Part <= 0 {
		l.Part = DefaultMargin
	}
	if l.Margin <= 0 {
		l.Margin = Margin(l.TTL, l.Part)
	}
	if l.Margin >= l.TTL { // a margin alone, longer than the default TTL
		l.Margin = Margin(l.TTL, DefaultMargin)
	}
	return l
}

// OtherSets is the key in Lifetimes.Sets for sets that have no entry of their own.
const OtherSets = "default"

// Lifetimes says how long the entry of each set is good for. What speaks of the very
// set goes first, then what speaks of all sets, and in each case the operator of the
// process before everybody else:
//
//  1. Sets[set]
//  2. the set's own metadata, cacheTTL and cacheMargin
//  3. Sets["default"]
//  4. Base
//  5. 60 s, of which the last 10 % (at most 30 s) are the margin
//
// The first that says a TTL decides about both; a margin without a TTL goes with the
// TTL of the next one that has one.
type Lifetimes struct {
	Sets map[string]Lifetime
	Base Lifetime
}

// Check returns an error for a lifetime that leaves nothing to be used.
func (l Lifetimes) Check() error {
	for set, life := range l.Sets {
		if err := flags.CheckSetName(set); err != nil {
			return err
		}
		if err := life.Check(); err != nil {
			return fmt.Errorf("set %q: %w", set, err)
		}
	}
	return l.Base.settledTTL().Check()
}

// settledTTL is for checking a margin that goes with the default TTL.
func (l Lifetime) settledTTL() Lifetime {
	if l.TTL == 0 {
		l.TTL = DefaultTTL
	}
	return l
}

// Of returns TTL and margin of a set whose metadata say what is given.
func (l Lifetimes) Of(set string, metadata Lifetime) Lifetime {
	life := l.Sets[OtherSets].over(l.Base.settledTTL())
	if metadata.Check() == nil {
		life = metadata.over(life)
	}
	return l.Sets[set].over(life).settled()
}

// OfSnapshot is Of for a set as a client holds it.
func (l Lifetimes) OfSnapshot(s *flags.Snapshot) (ttl, margin time.Duration) {
	var said Lifetime
	said.TTL, said.Part, said.Margin = s.CacheLifetime()
	life := l.Of(s.Head().Set, said)
	return life.TTL, life.Margin
}
