package mongostore_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/sabotage"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

// bound is what answers may be put together from in these tests.
const bound = 32 << 10

// lie is something that a database may hold.
type lie struct {
	name   string
	tell   func(w *world)
	says   error  // of the driver; nil: only the client can know
	reason string // by which the client counts and tells it
}

// checkpointLie spoils the checkpoint of the fifth revision, which is all that leads there.
func checkpointLie(name string, spoil func(w *world, m stored), says error, reason string) lie {
	return lie{"checkpoint: " + name, func(w *world) {
		spoil(w, w.store(w.cps[4]))
		w.setHead(w.cps[4].Head)
	}, says, reason}
}

// journalLie spoils the commit of the third revision.
func journalLie(name string, spoil func(w *world, id string), says error, reason string) lie {
	return lie{"journal: " + name, func(w *world) {
		spoil(w, w.insert(3))
		w.setHead(w.cps[2].Head)
	}, says, reason}
}

func lies() []lie {
	const malformed = "malformed"
	const chunks = "checkpoints.chunks"
	return []lie{
		checkpointLie("a manifest of 3 GiB", func(w *world, m stored) { w.change("checkpoints", m.ID, "bytes", int64(3)<<30) }, flags.ErrFormat, malformed),
		checkpointLie("a manifest of nothing", func(w *world, m stored) { w.change("checkpoints", m.ID, "bytes", 0) }, flags.ErrFormat, malformed),
		checkpointLie("a manifest of more chunks than there are", func(w *world, m stored) { w.change("checkpoints", m.ID, "chunks", m.Chunks+1) }, flags.ErrFormat, malformed),
		checkpointLie("a manifest of fewer chunks than there are", func(w *world, m stored) { w.change("checkpoints", m.ID, "chunks", m.Chunks-1) }, flags.ErrFormat, malformed),
		checkpointLie("the first chunk is longer than the whole", func(w *world, m stored) { w.change(chunks, m.chunk(0), "data", make([]byte, 8<<10)) }, flags.ErrFormat, malformed),
		checkpointLie("a chunk longer than the others", func(w *world, m stored) { w.change(chunks, m.chunk(1), "data", make([]byte, 8<<10)) }, flags.ErrFormat, malformed),
		checkpointLie("the last chunk longer than what was to come", func(w *world, m stored) {
			last := m.chunk(m.Chunks - 1)
			w.change(chunks, last, "data", append(w.data(chunks, last), 0))
		}, flags.ErrFormat, malformed),
		checkpointLie("an empty chunk", func(w *world, m stored) { w.change(chunks, m.chunk(0), "data", []byte{}) }, flags.ErrFormat, malformed),
		checkpointLie("chunks out of order", func(w *world, m stored) {
			first, second := w.data(chunks, m.chunk(0)), w.data(chunks, m.chunk(1))
			w.change(chunks, m.chunk(0), "data", second)
			w.change(chunks, m.chunk(1), "data", first)
		}, flags.ErrFormat, malformed),
		checkpointLie("a chunk is missing", func(w *world, m stored) {
			if r, err := w.s.Collection(chunks).DeleteOne(w.t.Context(), bson.D{{Key: "_id", Value: m.chunk(1)}}); err != nil || r.DeletedCount != 1 {
				w.t.Fatal(r, err)
			}
		}, flags.ErrFormat, malformed),
		checkpointLie("a chunk that is a number", func(w *world, m stored) { w.change(chunks, m.chunk(1), "data", 5) }, flags.ErrFormat, malformed),
		checkpointLie("bytes that are nothing", func(w *world, m stored) { w.replace(m, bytes.Repeat([]byte("?"), 5000)) }, flags.ErrFormat, malformed),
		checkpointLie("a future format", func(w *world, m stored) {
			future := encode(w.t, w.cps[4])
			future[3] = 9
			w.replace(m, future)
		}, flags.ErrFormat, malformed),
		checkpointLie("an older one in its place", func(w *world, m stored) { w.replace(m, encode(w.t, w.cps[0])) }, flags.ErrFormat, malformed),
		checkpointLie("another set in its place", func(w *world, m stored) {
			other, _ := history(w.t, "other")
			w.replace(m, encode(w.t, other[3]))
			w.change("checkpoints", m.ID, "head", mongostore.HeadText(other[3].Head))
		}, flags.ErrFormat, malformed),
		checkpointLie("a digest that is not that of the contents", func(w *world, m stored) { w.replace(m, encode(w.t, forged(w.cps[4], false))) }, flags.ErrDigest, "digest"),
		checkpointLie("other contents, with their digest", func(w *world, m stored) {
			w.replace(m, encode(w.t, forged(w.cps[4], true)))
		}, flags.ErrFormat, malformed),

		journalLie("a commit of garbage", func(w *world, id string) { w.change("journal", id, "data", []byte("????????????????")) }, flags.ErrFormat, malformed),
		journalLie("a commit that is a text", func(w *world, id string) { w.change("journal", id, "data", "text") }, flags.ErrFormat, malformed),
		journalLie("a commit of a future format", func(w *world, id string) {
			future := encode(w.t, &w.commits[2])
			future[3] = 9
			w.change("journal", id, "data", future)
		}, flags.ErrFormat, malformed),
		journalLie("a commit of another set", func(w *world, id string) {
			_, other := history(w.t, "other")
			w.change("journal", id, "data", encode(w.t, &other[2]))
		}, flags.ErrFormat, malformed),
		journalLie("a commit that follows something else", func(w *world, id string) { w.change("journal", id, "before", w.cps[6].Digest.Bytes()) }, flags.ErrDigest, "digest"),
		{"journal: a commit left out", func(w *world) {
			w.insert(4)
			w.setHead(w.cps[3].Head)
		}, flags.ErrGap, "gap"},
		{"journal: endless", func(w *world) {
			at := w.cps[1].Head
			contents := flags.ContentsOf(w.cps[1])
			for n := range 4 * bound / (8 << 10) {
				filler := fmt.Appendf(nil, `{"defaultVariant":"v","metadata":{"text":"%s"},"state":"ENABLED","variants":{"v":%d}}`, bytes.Repeat([]byte("x"), 8<<10), n)
				c := flags.Commit{Set: w.set, ID: flags.NewCommitID(), Changes: []flags.Mutation{{Key: flags.FlagKey("at"), Bytes: filler}}}
				if err := errors.Join(contents.Seal(&c), contents.Apply(&c), w.s.InsertCommit(w.t.Context(), c, at.Digest)); err != nil {
					w.t.Fatal(err)
				}
				at = c.Head()
			}
			w.setHead(at)
		}, flags.ErrFormat, malformed},

		{"head: of an older revision", func(w *world) { w.setHead(w.cps[0].Head) }, nil, "older"},
		{"head: with the digest of other contents", func(w *world) {
			w.insert(3)
			h := w.cps[2].Head
			h.Digest = w.cps[7].Digest
			w.setHead(h)
		}, flags.ErrDigest, "digest"},
		{"head: of what was never written", func(w *world) { w.setHead(w.cps[5].Head) }, flags.ErrGap, "gap"},
		{"head: of another lineage", func(w *world) {
			other, _ := history(w.t, w.set)
			w.setHead(other[7].Head)
		}, flags.ErrGap, "another lineage"},
		{"head: of another set", func(w *world) {
			other, _ := history(w.t, "other")
			w.setHead(other[7].Head)
		}, flags.ErrFormat, malformed},
		{"head: garbage", func(w *world) { w.setHeadDoc(bson.D{{Key: "lineage", Value: "x"}, {Key: "head", Value: "????"}}) }, flags.ErrFormat, malformed},
		{"head: a number", func(w *world) { w.setHeadDoc(bson.D{{Key: "head", Value: 5}}) }, flags.ErrFormat, malformed},
	}
}

