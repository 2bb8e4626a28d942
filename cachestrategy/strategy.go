package cachestrategy

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Strategy is one way to cache flag sets. Implementations classify their errors
// as *flags.SourceError, honour ctx, and are safe for concurrent use.
type Strategy interface {
	// Get returns the entry of a set, expired or not. The error wraps ErrMiss when
	// there is none and ErrDamaged when it cannot be trusted.
	Get(ctx context.Context, q Query) (Entry, error)
	// Put offers a version of a set. Being refused is an Outcome, not an error.
	Put(ctx context.Context, o Offer) (Outcome, error)
	// Invalidate drops the entry of a set. Which version it had is remembered, so
	// that an older one still cannot take its place.
	Invalidate(ctx context.Context, set string) error
	// Close frees what the cache holds. Idempotent.
	Close() error
}

// Query says what is wanted of a set.
type Query struct {
	Set string
	// Have is what the reader has already; zero: nothing. The entry then leads on
	// from there where it can.
	Have flags.Head
	// HeadOnly asks for the head and the instants alone.
	HeadOnly bool
}

// Entry is what a cache holds of one set. Its Update leads from what the query
// said the reader has to Head, as that of a flags.Source does; it carries neither
// checkpoint nor commits where the reader is at Head or past it. AsOf is always set.
type Entry struct {
	flags.Update
	ExpiresAt time.Time     // AsOf plus the TTL it was written with
	Margin    time.Duration // before ExpiresAt, in which it is not to be used without asking
}

// TTL returns the lifetime that the entry was given, counted from AsOf.
func (e Entry) TTL() time.Duration { return e.ExpiresAt.Sub(e.AsOf) }

// Usable reports whether the entry may still be used at an instant without
// asking its origin: until its margin before it expires.
func (e Entry) Usable(at time.Time) bool {
	return at.Before(e.ExpiresAt.Add(-e.Margin))
}

// UnknownAge is the age of an entry of the future: as old as caches keep what has expired.
const UnknownAge = 24 * time.Hour

// AgeOf returns the age of an entry that a machine wrote as of an instant of its own
// wall clock. Clocks that are kept right are less than a second apart; where the
// writer's is further ahead of ours nobody can tell the age, and the entry must not be taken for fresh.
func AgeOf(asOf time.Time) time.Duration {
	age := time.Since(asOf)
	if age < -time.Second {
		return UnknownAge
	}
	return max(0, age)
}

// Offer is a version of a set for a cache to keep.
type Offer struct {
	// Update leads to Head, by a checkpoint, or by commits from some earlier
	// version. AsOf is when the origin vouched for it; zero: now.
	flags.Update
	// TTL is the lifetime of the entry, counted from AsOf. Zero: DefaultTTL.
	TTL time.Duration
	// Margin is how long before its end the entry is not to be used without asking.
	// It is below TTL. Zero: DefaultMargin of the TTL.
	Margin time.Duration
	// Authoritative says that the lineage is known to be the right one, from a
	// primary or secondary: an entry of another is replaced.
	Authoritative bool
	// Origin says that the offer comes from who writes the set, so that other
	// contents at the same version are replaced. Nobody else can tell which is right.
	Origin bool
	// Full assembles the whole set at Head. It is called, at most once, where the
	// commits do not follow what the cache has. Nil: such commits are refused.
	Full func() *flags.Checkpoint
}

// Outcome is what became of an offer.
type Outcome uint8

// The outcomes.
const (
	Unchanged Outcome = iota // the cache has this version, as fresh or fresher
	Renewed                  // the cache has this version, now with the offer's instants
	Stored                   // the cache now has this version
	Older                    // refused: the cache has, or had, a newer version
	Conflict                 // refused: another lineage, other contents at the same version, or an entry of a newer format
	Gap                      // refused: the commits do not follow, and there was no Full
)

var outcomeNames = [...]string{"unchanged", "renewed", "stored", "older", "conflict", "gap"}

func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// Prepare returns the offer with its defaults filled in, or an error of
// ClassPermanent if it contradicts itself. Strategies call it first.
func (o Offer) Prepare() (Offer, error) {
	if o.AsOf.IsZero() {
		o.AsOf = time.Now()
	}
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	if o.Margin == 0 {
		o.Margin = Margin(o.TTL, DefaultMargin)
	}
	if err := flags.CheckSetName(o.Head.Set); err != nil {
		return o, invalid("%v", err)
	}
	if o.TTL < 0 || o.Head.Version.IsZero() || o.Head.Lineage == "" {
		return o, invalid("offer of %s with a TTL of %v", o.Head.Token(), o.TTL)
	}
	if o.Margin < 0 || o.Margin >= o.TTL {
		return o, invalid("a margin of %v with a TTL of %v", o.Margin, o.TTL)
	}
	return o, o.checkPath()
}

// checkPath refuses an update that does not lead to its head step by step.
func (o *Offer) checkPath() error {
	var at flags.Head
	if o.Checkpoint != nil {
		at = o.Checkpoint.Head
	}
	for i := range o.Commits {
		c := &o.Commits[i]
		if !at.Version.IsZero() {
			next, err := at.NextVersion(c.Op)
			if err != nil || next != c.Version || c.Lineage != at.Lineage {
				return invalid("commit %s after %s", c.Head().Token(), at.Token())
			}
		}
		at = c.Head()
	}
	if !at.Version.IsZero() && !SameHead(at, o.Head) {
		return invalid("an update that leads to %s and says %s", at.Token(), o.Head.Token())
	}
	return nil
}

// whole calls Full and checks that it is the offered version. The error is of
// ClassPermanent.
func (o *Offer) whole() (*flags.Checkpoint, error) {
	cp := o.Full()
	if cp == nil || !SameHead(cp.Head, o.Head) {
		return nil, invalid("the assembled set is not at %s", o.Head.Token())
	}
	return cp, nil
}

// joined makes one of checkpoint and commits. The error is of ClassPermanent.
func (o *Offer) joined() (*flags.Checkpoint, error) {
	contents := flags.ContentsOf(o.Checkpoint)
	for i := range o.Commits {
		if err := contents.Apply(&o.Commits[i]); err != nil {
			return nil, invalid("%v", err)
		}
	}
	return contents.Checkpoint(), nil
}

// SameHead reports whether two heads are one version of one set with the same
// contents. The time, which is for people, may differ.
func SameHead(a, b flags.Head) bool {
	a.Time, b.Time = time.Time{}, time.Time{}
	return a == b
}
