package mongostore

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/holdfast-flags/holdfast/flags"
)

// Tune makes checkpoints and segments small, so that few commits go a long way.
func (s *Store) Tune(every, chunkBytes int) { s.tuning.every, s.tuning.chunkBytes = every, chunkBytes }

// Keep changes how much history is kept.
func (s *Store) Keep(commits int, age time.Duration) {
	s.opts.KeepCommits, s.opts.KeepFor = commits, age
}

// OnStep calls f after each step that another process may see.
func (s *Store) OnStep(f func(string) error) { s.tuning.step = f }

// Credulous switches off the check that an insert went into the history.
func (s *Store) Credulous() { s.tuning.credulous = true }

// Hasty lets a writer go on from commits whose head it could not raise.
func (s *Store) Hasty() { s.tuning.hasty = true }

// Forgetful lets the store believe any head that is stored.
func (s *Store) Forgetful() { s.tuning.forgetful = true }

// Gullible switches off the comparison of a commit with what it follows.
func (s *Store) Gullible() { s.tuning.gullible = true }

// Observed returns opts with a monitor of what is sent to the server.
func Observed(opts *Options, m *event.CommandMonitor) *Options {
	var out Options
	if opts != nil {
		out = *opts
	}
	out.monitor = m
	return &out
}

// Settle waits until maintenance has nothing more to do.
func (s *Store) Settle() { s.work.Wait() }

// Collection returns a collection of the store's database. What is sent by it can be
// told from what the store sends: it asks for other concerns.
func (s *Store) Collection(name string) *mongo.Collection {
	return s.heads.Database().Collection(name, options.Collection().SetReadConcern(readconcern.Local()).SetWriteConcern(writeconcern.W1()))
}

// Bound changes how many bytes an answer may be put together from.
func (s *Store) Bound(bytes int) { s.tuning.answerBytes = bytes }

// PutCheckpoint stores a checkpoint and nothing else.
func (s *Store) PutCheckpoint(ctx context.Context, cp *flags.Checkpoint) error {
	return s.putCheckpoint(ctx, cp)
}

// InsertCommit inserts a commit into the journal and nothing else.
func (s *Store) InsertCommit(ctx context.Context, c flags.Commit, before flags.Digest) error {
	r, err := newRecord(c, before)
	if err != nil {
		return err
	}
	return s.insert(ctx, r)
}

var (
	JournalKey = journalKey
	ParseHead  = parseHead
	HeadText   = headText
	CutCommit  = cutCommit
	AppendTo   = appendToSegment
	ClassOf    = classOf
)

// Sweep removes the records of a kind that are long gone at an instant.
func (s *Store) Sweep(ctx context.Context, kind string, now time.Time) error {
	return s.sweep(ctx, kind, now)
}
