package mongostore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// pageCommits is how many commits come where no limit is asked for.
const pageCommits = 1024

// Commits is store.History's.
func (s *Store) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	head, err := s.Head(ctx, set)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = pageCommits
	}
	var commits []flags.Commit
	err = s.call(ctx, "commits "+set, s.opts.BulkTimeout, func(ctx context.Context) (err error) {
		// A packer may move commits from the journal to a segment between our
		// looking into the one and the other; the second time they are there.
		for range 3 {
			commits, err = s.history(ctx, head, from, to, limit)
			if !errors.Is(err, flags.ErrGap) {
				return err
			}
		}
		return fmt.Errorf("%w: %w", store.ErrCompacted, err)
	})
	return commits, err
}

// history reads segments and then the journal. The error wraps flags.ErrGap where
// they do not connect.
func (s *Store) history(ctx context.Context, head flags.Head, from, to flags.Version, limit int) ([]flags.Commit, error) {
	if head.Version.Before(to) {
		to = head.Version
	}
	from, err := s.begin(ctx, head, from)
	if err != nil || to.Before(from) {
		return nil, err
	}
	commits, err := s.packed(ctx, head, from, to, limit)
	if err != nil {
		return nil, err
	}
	next := from
	if n := len(commits); n > 0 {
		next = flags.Version{Epoch: commits[n-1].Epoch, Revision: commits[n-1].Revision + 1}
	}
	docs, err := s.readJournal(ctx, between(journalKey(head.Set, next), journalKey(head.Set, to)+"!"), limit-len(commits)+1)
	if err != nil {
		return nil, err
	}
	for _, d := range docs {
		if d.Lineage != string(head.Lineage) || len(commits) == limit {
			continue
		}
		c, err := d.parse()
		if err != nil {
			return nil, err
		}
		commits = append(commits, c)
	}
	return commits, dense(from, commits)
}

// dense checks that commits follow one another, beginning with from.
func dense(from flags.Version, commits []flags.Commit) error {
	for i := range commits {
		c := &commits[i]
		if i == 0 {
			if from.Before(c.Version) && c.Revision != 1 { // an epoch may have ended before from
				return fmt.Errorf("%w: %s is missing", flags.ErrGap, from)
			}
			continue
		}
		if err := follows(commits[i-1].Head(), c); err != nil {
			return err
		}
	}
	return nil
}

// begin returns where to begin: at from, the zero version standing for the oldest
// commit that is kept. It refuses what is older than that.
func (s *Store) begin(ctx context.Context, head flags.Head, from flags.Version) (flags.Version, error) {
	oldest, found, err := s.oldest(ctx, head)
	if err != nil {
		return from, err
	}
	switch {
	case from.IsZero():
		return oldest, nil
	case found && !from.Before(oldest), found && oldest == flags.Version{Revision: 1}, !found && head.Version.Before(from):
		return from, nil
	default:
		return from, fmt.Errorf("%w: the journal of %q does not reach back to %s", store.ErrCompacted, head.Set, from)
	}
}

// oldest returns the version of the oldest commit that is kept.
func (s *Store) oldest(ctx context.Context, head flags.Head) (flags.Version, bool, error) {
	var first manifest
	opts := options.FindOne().SetSort(byID1)
	err := s.segments.manifests.FindOne(ctx, under(head.Set+"/"+string(head.Lineage)), opts).Decode(&first)
	if err == nil {
		v, err := parseVersion(first.First)
		return v, true, err
	}
	if !errors.Is(err, mongo.ErrNoDocuments) {
		return flags.Version{}, false, err
	}
	docs, err := s.readJournal(ctx, under(head.Set), 0, "_id", "lineage")
	if err != nil {
		return flags.Version{}, false, err
	}
	for _, d := range docs {
		if d.Lineage == string(head.Lineage) {
			v, err := parseVersion(d.ID[len(head.Set)+1:])
			return v, true, err
		}
	}
	return flags.Version{}, false, nil
}

func parseVersion(key string) (v flags.Version, err error) {
	if _, err = fmt.Sscanf(key, "%020d/%020d", &v.Epoch, &v.Revision); err != nil || versionKey(v) != key {
		err = fmt.Errorf("%w: version key %q", flags.ErrFormat, key)
	}
	return v, err
}

// packed returns the commits from segments.
func (s *Store) packed(ctx context.Context, head flags.Head, from, to flags.Version, limit int) ([]flags.Commit, error) {
	low := lineageKey(head.Set, head.Lineage, s.segmentStart(from))
	all, err := s.segments.list(ctx, between(low, lineageKey(head.Set, head.Lineage, to)+"!"))
	if err != nil {
		return nil, err
	}
	var commits []flags.Commit
	for _, m := range all {
		packed, err := s.segment(ctx, m)
		if err != nil {
			return nil, err
		}
		for _, c := range packed {
			if !c.Version.Before(from) && !to.Before(c.Version) && len(commits) < limit {
				commits = append(commits, c)
			}
		}
		if len(commits) == limit {
			break
		}
	}
	return commits, nil
}

