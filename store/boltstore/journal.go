package boltstore

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// journal is one set in memory. All but the feed's reading side belongs to the
// writer goroutine.
type journal struct {
	contents *flags.Contents // with what is staged
	feed     *store.Feed     // what is on disk; nil until the first commit is

	// What was published since the keeper was last told.
	commits, bytes int

	// What the transaction under way adds.
	staged []store.Record
	seed   *seed // if not nil, replaces all before staged
}

// seed is a checkpoint that a replica begins at, with its encoded form.
type seed struct {
	*flags.Checkpoint
	bytes []byte
}

func newJournal(set string) *journal { return &journal{contents: flags.NewContents(set)} }

// moves reports whether anything is staged.
func (j *journal) moves() bool { return j.seed != nil || len(j.staged) > 0 }

// unstage puts the contents back to what is staged, after one member of a group
// failed half-way, and returns why it did.
func (j *journal) unstage(why error) error {
	contents, err := j.settled()
	for i := 0; i < len(j.staged) && err == nil; i++ {
		err = contents.Apply(&j.staged[i].Commit)
	}
	if err != nil {
		return fmt.Errorf("%w (and going back: %w)", why, err)
	}
	j.contents = contents
	return why
}

// settled returns the contents before anything staged.
func (j *journal) settled() (*flags.Contents, error) {
	switch {
	case j.seed != nil:
		return flags.ContentsOf(j.seed.Checkpoint), nil
	case j.feed != nil:
		return j.feed.Contents()
	default:
		return flags.NewContents(j.contents.Head().Set), nil
	}
}

// publish shows readers what the transaction has made durable.
func (j *journal) publish() {
	if j.seed != nil {
		if j.feed == nil {
			j.feed = store.NewFeed(j.seed.Checkpoint)
		} else {
			j.feed.Restart(j.seed.Checkpoint)
		}
	}
	if j.feed == nil {
		// A reader must not be led to the nothing before the first commit.
		j.feed = store.NewFeed(j.contents.Checkpoint(), j.staged...)
	} else {
		j.feed.Publish(j.contents, j.staged...)
	}
	for _, r := range j.staged {
		j.commits, j.bytes = j.commits+1, j.bytes+len(r.Bytes)
	}
	j.staged, j.seed = nil, nil
}

// reload goes on from what the file turned out to hold after a transaction whose
// outcome is unknown.
func (j *journal) reload(l *loaded) {
	j.staged, j.seed, j.contents = nil, nil, l.contents
	if j.feed == nil {
		j.feed = l.journal().feed
		return
	}
	if j.feed.Head() != l.contents.Head() {
		j.feed.Restart(l.contents.Checkpoint())
	}
}
