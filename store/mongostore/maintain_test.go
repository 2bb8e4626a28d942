package mongostore_test

import (
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

// TestMaintenanceMayStopAnywhere lets a router die after each step of writing
// checkpoints and packing the journal in turn. Whenever it does, all can be read,
// and the next router tidies up.
func TestMaintenanceMayStopAnywhere(t *testing.T) {
	t.Parallel()
	steps := stopAfter(t, 1<<20, true)
	if steps < 12 {
		t.Fatalf("maintenance took %d steps; it did not get to packing", steps)
	}
	every := int64(volume(3, 1)) // of many steps of few kinds
	for n := int64(0); n < steps; n += every {
		stopAfter(t, n, false)
	}
}

// stopAfter lets the router die after so many steps, and returns how many it
// took. At each step it reads the set as others would, if look says so.
func stopAfter(t *testing.T, steps int64, look bool) int64 {
	t.Helper()
	const commits = 12
	uri := testenv.Mongo(t)
	dying, reader, next := open(t, uri, quick()), open(t, uri, quick()), open(t, uri, quick())
	for _, s := range []*mongostore.Store{dying, reader, next} {
		s.Tune(4, 256)
	}
	var taken atomic.Int64
	dying.OnStep(func(name string) error {
		if name == "insert" {
			return nil
		}
		if look {
			if _, err := inspect(t.Context(), reader, set); err != nil {
				t.Errorf("at step %d, %s: %v", taken.Load()+1, name, err)
			}
		}
		if taken.Add(1) > steps {
			return errDied
		}
		return nil
	})
	create(t, dying, set)
	for _, s := range []*mongostore.Store{dying, next} {
		for n := range commits {
			change(t, s, set, n)
			s.Settle()
		}
		whole(t, reader, set)
	}
	if head := whole(t, next, set); head.Revision != 2*commits+1 {
		t.Fatalf("after %d steps and another router the set is at %s", steps, head.Version)
	}
	tidy(t, next)
	for _, s := range []*mongostore.Store{dying, reader, next} {
		_ = s.Close()
	}
	return taken.Load()
}

// tidy wants little in the journal and no checkpoint but the last two.
func tidy(t *testing.T, s *mongostore.Store) {
	t.Helper()
	for collection, most := range map[string]int64{"journal": 3*4 - 1, "checkpoints": 2, "checkpoints.chunks": 8} {
		n, err := s.Collection(collection).CountDocuments(t.Context(), bson.D{})
		if err != nil || n > most {
			t.Fatalf("%d documents in %s (%v), want %d at most", n, collection, err, most)
		}
	}
}

func TestDamagedCheckpointIsPassedOver(t *testing.T) {
	t.Parallel()
	damages := map[string]func(t *testing.T, s *mongostore.Store, id string){
		"one byte changed": func(t *testing.T, s *mongostore.Store, id string) { corrupt(t, s, "checkpoints.chunks", id) },
		"a chunk lost": func(t *testing.T, s *mongostore.Store, id string) {
			if r, err := s.Collection("checkpoints.chunks").DeleteOne(t.Context(), bson.D{{Key: "_id", Value: id}}); err != nil || r.DeletedCount != 1 {
				t.Fatal(r, err)
			}
		},
		"half a chunk lost": func(t *testing.T, s *mongostore.Store, id string) {
			torn := bson.D{{Key: "$set", Value: bson.D{{Key: "data", Value: []byte("half")}}}}
			if r, err := s.Collection("checkpoints.chunks").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: id}}, torn); err != nil || r.ModifiedCount != 1 {
				t.Fatal(r, err)
			}
		},
	}
	for name, damage := range damages {
		for _, commits := range []int{5, 9} { // served from the journal alone, or from the checkpoint before
			t.Run(name, func(t *testing.T) {
				s := open(t, testenv.Mongo(t), quick())
				s.Tune(4, 64)
				create(t, s, set)
				for n := range commits {
					change(t, s, set, n)
					s.Settle()
				}
				want, err := s.Head(t.Context(), set)
				if err != nil {
					t.Fatal(err)
				}
				damage(t, s, newestChunk(t, s))
				c, err := contents(t.Context(), s, set)
				if err != nil || c.Head() != want {
					t.Fatalf("read %+v, %v; want %+v", c, err, want)
				}
			})
		}
	}
}

// newestChunk returns the id of the first chunk of the newest checkpoint.
func newestChunk(t *testing.T, s *mongostore.Store) string {
	t.Helper()
	cursor, err := s.Collection("checkpoints").Find(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		ID   string `bson:"_id"`
		Blob string `bson:"blob"`
	}
	if err := cursor.All(t.Context(), &all); err != nil || len(all) == 0 {
		t.Fatalf("%d checkpoints, %v", len(all), err)
	}
	newest := all[0]
	for _, m := range all {
		if m.ID > newest.ID {
			newest = m
		}
	}
	return newest.Blob + "/000000"
}

// A commit that is damaged and in no checkpoint yet cannot be made up for: the
// set is refused, so that another layer is asked.
func TestDamagedCommitIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, testenv.Mongo(t), quick())
	have := create(t, s, set)
	tamper(t, s, change(t, s, set, 1).Set)
	for what, from := range map[string]flags.Head{"cold": {Set: set}, "from the commit before": have.Head()} {
		if u, err := s.Fetch(t.Context(), set, from); err == nil || flags.ClassOf(err) != flags.ClassTransient {
			t.Errorf("%s: %+v, %v; want a transient error", what, u, err)
		}
	}
}
