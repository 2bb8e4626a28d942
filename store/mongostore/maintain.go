package mongostore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/holdfast-flags/holdfast/flags"
)

// maintainLater writes a checkpoint in the background once it is due, and packs
// what it makes superfluous. Any writer may do it, several at once and any of
// them only half: every step leaves something from which all can be read, and
// what is left undone is done the next time.
func (w *writer) maintainLater() {
	if w.since < w.s.tuning.every && w.bytes < w.s.tuning.tailBytes {
		return
	}
	cp, counted := w.contents.Checkpoint(), w.counted
	w.since, w.bytes, w.counted = 0, 0, cp.Version
	w.s.inBackground(func(ctx context.Context) {
		if err := w.s.maintain(ctx, cp, counted); err != nil && w.s.life.Err() == nil {
			w.s.log.Warn("checkpoint not written, or not packed up to it; the next one makes up for it",
				"set", cp.Set, "at", cp.Token().String(), "error", err)
		}
	})
}

// inBackground runs f within the bulk budget, unless the store is closed; Close
// waits for it.
func (s *Store) inBackground(f func(context.Context)) {
	s.mu.Lock() // Close ends the store's life under it: nothing starts once Close waits
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		return
	}
	s.work.Go(func() {
		ctx, cancel := context.WithTimeout(s.life, s.opts.BulkTimeout)
		defer cancel()
		f(ctx)
	})
}

// maintain keeps a set small and quick to read. The order is what makes it safe to
// stop anywhere: nothing is removed before what replaces it can be found. Where
// another router has written a checkpoint after the version counted, from which
// this one began to count commits, there is nothing to do: of several that write
// to a set, the first to get there serves all.
func (s *Store) maintain(ctx context.Context, cp *flags.Checkpoint, counted flags.Version) error {
	versions, err := s.checkpointVersions(ctx, cp.Set, cp.Lineage)
	if err != nil || len(versions) > 0 && counted.Before(versions[len(versions)-1]) {
		return err
	}
	if err := s.putCheckpoint(ctx, cp); err != nil {
		return err
	}
	bound, err := s.packBound(ctx, cp.Set, cp.Lineage)
	if err != nil || bound.IsZero() {
		return err
	}
	if err := s.pack(ctx, cp.Set, cp.Lineage, bound); err != nil {
		return err
	}
	if err := s.dropCheckpoints(ctx, cp.Set, cp.Lineage); err != nil {
		return err
	}
	return s.forget(ctx, cp.Head)
}

func (s *Store) putCheckpoint(ctx context.Context, cp *flags.Checkpoint) error {
	data, err := cp.MarshalBinary()
	if err != nil {
		return err
	}
	m := manifest{
		ID:      lineageKey(cp.Set, cp.Lineage, cp.Version) + "/" + rand.Text(), // two at one version do no harm
		Lineage: string(cp.Lineage), Head: headText(cp.Head),
	}
	d := s.checkpoints.draft(m.ID, s.tuning.chunkBytes, s.tuning.step)
	if err := d.write(ctx, data); err != nil {
		return err
	}
	return d.finish(ctx, m)
}

// checkpointVersions returns the versions of which there is a checkpoint, in order.
func (s *Store) checkpointVersions(ctx context.Context, set string, l flags.Lineage) ([]flags.Version, error) {
	all, err := s.checkpoints.list(ctx, under(set+"/"+string(l)))
	if err != nil {
		return nil, err
	}
	versions := make([]flags.Version, len(all))
	for i, m := range all {
		h, err := parseHead(m.Head)
		if err != nil {
			return nil, fmt.Errorf("checkpoint %s: %w", m.ID, err)
		}
		versions[i] = h.Version
	}
	return slices.Compact(versions), nil
}

// lastButOne returns the version of the last checkpoint but one, zero where there
// are fewer than two.
func (s *Store) lastButOne(ctx context.Context, set string, l flags.Lineage) (flags.Version, error) {
	versions, err := s.checkpointVersions(ctx, set, l)
	if err != nil || len(versions) < 2 {
		return flags.Version{}, err
	}
	return versions[len(versions)-2], nil
}

// packBound returns the version up to which commits belong in segments and not in
// the journal: that of the last checkpoint but one, less what would make only
// part of a segment.
func (s *Store) packBound(ctx context.Context, set string, l flags.Lineage) (flags.Version, error) {
	v, err := s.lastButOne(ctx, set, l)
	v.Revision -= v.Revision % uint64(s.tuning.every)
	return v, err
}

