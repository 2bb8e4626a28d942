package cachestrategy

import "github.com/holdfast-flags/holdfast/flags"

// Refused applies the guard that every cache keeps: one history, and never back
// in it. The mark is the newest version that the cache has or had of the set. It
// returns ok false and the outcome where the offer is to be refused.
func (o *Offer) Refused(mark flags.Head) (outcome Outcome, refused bool) {
	switch foreign := mark.Lineage != o.Head.Lineage; {
	case mark.Version.IsZero() || foreign && (o.Authoritative || o.Origin):
		return Stored, false
	case foreign:
		return Conflict, true
	case o.Head.Version.Before(mark.Version):
		return Older, true
	case o.Head.Version == mark.Version && !SameHead(o.Head, mark) && !o.Origin:
		return Conflict, true
	default:
		return Stored, false
	}
}