// TestLies: whatever a database holds that cannot be, the driver says so in a way that
// has other layers asked, and a client keeps what it had, counts and tells why, and believes
// the database again once it holds the truth. All lies are told at the same time, each in
// a set of its own, for the client looks only every five seconds.
func TestLies(t *testing.T) {
	t.Parallel()
	uri := testenv.Mongo(t)
	s := open(t, uri, quick())
	s.Tune(256, 64)
	reader := open(t, uri, &mongostore.Options{ReadOnly: true, HeadTimeout: time.Minute, BulkTimeout: time.Minute, Logger: slog.New(slog.DiscardHandler)})
	reader.Bound(bound)
	all := lies()
	worlds := make([]*world, len(all))
	for i := range all {
		w := newWorld(t, s, fmt.Sprintf("shop-%02d", i))
		w.follow(reader, time.Minute, sabotage.Guards{})
		if w.at() != 2 {
			t.Fatalf("%s: begins at %d: %+v", all[i].name, w.at(), w.client.Status())
		}
		worlds[i] = w
	}
	for i, w := range worlds {
		all[i].tell(w)
		for what, have := range map[string]flags.Head{"cold": {Set: w.set}, "warm": w.cps[1].Head} {
			checkRefusal(t, all[i].name+", "+what, reader, have, all[i].says)
		}
	}
	for i, w := range worlds {
		if !await(t, func() bool { return w.refused(all[i].reason) > 0 && w.log.tells(all[i].reason) }) {
			t.Errorf("%s: not counted and told as %s: %+v", all[i].name, all[i].reason, w.client.Status().Layers[0])
		}
		if w.at() != 2 || w.client.Token(t.Context()) != w.cps[1].Token() {
			t.Errorf("%s: believed: at %d, %s", all[i].name, w.at(), w.client.Token(t.Context()))
		}
	}
	for _, w := range worlds {
		w.put(w.cps[8])
		w.setHead(w.cps[8].Head)
	}
	for i, w := range worlds {
		if !await(t, func() bool { return w.at() == 9 }) {
			t.Errorf("%s: the truth is not believed any more: at %d, %+v", all[i].name, w.at(), w.client.Status().Layers[0])
		}
	}
}

