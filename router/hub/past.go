package hub

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// pastFor is how long the part of a journal that was read for one client is kept
// for others: after a restart or a cut a whole fleet comes back within seconds.
const pastFor = 10 * time.Second

// past is the part of a set's journal that was last read for a client further
// behind than the feed goes back. One client reads at a time, and the others take
// what it read: any number of clients equally far behind cost one read, and any
// number at different places cost few, for only one further behind than all
// before it reads again.
type past struct {
	turn chan struct{} // holds a token while somebody reads or looks

	records  []store.Record // dense; the first is what the client that was furthest behind has
	hopeless flags.Version  // up to here, what came since is more than the whole set
	forget   *time.Timer
}

func newPast() *past {
	p := &past{turn: make(chan struct{}, 1)}
	p.forget = time.AfterFunc(pastFor, p.clear)
	return p
}

func (p *past) clear() {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	p.records, p.hopeless = nil, flags.Version{}
}

// after returns the commits after have up to a recent head of the feed; none where
// they are more than so many bytes, or where have is not what the journal says it
// was.
func (p *past) after(ctx context.Context, journal store.History, feed *store.Feed, have flags.Head, most int) ([]store.Record, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if !p.hopeless.Before(have.Version) {
		return nil, nil
	}
	if !p.leads(feed, have) {
		if err := p.read(ctx, journal, have, feed.Head().Version, most); err != nil {
			return nil, err
		}
	}
	i, found := slices.BinarySearchFunc(p.records, have.Version, func(r store.Record, v flags.Version) int { return r.Commit.Compare(v) })
	if !found {
		return nil, nil
	}
	if at := p.records[i].Commit.Head(); at.Digest != have.Digest || at.Count != have.Count {
		return nil, nil
	}
	return slices.Clone(p.records[i+1:]), nil
}

// leads reports whether what is kept leads on from have to where the feed begins.
func (p *past) leads(feed *store.Feed, have flags.Head) bool {
	if len(p.records) == 0 || have.Version.Before(p.records[0].Commit.Version) {
		return false
	}
	rest := feed.Lead(p.records[len(p.records)-1].Commit.Head())
	return rest.Base == nil
}

// read replaces what is kept by the journal from have to a version.
func (p *past) read(ctx context.Context, journal store.History, have flags.Head, to flags.Version, most int) error {
	p.records = nil
	p.forget.Reset(pastFor)
	from, size := have.Version, 0
	var records []store.Record
	for from.Compare(to) <= 0 {
		commits, err := journal.Commits(ctx, have.Set, from, to, 0)
		if err != nil || len(commits) == 0 {
			return err
		}
		for _, c := range commits {
			r, err := store.NewRecord(c)
			if err != nil || c.Version != from {
				return err
			}
			if len(records) > 0 { // the first one is what the client has
				size += len(r.Bytes)
			}
			if size > most {
				p.hopeless = have.Version
				return nil
			}
			records = append(records, r)
			from.Revision++
		}
	}
	p.records = records
	return nil
}
