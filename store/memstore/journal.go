package memstore

import (
	"fmt"
	"slices"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// journal is one set: its history, its contents and its readers. The store's
// lock guards all but the feed, which stays the same from the first commit on:
// readers use it without the lock.
type journal struct {
	contents *flags.Contents
	records  []store.Record
	floor    flags.Version // the commits up to here are forgotten
	ids      map[flags.CommitID]flags.Version
	feed     *store.Feed // nil until the first commit
}

func newJournal(set string) *journal {
	return &journal{contents: flags.NewContents(set), ids: map[flags.CommitID]flags.Version{}}
}

func (j *journal) byID(id flags.CommitID) (flags.Commit, bool) {
	v, ok := j.ids[id]
	if !ok {
		return flags.Commit{}, false
	}
	c, ok, _ := j.find(v) // cannot fail in memory
	return c, ok
}

func (j *journal) find(v flags.Version) (flags.Commit, bool, error) {
	i, found := j.search(v)
	if !found {
		return flags.Commit{}, false, nil
	}
	return j.records[i].Commit, true, nil
}

func (j *journal) search(v flags.Version) (int, bool) {
	return slices.BinarySearchFunc(j.records, v, func(r store.Record, v flags.Version) int { return r.Commit.Compare(v) })
}

func (j *journal) add(records []store.Record, keep int) {
	for _, r := range records {
		j.records = append(j.records, r)
		j.ids[r.Commit.ID] = r.Commit.Version
	}
	// In steps, so that forgetting costs each commit a constant.
	if len(j.records) > keep+keep/4 {
		j.compact(keep)
	}
}

func (j *journal) compact(keep int) {
	drop := len(j.records) - keep
	if drop <= 0 {
		return
	}
	for _, r := range j.records[:drop] {
		delete(j.ids, r.Commit.ID)
	}
	j.floor = j.records[drop-1].Commit.Version
	j.records = slices.Clone(j.records[drop:])
}

// between returns the commits with from <= version <= to.
func (j *journal) between(from, to flags.Version, limit int) ([]flags.Commit, error) {
	if !from.IsZero() && !j.floor.IsZero() && !j.floor.Before(from) {
		return nil, fmt.Errorf("%w: the journal of %q begins after %s", store.ErrCompacted, j.contents.Head().Set, j.floor)
	}
	if limit <= 0 {
		limit = 1024
	}
	i, _ := j.search(from)
	var out []flags.Commit
	for ; i < len(j.records) && len(out) < limit && !to.Before(j.records[i].Commit.Version); i++ {
		out = append(out, j.records[i].Commit)
	}
	return out, nil
}