// pack moves the journal up to bound into segments.
func (s *Store) pack(ctx context.Context, set string, l flags.Lineage, bound flags.Version) error {
	journal := between(set+"/", journalKey(set, bound)+"!")
	versions, err := s.toPack(ctx, journal, l)
	if err != nil || len(versions) == 0 {
		return err
	}
	for len(versions) > 0 {
		n := 1
		for n < len(versions) && s.segmentStart(versions[n]) == s.segmentStart(versions[0]) {
			n++
		}
		if err := s.putSegment(ctx, set, l, versions[:n]); err != nil {
			return err
		}
		versions = versions[n:]
	}
	if _, err := s.journal.DeleteMany(ctx, append(journal, bson.E{Key: "lineage", Value: string(l)})); err != nil {
		return err
	}
	return s.tuning.step("unjournal")
}

// toPack returns the versions of the commits that are to be packed, having looked at
// each: what cannot be read stays where it is. What lies before a gap was packed before
// and not removed, or was inserted too late and never acknowledged.
func (s *Store) toPack(ctx context.Context, journal bson.D, l flags.Lineage) ([]flags.Version, error) {
	var versions []flags.Version
	var last flags.Head
	for d, err := range s.scan(ctx, journal, 0) {
		if err != nil {
			return nil, err
		}
		if d.Lineage != string(l) {
			continue
		}
		c, err := d.parse()
		if err != nil {
			return nil, err
		}
		if follows(last, &c) != nil {
			versions = versions[:0]
		}
		versions, last = append(versions, c.Version), c.Head()
	}
	return versions, nil
}

// putSegment copies commits, dense and of one segment, from the journal.
func (s *Store) putSegment(ctx context.Context, set string, l flags.Lineage, versions []flags.Version) error {
	first, last := versions[0], versions[len(versions)-1]
	m := manifest{ID: lineageKey(set, l, s.segmentStart(first)), Lineage: string(l), First: versionKey(first)}
	segment := s.segments.draft(m.ID, s.tuning.chunkBytes, s.tuning.step)
	for d, err := range s.scan(ctx, between(journalKey(set, first), journalKey(set, last)+"!"), 0) {
		if err != nil {
			return err
		}
		if d.Lineage != string(l) {
			continue
		}
		c, err := d.parse()
		if err != nil {
			return err
		}
		if err := segment.write(ctx, appendToSegment(nil, d.Data)); err != nil {
			return err
		}
		m.IDs, m.Head = append(m.IDs, d.CID...), headText(c.Head())
	}
	if len(m.IDs) != len(versions)*len(flags.CommitID{}) {
		// Another router has packed it, or is about to replace the set.
		return errors.Join(fmt.Errorf("%w: the journal of %q changes under our hands", flags.ErrGap, set), segment.abandon(ctx))
	}
	return segment.finish(ctx, m)
}

// dropCheckpoints removes all but the last two, with chunks that a writer left
// behind when it died.
func (s *Store) dropCheckpoints(ctx context.Context, set string, l flags.Lineage) error {
	keep, err := s.lastButOne(ctx, set, l)
	if err != nil {
		return err
	}
	low := set + "/" + string(l) + "/"
	return s.checkpoints.remove(ctx, between(low, lineageKey(set, l, keep)), s.tuning.step)
}

// forget removes the segments that are neither among the newest KeepCommits
// commits nor younger than KeepFor nor held.
func (s *Store) forget(ctx context.Context, head flags.Head) error {
	hold, err := s.opts.Hold(ctx, head.Set)
	if err != nil {
		return fmt.Errorf("nothing is forgotten: %w", err)
	}
	prefix := head.Set + "/" + string(head.Lineage)
	all, err := s.segments.list(ctx, under(prefix))
	if err != nil {
		return err
	}
	newer := 0
	for _, m := range slices.Backward(all) {
		last, err := parseHead(m.Head)
		if err != nil {
			return fmt.Errorf("segment %s: %w", m.ID, err)
		}
		age := time.Since(last.Time)
		held := !hold.IsZero() && !last.Version.Before(hold) && age < s.opts.HoldFor
		if newer >= s.opts.KeepCommits && age > s.opts.KeepFor && !held {
			return s.segments.remove(ctx, between(prefix+"/", m.ID+"0"), s.tuning.step) // up to this one and its chunks
		}
		newer += len(m.IDs) / len(flags.CommitID{})
	}
	return nil
}
