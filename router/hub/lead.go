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
	records, err := s.past.after(ctx, journal, s.feed, have, len(whole))
	if err != nil || len(records) == 0 {
		return lead
	}
	// The journal was perhaps read for somebody else; what came since is in the feed.
	rest := s.Lead(records[len(records)-1].Commit.Head())
	if rest.Base != nil || sizeOf(records)+sizeOf(rest.Records) > len(whole) {
		return lead
	}
	rest.Records = append(records, rest.Records...)
	return rest
}

func sizeOf(records []store.Record) (n int) {
	for _, r := range records {
		n += len(r.Bytes)
	}
	return n
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