// segmentStart returns the version that names the segment of v.
func (s *Store) segmentStart(v flags.Version) flags.Version {
	every := uint64(s.tuning.every)
	return flags.Version{Epoch: v.Epoch, Revision: (max(v.Revision, 1)-1)/every*every + 1}
}

// segment reads the commits of a manifest.
func (s *Store) segment(ctx context.Context, m manifest) ([]flags.Commit, error) {
	data, err := s.segments.data(ctx, m)
	if errors.Is(err, errPieces) {
		return nil, fmt.Errorf("%w: segment %s: %w", flags.ErrGap, m.ID, err)
	}
	if err != nil {
		return nil, err
	}
	commits, err := parseSegment(data)
	if err != nil {
		return nil, fmt.Errorf("segment %s: %w", m.ID, err)
	}
	return commits, nil
}

// A segment is the encoded commits one after the other, each after its length.
func appendToSegment(segment, commit []byte) []byte {
	return append(binary.AppendUvarint(segment, uint64(len(commit))), commit...)
}

// parseSegment is the inverse. The error wraps flags.ErrFormat.
func parseSegment(data []byte) ([]flags.Commit, error) {
	var commits []flags.Commit
	for len(data) > 0 {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return nil, fmt.Errorf("%w: length of a commit", flags.ErrFormat)
		}
		var c flags.Commit
		if err := c.UnmarshalBinary(data[n : n+int(size)]); err != nil {
			return nil, err
		}
		commits, data = append(commits, c), data[n+int(size):]
	}
	return commits, nil
}

// commitAt returns the commit with an id, which is at a version if it is still
// kept. A void insert may lie there in the journal before the one in the segment.
func (s *Store) commitAt(ctx context.Context, head flags.Head, v flags.Version, id flags.CommitID) (c flags.Commit, found bool, err error) {
	for range 2 { // it may move to a segment between our two looks
		docs, err := s.readJournal(ctx, byID(journalKey(head.Set, v)), 1)
		if err != nil {
			return c, false, err
		}
		if len(docs) == 1 && string(docs[0].CID) == string(id[:]) {
			c, err = docs[0].parse()
			return c, err == nil, err
		}
		commits, err := s.packed(ctx, head, v, v, 1)
		if err != nil {
			return c, false, err
		}
		if len(commits) == 1 && commits[0].ID == id {
			return commits[0], true, nil
		}
	}
	return c, false, nil
}

// isInHistory reports whether a commit that was inserted belongs to the history,
// although the head has gone on: it does unless its part of the journal had been
// packed without it.
func (s *Store) isInHistory(ctx context.Context, c flags.Commit) (bool, error) {
	bound, err := s.packBound(ctx, c.Set, c.Lineage)
	if err != nil || bound.Before(c.Version) {
		return err == nil, err
	}
	commits, err := s.packed(ctx, c.Head(), c.Version, c.Version, 1)
	return len(commits) == 1 && commits[0].ID == c.ID, err
}

// loadIDs reads the ids of all commits that are kept, without the commits.
func (s *Store) loadIDs(ctx context.Context, head flags.Head) (*idIndex, error) {
	ids := newIDIndex()
	if head.Version.IsZero() {
		return ids, nil
	}
	opts := options.Find().SetSort(byID1).SetProjection(bson.D{{Key: "first", Value: 1}, {Key: "ids", Value: 1}})
	cursor, err := s.segments.manifests.Find(ctx, under(head.Set+"/"+string(head.Lineage)), opts)
	if err != nil {
		return nil, err
	}
	var packed []manifest
	if err := cursor.All(ctx, &packed); err != nil {
		return nil, err
	}
	for _, m := range packed {
		v, err := parseVersion(m.First)
		if err != nil {
			return nil, err
		}
		for ; len(m.IDs) >= len(flags.CommitID{}); v.Revision++ {
			ids.add(flags.CommitID(m.IDs[:16]), v)
			m.IDs = m.IDs[16:]
		}
	}
	return ids, s.addJournalIDs(ctx, head, ids)
}

// addJournalIDs adds the ids of the journal after its last gap: what lies before
// that is in segments, or void, or was forgotten and only then inserted.
func (s *Store) addJournalIDs(ctx context.Context, head flags.Head, ids *idIndex) error {
	docs, err := s.readJournal(ctx, between(head.Set+"/", journalKey(head.Set, head.Version)+"!"), 0, "cid", "lineage")
	if err != nil {
		return err
	}
	docs = slices.DeleteFunc(docs, func(d journalDoc) bool { return d.Lineage != string(head.Lineage) })
	versions, start := make([]flags.Version, len(docs)), 0
	for i, d := range docs {
		v, err := parseVersion(d.ID[len(head.Set)+1:])
		if err != nil || len(d.CID) != len(flags.CommitID{}) {
			return fmt.Errorf("%w: journal document %q", flags.ErrFormat, d.ID)
		}
		if i > 0 && v.Epoch == versions[i-1].Epoch && v.Revision != versions[i-1].Revision+1 {
			start = i
		}
		versions[i] = v
	}
	for i := start; i < len(docs); i++ {
		ids.add(flags.CommitID(docs[i].CID), versions[i])
	}
	return nil
}