func checkRefusal(t *testing.T, name string, s *mongostore.Store, have flags.Head, says error) {
	t.Helper()
	u, err := s.Fetch(t.Context(), have.Set, have)
	if says == nil {
		return
	}
	var classified *flags.SourceError
	if !errors.As(err, &classified) || classified.Class != flags.ClassTransient || !errors.Is(err, says) {
		t.Errorf("%s: %v, want a transient error that wraps %v", name, err, says)
	}
	if u.Checkpoint != nil || len(u.Commits) > 0 {
		t.Errorf("%s: delivered %d commits and checkpoint %v with it", name, len(u.Commits), u.Checkpoint)
	}
}

// TestCommitOverTheLimit is a lie that takes the server seconds to tell.
func TestCommitOverTheLimit(t *testing.T) {
	t.Parallel()
	s := open(t, testenv.Mongo(t), &mongostore.Options{HeadTimeout: time.Minute, BulkTimeout: time.Minute, Logger: slog.New(slog.DiscardHandler)})
	s.Tune(256, 64)
	w := newWorld(t, s, set)
	w.change("journal", w.insert(3), "data", make([]byte, flags.MaxCommitBytes+1))
	w.setHead(w.cps[2].Head)
	checkRefusal(t, "warm", s, w.cps[1].Head, flags.ErrFormat)
}

// believes starts a client on a database whose only checkpoint was forged, digest and
// manifest included, below a head that is as it was.
func believes(t *testing.T, gullible, careless bool) bool {
	t.Helper()
	uri := testenv.Mongo(t)
	s, reader := open(t, uri, quick()), open(t, uri, quick())
	if gullible {
		reader.Gullible()
	}
	s.Tune(256, 64)
	w := newWorld(t, s, set)
	bad := forged(w.cps[4], true)
	m := w.store(w.cps[4])
	w.replace(m, encode(t, bad))
	w.change("checkpoints", m.ID, "head", mongostore.HeadText(bad.Head))
	w.setHead(w.cps[4].Head)
	w.follow(reader, time.Millisecond, sabotage.Guards{Digest: careless})
	if !await(t, func() bool { return w.at() != -1 || w.refused("digest")+w.refused("gap") > 0 }) {
		t.Fatalf("neither believed nor refused: %+v", w.client.Status().Layers[0])
	}
	return w.at() == 8
}

func TestForgedCheckpoint(t *testing.T) {
	t.Parallel()
	for _, off := range []struct{ gullible, careless bool }{{false, false}, {true, false}, {false, true}} {
		if believes(t, off.gullible, off.careless) {
			t.Errorf("believed with one guard at least: %+v are off", off)
		}
	}
}

func TestForgedCheckpointSabotaged(t *testing.T) {
	t.Parallel()
	if !believes(t, true, true) {
		t.Fatal("not believed without the checks of digests: the test proves nothing")
	}
}
