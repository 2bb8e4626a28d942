package store

import (
	"context"
	"errors"

	"github.com/holdfast-flags/holdfast/flags"
)

// Before is what a change replaced.
type Before struct {
	Bytes []byte // nil: there was none
	Known bool   // false: the journal does not go back that far, or not within the bound
}

// readBack is how many commits are read at a time on the way back.
const readBack = 256

// Befores returns what each change of each commit replaced. The commits are of one set,
// oldest first; some between them may be left out. The journal is read backwards from
// the last one, as far as it takes and at most so many commits that are not given.
func Befores(ctx context.Context, h History, commits []flags.Commit, most int) ([][]Before, error) {
	out := make([][]Before, len(commits))
	for i := range commits {
		out[i] = make([]Before, len(commits[i].Changes))
	}
	for end := len(commits); end > 0; {
		begin := end - 1
		for begin > 0 && commits[begin-1].Epoch == commits[end-1].Epoch {
			begin-- // nothing lasts from one epoch to the next
		}
		b := backwards{given: commits[begin:end], out: out[begin:end], open: map[flags.EntryKey]*Before{}, left: most}
		if err := b.walk(ctx, h); err != nil {
			return nil, Classify("store: what was before in "+commits[0].Set, err)
		}
		most, end = b.left, begin
	}
	return out, nil
}

// backwards walks through one epoch, the newest commit first.
type backwards struct {
	given []flags.Commit // those that are still to be met, the last one next
	out   [][]Before     // of each of them
	open  map[flags.EntryKey]*Before
	left  int
	above *flags.Commit // the one of the given that was met last
}

func (b *backwards) walk(ctx context.Context, h History) error {
	set, at := b.given[0].Set, b.given[len(b.given)-1].Version
	for at.Revision > 0 && len(b.given)+len(b.open) > 0 {
		if n := len(b.given); n > 0 && b.given[n-1].Version == at {
			b.meet(&b.given[n-1])
			at.Revision--
			continue
		}
		read, err := b.read(ctx, h, set, at)
		if err != nil || len(read) == 0 {
			return err
		}
		for i := len(read) - 1; i >= 0 && len(b.given)+len(b.open) > 0; i-- {
			b.meet(&read[i])
			at.Revision--
		}
	}
	for _, before := range b.open { // the epoch has begun without them
		if at.Revision == 0 {
			before.Known = true
		}
	}
	return nil
}

// read returns the commits that end with at, as many as there are and may be read.
func (b *backwards) read(ctx context.Context, h History, set string, at flags.Version) ([]flags.Commit, error) {
	n := min(at.Revision, readBack, uint64(max(b.left, 0)))
	if given := len(b.given); given > 0 {
		n = min(n, at.Revision-b.given[given-1].Revision)
	}
	if n == 0 {
		return nil, nil
	}
	from := flags.Version{Epoch: at.Epoch, Revision: at.Revision - n + 1}
	var commits []flags.Commit
	take := func(c *flags.Commit) { commits = append(commits, *c) }
	err := EachCommit(ctx, h, set, from, at, take)
	if errors.Is(err, ErrCompacted) {
		err = EachCommit(ctx, h, set, flags.Version{}, at, take)
	}
	b.left -= len(commits)
	return commits, err
}

// meet closes what is open of the entries that a commit changed, and opens its own
// changes where it is one of the given.
func (b *backwards) meet(c *flags.Commit) {
	for _, m := range c.Changes {
		if before := b.open[m.Key]; before != nil {
			*before = Before{m.Bytes, true}
			delete(b.open, m.Key)
		}
	}
	if b.above != nil && b.above.Revision == c.Revision+1 && allNew(c, b.above) {
		for _, m := range b.above.Changes {
			if before := b.open[m.Key]; before != nil {
				before.Known = true
				delete(b.open, m.Key)
			}
		}
	}
	n := len(b.given)
	if n == 0 || b.given[n-1].Version != c.Version {
		return
	}
	for i, m := range c.Changes {
		b.open[m.Key] = &b.out[n-1][i]
	}
	b.given, b.out, b.above = b.given[:n-1], b.out[:n-1], c
}

// allNew reports whether next changed nothing that was there, as the numbers of entries
// tell. Without it, what was created last would have the whole journal read.
func allNew(c, next *flags.Commit) bool {
	set := 0
	for _, m := range next.Changes {
		if m.Bytes != nil {
			set++
		}
	}
	return next.Count-c.Count == set
}
