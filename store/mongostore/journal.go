package mongostore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/holdfast-flags/holdfast/flags"
)

// errTaken: there is a commit at this place already.
var errTaken = errors.New("place in the journal is taken")

// smallCommit is the encoded size up to which inserting a commit is no bulk.
const smallCommit = 64 << 10

// journalDoc is a document of the journal.
type journalDoc struct {
	ID      string `bson:"_id"`
	Lineage string `bson:"lineage"`
	CID     []byte `bson:"cid"`    // the commit's id
	Before  []byte `bson:"before"` // digest of the set before this commit: proves that it follows what a reader has
	Data    []byte `bson:"data"`   // the commit
}

// record is an accepted commit in its stored forms.
type record struct {
	commit flags.Commit
	doc    journalDoc
}

func newRecord(c flags.Commit, before flags.Digest) (record, error) {
	data, err := c.MarshalBinary()
	return record{c, journalDoc{
		ID: journalKey(c.Set, c.Version), Lineage: string(c.Lineage), CID: c.ID[:], Before: before.Bytes(), Data: data,
	}}, err
}

// parse decodes the document and checks that it is where it belongs. The error
// wraps flags.ErrFormat.
func (d *journalDoc) parse() (flags.Commit, error) {
	var c flags.Commit
	if err := c.UnmarshalBinary(d.Data); err != nil {
		return c, unreadable(d.ID, err)
	}
	if journalKey(c.Set, c.Version) != d.ID || string(c.Lineage) != d.Lineage || string(c.ID[:]) != string(d.CID) {
		return c, fmt.Errorf("%w: commit %s in the document %s", flags.ErrFormat, c.Head().Token(), d.ID)
	}
	return c, nil
}

// unreadable says that what is stored under an id cannot be read. Nothing there may be
// too large: that is what writers are told of what they want to store.
func unreadable(id string, err error) error {
	if errors.Is(err, flags.ErrTooLarge) {
		return fmt.Errorf("%w: %s: %s", errTooMuch, id, err.Error())
	}
	return fmt.Errorf("%s: %w", id, err)
}

// insert is the compare-and-append. The error is errTaken where another was first.
func (s *Store) insert(ctx context.Context, r record) error {
	if len(r.doc.Data) <= smallCommit {
		var cancel context.CancelFunc
		ctx, cancel = s.promptly(ctx)
		defer cancel()
	}
	_, err := s.journal.InsertOne(ctx, r.doc)
	if mongo.IsDuplicateKeyError(err) {
		return errTaken
	}
	return err
}

// scan yields the documents that match, in order, however many they are: whoever
// keeps what they hold has to bound it.
func (s *Store) scan(ctx context.Context, filter bson.D, limit int) iter.Seq2[journalDoc, error] {
	return each[journalDoc](ctx, s.journal, 0, filter, options.Find().SetSort(byID1).SetLimit(int64(limit)))
}

// scanFields is scan, with some fields of the documents only.
func (s *Store) scanFields(ctx context.Context, filter bson.D, names ...string) iter.Seq2[journalDoc, error] {
	fields := bson.D{}
	for _, name := range names {
		fields = append(fields, bson.E{Key: name, Value: 1})
	}
	return each[journalDoc](ctx, s.journal, s.tuning.answerBytes, filter, options.Find().SetSort(byID1).SetProjection(fields))
}

// commitsBetween returns the commits that lead from one head to another. The
// error wraps flags.ErrGap where the journal does not reach back to from,
// flags.ErrDigest where it does not begin with its contents or does not end with
// those of to, flags.ErrFormat where a commit cannot be read or they are too many.
func (s *Store) commitsBetween(ctx context.Context, from, to flags.Head) ([]flags.Commit, error) {
	var commits []flags.Commit
	at, total := from, 0
	for d, err := range s.scan(ctx, after(to.Set, from.Version, to.Version), 0) {
		if err != nil {
			return nil, err
		}
		if d.Lineage != string(to.Lineage) {
			continue // left over from before a replica was seeded anew
		}
		c, err := d.parse()
		if err != nil {
			return nil, err
		}
		if err := follows(at, &c); err != nil {
			return nil, err
		}
		if string(d.Before) != string(at.Digest.Bytes()) && !s.tuning.gullible {
			return nil, fmt.Errorf("%w: %s does not follow %s with %s", flags.ErrDigest, c.Head().Token(), at.Token(), at.Digest)
		}
		if total += heldBy(&c, d.Data); total > s.tuning.answerBytes {
			return nil, tooMuch("journal", s.tuning.answerBytes)
		}
		commits, at = append(commits, c), c.Head()
	}
	if at == to || s.tuning.gullible && at.Version == to.Version {
		return commits, nil
	}
	reason := flags.ErrGap
	if at.Version == to.Version {
		reason = flags.ErrDigest
	}
	return nil, fmt.Errorf("%w: the journal of %q leads to %s with %s, not to the head, %s with %s",
		reason, to.Set, at.Token(), at.Digest, to.Token(), to.Digest)
}

// heldBy is about how many bytes a commit keeps in memory, which may be many times
// what it was decoded from.
func heldBy(c *flags.Commit, data []byte) int {
	const overhead = 512
	n := overhead + len(data)
	for _, change := range c.Changes {
		n += len(change.Bytes)
	}
	return n
}

// follows checks that c is the next commit after h.
func follows(h flags.Head, c *flags.Commit) error {
	next, err := h.NextVersion(c.Op)
	if err != nil {
		return err
	}
	if next != c.Version {
		return fmt.Errorf("%w: %s after %s", flags.ErrGap, c.Version, h.Version)
	}
	return nil
}
