package hub

import (
	"context"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// mostBehind is how many revisions behind a client still gets commits rather than
// a snapshot, as long as they are the smaller.
const mostBehind = 2000

// LeadOn is Lead, except that a client which has been away for longer than the
// feed goes back gets what it missed from the journal, where that is less than
// everything.
func (s *Set) LeadOn(ctx context.Context, journal store.History, have flags.Head) store.Lead {
	lead := s.Lead(have)
	at := lead.Head
	if lead.Base == nil || have.Version.IsZero() || have.Lineage != at.Lineage || have.Epoch != at.Epoch ||
		at.Revision <= have.Revision || at.Revision-have.Revision > mostBehind {
		return lead
	}
	whole, err := lead.Base.Encoded()
	if err != nil {
		return lead
	}
	records, err := missed(ctx, journal, have, at.Version, len(whole))
	if err != nil || len(records) == 0 {
		return lead
	}
	lead.Base, lead.Reset, lead.Records = nil, "", records
	return lead
}

// missed returns the commits after have up to a version; none where they are
// more than so many bytes, or where have is not what the journal says it was.
func missed(ctx context.Context, journal store.History, have flags.Head, to flags.Version, most int) ([]store.Record, error) {
	var out []store.Record
	from := have.Version
	for size := 0; from.Compare(to) <= 0; {
		commits, err := journal.Commits(ctx, have.Set, from, to, 0)
		if err != nil || len(commits) == 0 {
			return nil, err
		}
		if from == have.Version {
			first := commits[0].Head()
			if first.Version != have.Version || first.Digest != have.Digest || first.Count != have.Count {
				return nil, nil
			}
			commits = commits[1:]
			from.Revision++
		}
		for _, c := range commits {
			r, err := store.NewRecord(c)
			if size += len(r.Bytes); err != nil || size > most || c.Version != from {
				return nil, err
			}
			out = append(out, r)
			from.Revision++
		}
	}
	return out, nil
}

// At returns the head that the set had at v, as far as the feed or the journal go
// back; false where neither knows it.
func (s *Set) At(ctx context.Context, journal store.History, v flags.Version) (flags.Head, bool) {
	if head, ok := s.feed.At(v); ok {
		return head, true
	}
	commits, err := journal.Commits(ctx, s.name, v, v, 1)
	if err != nil || len(commits) != 1 || commits[0].Version != v {
		return flags.Head{}, false
	}
	return commits[0].Head(), true
}
