package mongostore

import "github.com/holdfast-flags/holdfast/flags"

// mostIDs bounds the memory that a long history takes.
const mostIDs = 100_000

// keptIDs is how many of a set's newest commits are known by their ids.
func (s *Store) keptIDs() int { return min(s.opts.KeepCommits, mostIDs) + 2*s.tuning.every }

// idIndex knows the newest commits of a set by their ids.
type idIndex struct {
	versions map[flags.CommitID]flags.Version
	ids      map[flags.Version]flags.CommitID
	order    []flags.Version
}

func newIDIndex() *idIndex {
	return &idIndex{versions: map[flags.CommitID]flags.Version{}, ids: map[flags.Version]flags.CommitID{}}
}

func (x *idIndex) add(id flags.CommitID, v flags.Version) {
	if _, there := x.ids[v]; there {
		return
	}
	x.versions[id], x.ids[v] = v, id
	x.order = append(x.order, v)
}

// keep forgets all but the n newest, in steps, so that it costs each commit a constant.
func (x *idIndex) keep(n int) {
	if len(x.order) <= n+n/4 {
		return
	}
	drop := len(x.order) - n
	for _, v := range x.order[:drop] {
		delete(x.versions, x.ids[v])
		delete(x.ids, v)
	}
	x.order = append([]flags.Version(nil), x.order[drop:]...)
}
