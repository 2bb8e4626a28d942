package mongostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// headDoc is a document of the collection heads. The lineage stands beside the
// head so that a writer of another history cannot raise it.
type headDoc struct {
	ID      string `bson:"_id"`
	Lineage string `bson:"lineage"`
	Head    string `bson:"head"`
}

func (d *headDoc) parse() (flags.Head, error) {
	h, err := parseHead(d.Head)
	if err == nil && (h.Set != d.ID || string(h.Lineage) != d.Lineage) {
		err = fmt.Errorf("%w: head of %s in the document of %q", flags.ErrFormat, h.Token(), d.ID)
	}
	return h, err
}

// readHead returns the head as it is stored. The error wraps store.ErrNotFound
// where there is none.
func (s *Store) readHead(ctx context.Context, set string) (flags.Head, error) {
	ctx, cancel := s.promptly(ctx)
	defer cancel()
	doc, err := one[headDoc](ctx, s.heads, byID(set))
	if errors.Is(err, mongo.ErrNoDocuments) {
		return flags.Head{}, fmt.Errorf("%w: no flag set %q", store.ErrNotFound, set)
	}
	if err != nil {
		return flags.Head{}, err
	}
	return doc.parse()
}

func (s *Store) readHeads(ctx context.Context) ([]flags.Head, error) {
	var heads []flags.Head
	for doc, err := range each[headDoc](ctx, s.heads, s.tuning.answerBytes, bson.D{}) {
		if err != nil {
			return nil, err
		}
		head, err := doc.parse()
		if err != nil {
			return nil, err
		}
		heads = append(heads, head)
	}
	slices.SortFunc(heads, func(a, b flags.Head) int { return cmp.Compare(a.Set, b.Set) })
	return heads, nil
}

// newestHead returns the head of a set, and never one older than this process
// has acknowledged while the journal still holds that: a secondary that lags, or
// a server whose updates are not quite atomic, must not take a write back.
func (s *Store) newestHead(ctx context.Context, set string) (flags.Head, error) {
	head, err := s.readHead(ctx, set)
	if err != nil {
		return head, err
	}
	s.mu.Lock()
	known := s.known[set]
	s.mu.Unlock()
	if s.tuning.forgetful || known.Lineage != head.Lineage || !head.Version.Before(known.Version) {
		return head, nil
	}
	found, err := s.journal.CountDocuments(ctx, byID(journalKey(set, known.Version)))
	switch {
	case err != nil:
		return head, err
	case found == 0: // restored from an older backup, or a server that lags
		return head, nil
	case s.opts.ReadOnly:
		return known, nil
	}
	return s.raise(ctx, known)
}

// raise lifts the stored head to h, if it is lower, and returns the one that is
// stored then. The error wraps flags.ErrLineage where the set is of another lineage.
func (s *Store) raise(ctx context.Context, h flags.Head) (flags.Head, error) {
	ctx, cancel := s.promptly(ctx)
	defer cancel()
	filter := bson.D{{Key: "_id", Value: h.Set}, {Key: "lineage", Value: string(h.Lineage)}}
	update := bson.D{{Key: "$max", Value: bson.D{{Key: "head", Value: headText(h)}}}}
	opts := options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)
	var doc headDoc
	var err error
	// A duplicate key is another lineage, or another writer who inserts the
	// document at this moment: then it is there the second time.
	for range 3 {
		err = s.heads.FindOneAndUpdate(ctx, filter, update, opts).Decode(&doc)
		if !mongo.IsDuplicateKeyError(err) {
			break
		}
	}
	if mongo.IsDuplicateKeyError(err) {
		return flags.Head{}, fmt.Errorf("%w: the set in the database is not %s", flags.ErrLineage, h.Token())
	}
	if err != nil {
		return flags.Head{}, err
	}
	return doc.parse()
}

// replaceHead moves the stored head from one to another of any version and
// lineage, old being zero where there is none. It reports whether old was there.
func (s *Store) replaceHead(ctx context.Context, old, h flags.Head) (bool, error) {
	doc := headDoc{ID: h.Set, Lineage: string(h.Lineage), Head: headText(h)}
	if old.Version.IsZero() {
		_, err := s.heads.InsertOne(ctx, doc)
		if mongo.IsDuplicateKeyError(err) {
			return false, nil
		}
		return err == nil, err
	}
	result, err := s.heads.ReplaceOne(ctx, bson.D{{Key: "_id", Value: h.Set}, {Key: "head", Value: headText(old)}}, doc)
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}
