package mongostore_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/sabotage"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

// world is a set in a database whose documents a test writes itself, and a client
// that reads them.
type world struct {
	t       *testing.T
	s       *mongostore.Store // of who writes
	set     string
	cps     []*flags.Checkpoint // at revisions 1 and on; the flag "at" has the revision as its value
	commits []flags.Commit      // that lead to them
	client  *flags.Client
	log     *lockedLog
}

// newWorld makes up the history of a set. The database has its second revision.
func newWorld(t *testing.T, s *mongostore.Store, set string) *world {
	t.Helper()
	w := &world{t: t, s: s, set: set}
	w.cps, w.commits = history(t, set)
	w.put(w.cps[1])
	w.setHead(w.cps[1].Head)
	return w
}

func history(t *testing.T, set string) (cps []*flags.Checkpoint, commits []flags.Commit) {
	t.Helper()
	contents := flags.NewContents(set)
	for n := 1; n <= 9; n++ {
		c := flags.Commit{Set: set, ID: flags.NewCommitID(), Changes: []flags.Mutation{{Key: flags.FlagKey("at"), Bytes: definition(n)}}}
		if n == 1 {
			c.Op = flags.OpCreate
			for i := range 20 { // several chunks' worth
				c.Changes = append(c.Changes, flags.Mutation{Key: flags.FlagKey(fmt.Sprintf("flag-%02d", i)), Bytes: definition(i)})
			}
		}
		if err := errors.Join(contents.Seal(&c), contents.Apply(&c)); err != nil {
			t.Fatal(err)
		}
		cps, commits = append(cps, contents.Checkpoint()), append(commits, c)
	}
	return cps, commits
}

func (w *world) put(cp *flags.Checkpoint) {
	w.t.Helper()
	if err := w.s.PutCheckpoint(w.t.Context(), cp); err != nil {
		w.t.Fatal(err)
	}
}

// insert puts a commit into the journal, where it belongs.
func (w *world) insert(revision int) (id string) {
	w.t.Helper()
	c := w.commits[revision-1]
	if err := w.s.InsertCommit(w.t.Context(), c, w.cps[revision-2].Digest); err != nil {
		w.t.Fatal(err)
	}
	return mongostore.JournalKey(w.set, c.Version)
}

func (w *world) setHead(h flags.Head) {
	w.t.Helper()
	w.setHeadDoc(bson.D{{Key: "lineage", Value: string(h.Lineage)}, {Key: "head", Value: mongostore.HeadText(h)}})
}

func (w *world) setHeadDoc(doc bson.D) {
	w.t.Helper()
	upsert := options.Replace().SetUpsert(true)
	if _, err := w.s.Collection("heads").ReplaceOne(w.t.Context(), bson.D{{Key: "_id", Value: w.set}}, doc, upsert); err != nil {
		w.t.Fatal(err)
	}
}

// change sets a field of a document.
func (w *world) change(collection, id, field string, value any) {
	w.t.Helper()
	update := bson.D{{Key: "$set", Value: bson.D{{Key: field, Value: value}}}}
	r, err := w.s.Collection(collection).UpdateOne(w.t.Context(), bson.D{{Key: "_id", Value: id}}, update)
	if err != nil || r.MatchedCount != 1 {
		w.t.Fatalf("%s: change %s of %s: %+v, %v", w.set, field, id, r, err)
	}
}

func (w *world) find(collection, id string, doc any) {
	w.t.Helper()
	if err := w.s.Collection(collection).FindOne(w.t.Context(), bson.D{{Key: "_id", Value: id}}).Decode(doc); err != nil {
		w.t.Fatalf("%s: find %s: %v", w.set, id, err)
	}
}

func (w *world) data(collection, id string) []byte {
	w.t.Helper()
	var doc struct {
		Data []byte `bson:"data"`
	}
	w.find(collection, id, &doc)
	return doc.Data
}

// stored is a checkpoint in the database.
type stored struct {
	ID     string `bson:"_id"`
	Blob   string `bson:"blob"`
	Chunks int    `bson:"chunks"`
	Bytes  int    `bson:"bytes"`
}

// store puts a checkpoint and returns it as it is stored.
func (w *world) store(cp *flags.Checkpoint) (m stored) {
	w.t.Helper()
	w.put(cp)
	prefix := fmt.Sprintf("%s/%s/%020d/%020d/", cp.Set, cp.Lineage, cp.Epoch, cp.Revision)
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: prefix}, {Key: "$lt", Value: prefix + "~"}}}}
	if err := w.s.Collection("checkpoints").FindOne(w.t.Context(), filter).Decode(&m); err != nil {
		w.t.Fatal(err)
	}
	if m.Chunks < 3 {
		w.t.Fatalf("a checkpoint in %d chunks", m.Chunks)
	}
	return m
}

func (m *stored) chunk(n int) string { return fmt.Sprintf("%s/%06d", m.Blob, n) }

// replace puts other bytes in the place of a checkpoint, as one chunk.
func (w *world) replace(m stored, data []byte) {
	w.t.Helper()
	w.change("checkpoints.chunks", m.chunk(0), "data", data)
	w.change("checkpoints", m.ID, "chunks", 1)
	w.change("checkpoints", m.ID, "bytes", len(data))
}

func encode(t *testing.T, m interface{ MarshalBinary() ([]byte, error) }) []byte {
	t.Helper()
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// forged returns cp with the flag "at" changed to 8, and the digest as it was or to match.
func forged(cp *flags.Checkpoint, digestToo bool) *flags.Checkpoint {
	bad := &flags.Checkpoint{Head: cp.Head, Entries: slices.Clone(cp.Entries)}
	i := slices.IndexFunc(bad.Entries, func(e flags.Entry) bool { return e.Key == flags.FlagKey("at") })
	e := &bad.Entries[i]
	e.Bytes = definition(8)
	if digestToo {
		bad.Digest = bad.Digest.Minus(flags.EntryHash(e.Key, cp.Entries[i].Bytes)).Plus(flags.EntryHash(e.Key, e.Bytes))
	}
	return bad
}

// follow starts a client that has nothing but the database to read from.
func (w *world) follow(reader *mongostore.Store, patience time.Duration, without sabotage.Guards) {
	w.t.Helper()
	w.log = &lockedLog{}
	client, err := flags.New(sabotage.Without(w.t.Context(), without), flags.Options{
		Set:          w.set,
		Secondary:    flags.Layer{Source: reader, Timeout: time.Minute},
		StartTimeout: patience,
		Logger:       slog.New(slog.NewTextHandler(w.log, nil)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = client.Close() })
	w.client = client
}

// at returns the revision that the client answers from.
func (w *world) at() int64 {
	return w.client.Int(w.t.Context(), "at", flags.Entity("x"), -1)
}

// refused returns how often the client refused what it was told, for a reason.
func (w *world) refused(reason string) uint64 {
	s := w.client.Status().Layers[0]
	switch reason {
	case "older":
		return s.Stale + s.RefusedOlder
	case "another lineage":
		return s.RefusedLineage
	case "digest":
		return s.RefusedDigest
	default:
		return s.RefusedFormat
	}
}

type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// tells reports whether there is a warning with a reason in it.
func (l *lockedLog) tells(reason string) bool {
	if strings.Contains(reason, " ") {
		reason = `"` + reason + `"`
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), "reason="+reason)
}

// await waits until cond holds, much longer than that should take.
func await(t *testing.T, cond func() bool) bool {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(2 * time.Minute); ; {
		if cond() {
			return true
		}
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
}
