package mongostore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/redact"
	"github.com/holdfast-flags/holdfast/store"
)

// Store keeps flag sets in a MongoDB-protocol database. It is a store.Store and a
// store.Replica. It caches nothing for readers; for each set that was written
// through it, it holds the contents that the next write is checked against.
type Store struct {
	opts   Options
	tuning tuning
	client *mongo.Client
	log    *slog.Logger

	heads       *mongo.Collection
	journal     *mongo.Collection
	checkpoints blobs
	segments    blobs
	records     *mongo.Collection

	life context.Context // ends with Close, and all calls with it
	end  context.CancelFunc
	work sync.WaitGroup // maintenance

	mu      sync.Mutex
	writers map[string]*writer
	known   map[string]flags.Head    // the newest head acknowledged here
	waits   map[string]chan struct{} // closed at the next write
}

// tuning is what only tests change.
type tuning struct {
	every       int                     // commits between checkpoints, and in a segment
	tailBytes   int                     // encoded commits after a checkpoint that make the next one due early
	chunkBytes  int                     // in a document of a checkpoint or segment
	answerBytes int                     // that one answer may be put together from
	credulous   bool                    // takes every insert that succeeds for one into the history
	hasty       bool                    // goes on from commits whose head it could not raise
	forgetful   bool                    // believes any head that is stored
	gullible    bool                    // puts checkpoints and commits together without looking at digests
	step        func(name string) error // called after each step that another process may see
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Replica = (*Store)(nil)
)

// Open returns a store in the database that uri names. It does not wait for the
// server: one that is down is an error of the calls, not of Open. A URI that
// cannot be read is the only error. (A mongodb+srv URI is read by asking the DNS.)
// opts may be nil.
func Open(_ context.Context, uri string, opts *Options) (*Store, error) {
	o := opts.withDefaults()
	if name := databaseIn(uri); name != "" {
		o.Database = name
	}
	if strings.ContainsAny(o.Database, `/\. "$*<>:|?`) || len(o.Database) > 63 {
		return nil, fmt.Errorf("mongostore: %s: %q cannot name a database", Redact(uri), o.Database)
	}
	client, err := mongo.Connect(o.clientOptions(uri))
	if err != nil {
		return nil, fmt.Errorf("mongostore: %s: %w", Redact(uri), redact.Error(err, uri))
	}
	db := client.Database(o.Database)
	life, end := context.WithCancel(context.Background())
	s := &Store{
		opts:        o,
		tuning:      tuning{every: 256, tailBytes: 4 << 20, chunkBytes: 4 << 20, answerBytes: maxAnswerBytes, step: func(string) error { return nil }},
		client:      client,
		log:         o.Logger.With("store", Redact(uri)),
		heads:       db.Collection("heads"),
		journal:     db.Collection("journal"),
		checkpoints: blobs{db.Collection("checkpoints"), db.Collection("checkpoints.chunks")},
		segments:    blobs{db.Collection("segments"), db.Collection("segments.chunks")},
		records:     db.Collection("records"),
		life:        life,
		end:         end,
		writers:     map[string]*writer{},
		known:       map[string]flags.Head{},
		waits:       map[string]chan struct{}{},
	}
	return s, nil
}

// Close ends all calls, watches and maintenance. It is idempotent.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.life.Err() != nil
	s.end()
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.client.Disconnect(ctx); err != nil && !errors.Is(err, mongo.ErrClientDisconnected) {
		return &flags.SourceError{Class: flags.ClassCanceled, Op: "mongostore: close", Err: err}
	}
	return nil
}

// Sets is store.History's.
func (s *Store) Sets(ctx context.Context) ([]flags.Head, error) {
	var heads []flags.Head
	err := s.call(ctx, "sets", s.opts.BulkTimeout, func(ctx context.Context) (err error) {
		heads, err = s.readHeads(ctx)
		return err
	})
	return heads, err
}

// Head is flags.Source's.
func (s *Store) Head(ctx context.Context, set string) (flags.Head, error) {
	var head flags.Head
	err := s.call(ctx, "head "+set, s.opts.HeadTimeout, func(ctx context.Context) (err error) {
		head, err = s.newestHead(ctx, set)
		return err
	})
	return head, err
}

// Fetch is flags.Source's.
func (s *Store) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	asked := time.Now()
	head, err := s.Head(ctx, set)
	if err != nil {
		return flags.Update{}, err
	}
	u, _, err := s.lead(ctx, have, head)
	u.AsOf = asked
	return u, err
}

// lead returns what leads from have to head, and why that is no mere commits
// where have was something.
func (s *Store) lead(ctx context.Context, have, head flags.Head) (u flags.Update, reset string, err error) {
	err = s.call(ctx, "fetch "+head.Set, s.opts.BulkTimeout, func(ctx context.Context) (err error) {
		u, reset, err = s.leadOn(ctx, have, head)
		return err
	})
	return u, reset, err
}

// writer returns the one writer of a set in this process.
func (s *Store) writer(set string) *writer {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.writers[set]
	if w == nil {
		w = newWriter(s, set)
		s.writers[set] = w
	}
	return w
}

// acknowledged notes where a set is now, and wakes those who watch it.
func (s *Store) acknowledged(h flags.Head) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.known[h.Set]
	if !ok || k.Lineage != h.Lineage || k.Version.Before(h.Version) {
		s.known[h.Set] = h
	}
	if !ok {
		s.wake(anyCreated)
	}
	s.wake(h.Set)
}

// reset notes where a set is now, even if that is behind what was known.
func (s *Store) reset(h flags.Head) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[h.Set] = h
	s.wake(anyCreated)
	s.wake(h.Set)
}

// anyCreated is what streams of sets that are not there wait for: the first write of
// any set. No set has this name.
const anyCreated = ""

// unwait drops what nextWrite keeps of a set that is not there. Who waits for it looks again.
func (s *Store) unwait(set string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake(set)
}

func (s *Store) wake(set string) {
	if c, ok := s.waits[set]; ok {
		close(c)
		delete(s.waits, set)
	}
}

// nextWrite returns a channel that is closed at the next write of set through
// this store.
func (s *Store) nextWrite(set string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.waits[set]
	if !ok {
		c = make(chan struct{})
		s.waits[set] = c
	}
	return c
}
