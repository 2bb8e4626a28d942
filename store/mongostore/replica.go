package mongostore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Append is store.Replica's.
func (s *Store) Append(ctx context.Context, set string, commits []flags.Commit) error {
	if err := s.writable(ctx, "append "+set); err != nil {
		return err
	}
	if err := flags.CheckSetName(set); err != nil {
		return s.classify(ctx, ctx, "append", fmt.Errorf("%w: %w", store.ErrInvalid, err))
	}
	w := s.writer(set)
	return w.exclusively(ctx, "append", func(ctx context.Context) error { return w.append(ctx, commits) })
}

// append goes on as long as another mirror of the same origin gets in between.
func (w *writer) append(ctx context.Context, commits []flags.Commit) error {
	for {
		if err := w.load(ctx); err != nil {
			return err
		}
		before := w.contents.Head().Version
		err := w.appendOnce(ctx, commits)
		if err != nil {
			w.contents = nil // it may be half-way
		}
		if !errors.Is(err, errTaken) {
			return err
		}
		if err := w.load(ctx); err != nil {
			return err
		}
		if w.contents.Head().Version == before {
			return fmt.Errorf("%w: %w", flags.ErrLineage, err) // taken, by nothing that leads on
		}
	}
}

// appendOnce checks all commits before it inserts any.
func (w *writer) appendOnce(ctx context.Context, commits []flags.Commit) error {
	start := w.contents.Head()
	var docs []any
	for i := range commits {
		c := commits[i]
		if !start.Version.Before(c.Version) {
			if err := w.same(start, &c); err != nil {
				return err
			}
			continue
		}
		r, err := newRecord(c, w.contents.Head().Digest)
		if err != nil {
			return err
		}
		if err := w.take(c, len(r.doc.Data)); err != nil {
			return err
		}
		docs = append(docs, r.doc)
	}
	if len(docs) == 0 {
		return nil
	}
	if _, err := w.s.journal.InsertMany(ctx, docs); err != nil {
		if mongo.IsDuplicateKeyError(err) {
			return errTaken
		}
		return err
	}
	head := w.contents.Head()
	if _, err := w.s.raise(ctx, head); err != nil {
		return err
	}
	w.s.acknowledged(head)
	w.maintainLater()
	return nil
}

// same checks that a commit which should be here already is the one we have. One
// older than the journal reaches is taken at its lineage's word.
func (w *writer) same(head flags.Head, c *flags.Commit) error {
	ours, known := w.ids.ids[c.Version]
	if c.Lineage != head.Lineage || known && ours != c.ID || c.Version == head.Version && c.Digest != head.Digest {
		return fmt.Errorf("%w: another commit is at %s already", flags.ErrLineage, c.Head().Token())
	}
	return nil
}

// Seed is store.Replica's.
func (s *Store) Seed(ctx context.Context, cp *flags.Checkpoint) error {
	if err := s.writable(ctx, "seed "+cp.Set); err != nil {
		return err
	}
	if err := store.CheckSeed(cp); err != nil {
		return s.classify(ctx, ctx, "seed "+cp.Set, err)
	}
	w := s.writer(cp.Set)
	return w.exclusively(ctx, "seed", func(ctx context.Context) error { return w.seed(ctx, cp) })
}

// seed puts the checkpoint there, moves the head to it, and then removes what was
// before it. Until the head moves, readers get the old set, then the new one.
func (w *writer) seed(ctx context.Context, cp *flags.Checkpoint) error {
	w.contents = nil
	for range maxRebases {
		old, err := w.s.readHead(ctx, w.set)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil && !store.Reseeds(old, cp.Head) {
			return nil
		}
		// Only now: a seed that changes nothing shall write nothing.
		if err := w.s.putCheckpoint(ctx, cp); err != nil {
			return err
		}
		moved, err := w.s.replaceHead(ctx, old, cp.Head)
		if err != nil {
			return err
		}
		if moved {
			w.s.reset(cp.Head)
			return w.s.purge(ctx, cp)
		}
	}
	return fmt.Errorf("%w: the head of %q does not hold still", errTaken, w.set)
}

// purge removes what was before a seed.
func (s *Store) purge(ctx context.Context, cp *flags.Checkpoint) error {
	lineage := string(cp.Lineage)
	old := append(under(cp.Set), bson.E{Key: "$or", Value: bson.A{
		bson.D{{Key: "lineage", Value: bson.D{{Key: "$ne", Value: lineage}}}},
		bson.D{{Key: "_id", Value: bson.D{{Key: "$lte", Value: journalKey(cp.Set, cp.Version)}}}},
	}})
	if _, err := s.journal.DeleteMany(ctx, old); err != nil {
		return err
	}
	if err := s.segments.remove(ctx, under(cp.Set), s.tuning.step); err != nil {
		return err
	}
	return s.dropOtherCheckpoints(ctx, cp)
}

// dropOtherCheckpoints removes the checkpoints of other lineages, older ones, and
// those that say something else about the same version.
func (s *Store) dropOtherCheckpoints(ctx context.Context, cp *flags.Checkpoint) error {
	all, err := s.checkpoints.list(ctx, under(cp.Set))
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(m manifest) bool {
		h, err := parseHead(m.Head)
		return err == nil && m.Lineage == string(cp.Lineage) && (h == cp.Head || cp.Version.Before(h.Version))
	})
	for _, m := range all {
		if err := s.checkpoints.remove(ctx, byID(m.ID), s.tuning.step); err != nil {
			return err
		}
		if err := s.checkpoints.removeChunks(ctx, under(m.Blob)); err != nil {
			return err
		}
	}
	return nil
}
