package mongostore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
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
	page := &page{limit: limit, left: s.tuning.answerBytes}
	if err := s.packed(ctx, head, from, to, page); err != nil {
		return nil, err
	}
	next := from
	if n := len(page.commits); n > 0 {
		next = flags.Version{Epoch: page.commits[n-1].Epoch, Revision: page.commits[n-1].Revision + 1}
	}
	for d, err := range s.scan(ctx, between(journalKey(head.Set, next), journalKey(head.Set, to)+"!"), limit-len(page.commits)+1) {
		if err != nil {
			return nil, err
		}
		if page.full() {
			break
		}
		if d.Lineage != string(head.Lineage) {
			continue
		}
		c, err := d.parse()
		if err != nil {
			return nil, err
		}
		page.add(c, heldBy(&c, d.Data))
	}
	return page.commits, dense(from, page.commits)
}

// page is part of a history: so many commits, and fewer where those are large.
type page struct {
	commits []flags.Commit
	limit   int
	left    int // bytes
}

func (p *page) full() bool { return len(p.commits) >= p.limit || p.left <= 0 }

func (p *page) add(c flags.Commit, bytes int) {
	p.commits, p.left = append(p.commits, c), p.left-bytes
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
	opts := options.FindOne().SetSort(byID1)
	first, err := one[manifest](ctx, s.segments.manifests, under(head.Set+"/"+string(head.Lineage)), opts)
	if err == nil {
		v, err := parseVersion(first.First)
		return v, true, err
	}
	if !errors.Is(err, mongo.ErrNoDocuments) {
		return flags.Version{}, false, err
	}
	for d, err := range s.scanFields(ctx, under(head.Set), "_id", "lineage") {
		if err != nil {
			return flags.Version{}, false, err
		}
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

// packed adds the commits from segments to a page.
func (s *Store) packed(ctx context.Context, head flags.Head, from, to flags.Version, p *page) error {
	low := lineageKey(head.Set, head.Lineage, s.segmentStart(from))
	all, err := s.segments.list(ctx, between(low, lineageKey(head.Set, head.Lineage, to)+"!"))
	if err != nil {
		return err
	}
	for _, m := range all {
		for c, err := range s.segment(ctx, m, head) {
			if err != nil {
				return err
			}
			if p.full() {
				return nil
			}
			if !c.Version.Before(from) && !to.Before(c.Version) {
				p.add(c, heldBy(&c, nil))
			}
		}
	}
	return nil
}

// packedAt returns the commit at a version from its segment.
func (s *Store) packedAt(ctx context.Context, head flags.Head, v flags.Version) (c flags.Commit, found bool, err error) {
	p := &page{limit: 1, left: s.tuning.answerBytes}
	if err := s.packed(ctx, head, v, v, p); err != nil || len(p.commits) == 0 {
		return c, false, err
	}
	return p.commits[0], true, nil
}

// segmentStart returns the version that names the segment of v.
func (s *Store) segmentStart(v flags.Version) flags.Version {
	every := uint64(s.tuning.every)
	return flags.Version{Epoch: v.Epoch, Revision: (max(v.Revision, 1)-1)/every*every + 1}
}

// maxSegmentBytes is what the largest segment takes.
const maxSegmentBytes = 256 * (flags.MaxCommitBytes + binary.MaxVarintLen64)

// segment yields the commits of a manifest, which must be of the same history as a
// head. A segment may be large, so no more of it is held than a commit and a chunk.
func (s *Store) segment(ctx context.Context, m manifest, of flags.Head) iter.Seq2[flags.Commit, error] {
	return func(yield func(flags.Commit, error) bool) {
		var rest []byte
		for piece, err := range s.segments.pieces(ctx, m, maxSegmentBytes) {
			if errors.Is(err, errPieces) {
				err = fmt.Errorf("%w: segment %w", flags.ErrGap, err)
			}
			if err != nil {
				yield(flags.Commit{}, err)
				return
			}
			for rest = append(rest, piece...); ; {
				c, n, err := cutCommit(rest)
				if err == nil && n > 0 && (c.Set != of.Set || c.Lineage != of.Lineage) {
					err = fmt.Errorf("%w: commit %s", flags.ErrFormat, c.Head().Token())
				}
				if err != nil {
					err = fmt.Errorf("segment %s: %w", m.ID, err)
				}
				if n == 0 && err == nil {
					break // it goes on in the next chunk
				}
				if !yield(c, err) || err != nil {
					return
				}
				rest = rest[n:]
			}
		}
		if len(rest) > 0 {
			yield(flags.Commit{}, fmt.Errorf("%w: segment %s ends within a commit", flags.ErrFormat, m.ID))
		}
	}
}

// A segment is the encoded commits one after the other, each after its length.
func appendToSegment(segment, commit []byte) []byte {
	return append(binary.AppendUvarint(segment, uint64(len(commit))), commit...)
}

// cutCommit returns the first commit of what is left of a segment, and how many bytes
// it takes there; 0 where data ends before the commit does. The error wraps flags.ErrFormat.
func cutCommit(data []byte) (c flags.Commit, n int, err error) {
	size, n := binary.Uvarint(data)
	switch {
	case n < 0 || size > flags.MaxCommitBytes:
		return c, 0, fmt.Errorf("%w: length of a commit", flags.ErrFormat)
	case n == 0 || size > uint64(len(data)-n):
		return c, 0, nil
	}
	end := n + int(size)
	return c, end, c.UnmarshalBinary(data[n:end:end])
}

// commitAt returns the commit with an id, which is at a version if it is still
// kept. A void insert may lie there in the journal before the one in the segment.
func (s *Store) commitAt(ctx context.Context, head flags.Head, v flags.Version, id flags.CommitID) (c flags.Commit, found bool, err error) {
	for range 2 { // it may move to a segment between our two looks
		doc, err := one[journalDoc](ctx, s.journal, byID(journalKey(head.Set, v)))
		if err == nil && string(doc.CID) == string(id[:]) {
			c, err = doc.parse()
			return c, err == nil, err
		}
		if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
			return c, false, err
		}
		packed, found, err := s.packedAt(ctx, head, v)
		if err != nil || found && packed.ID == id {
			return packed, err == nil, err
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
	packed, found, err := s.packedAt(ctx, c.Head(), c.Version)
	return found && packed.ID == c.ID, err
}

// loadIDs reads the ids of all commits that are kept, without the commits.
func (s *Store) loadIDs(ctx context.Context, head flags.Head) (*idIndex, error) {
	ids := newIDIndex()
	if head.Version.IsZero() {
		return ids, nil
	}
	newestFirst := bson.D{{Key: "_id", Value: -1}}
	opts := options.Find().SetSort(newestFirst).SetProjection(bson.D{{Key: "first", Value: 1}, {Key: "ids", Value: 1}})
	var packed []manifest
	n := 0
	for m, err := range each[manifest](ctx, s.segments.manifests, 0, under(head.Set+"/"+string(head.Lineage)), opts) {
		if err != nil {
			return nil, err
		}
		packed = append(packed, m)
		if n += len(m.IDs) / len(flags.CommitID{}); n >= s.keptIDs() {
			break
		}
	}
	for _, m := range slices.Backward(packed) {
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
	docs, err := collect(s.scanFields(ctx, between(head.Set+"/", journalKey(head.Set, head.Version)+"!"), "cid", "lineage"))
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
