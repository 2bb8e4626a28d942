package boltstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Options configure a Store. The zero value is ready for production.
type Options struct {
	// LockTimeout is how long Open waits for another process to let go of the
	// file. Default 1 s.
	LockTimeout time.Duration
	// KeepCommits is how many of the newest commits of each set are kept at
	// least. Default 10,000.
	KeepCommits int
	// KeepFor is the age below which no commit is forgotten. Default 24 h.
	KeepFor time.Duration
	// Hold returns the version of a set from which on somebody (a mirror, a
	// webhook) still needs the commits; they are kept until they are HoldFor old.
	// The zero version holds nothing back; after an error nothing is forgotten.
	// Called from a goroutine of the store. Default: holds nothing.
	Hold func(ctx context.Context, set string) (flags.Version, error)
	// HoldFor is the age from which on Hold does not keep a commit. Default 7 days.
	HoldFor time.Duration

	// For tests.
	maxFileBytes int  // > 0: the file may not grow beyond, as if the disk were full
	ackEarly     bool // acknowledges before the transaction is durable
}

func (o *Options) withDefaults() Options {
	if o == nil {
		o = &Options{}
	}
	out := *o
	out.LockTimeout = cmp.Or(out.LockTimeout, time.Second)
	out.KeepCommits = cmp.Or(out.KeepCommits, 10_000)
	out.KeepFor = cmp.Or(out.KeepFor, 24*time.Hour)
	out.HoldFor = cmp.Or(out.HoldFor, 7*24*time.Hour)
	if out.Hold == nil {
		out.Hold = func(context.Context, string) (flags.Version, error) { return flags.Version{}, nil }
	}
	return out
}

// Store is a store in one file. It is a store.Store and a store.Replica.
type Store struct {
	opts Options
	path string
	db   *bolt.DB

	mu   sync.RWMutex // guards the map; each journal's contents are the writer's alone
	sets map[string]*journal
	born chan struct{} // closed when there is another set, and when the store is closed

	queue   chan *request
	grown   chan string // sets that have grown enough for the keeper to look at
	failed  error       // the writer's: what keeps it from writing any more
	closing chan struct{}
	closed  sync.Once
	workers sync.WaitGroup
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Replica = (*Store)(nil)
)

// Open opens the file at path, creating it (for its owner only) unless it is
// there. opts may be nil. Errors are *flags.SourceErrors of ClassPermanent, with
// one line that says what is wrong, where, and what to do; see ErrLocked and
// ErrCorrupt. A file that is refused is not changed.
func Open(path string, opts *Options) (*Store, error) {
	o := opts.withDefaults()
	s := &Store{opts: o, path: path, born: make(chan struct{}), queue: make(chan *request, maxGroup), grown: make(chan string, 64), closing: make(chan struct{})}
	if err := s.open(); err != nil {
		return nil, openError(path, err)
	}
	s.workers.Go(s.write)
	s.workers.Go(s.keep)
	return s, nil
}

func (s *Store) open() error {
	fresh, err := verifyFile(s.path, s.opts.LockTimeout)
	if err != nil {
		return err
	}
	s.db, err = bolt.Open(s.path, 0o600, &bolt.Options{
		Timeout: s.opts.LockTimeout, FreelistType: bolt.FreelistMapType, NoStatistics: true, MaxSize: s.opts.maxFileBytes,
	})
	if err != nil {
		return err
	}
	if err = s.load(fresh); err != nil {
		_ = s.db.Close()
	}
	return err
}

func (s *Store) load(fresh bool) error {
	if fresh {
		// The file's name is to outlive a power cut too.
		if err := syncDir(filepath.Dir(s.path)); err != nil {
			return err
		}
	}
	if err := guarded(s.db.Update, prepareLayout); err != nil && !errors.Is(err, errNothing) {
		return err
	}
	return guarded(s.db.View, func(tx *bolt.Tx) (err error) {
		if err = checkLayout(tx); err == nil {
			s.sets, err = loadAll(tx)
		}
		return err
	})
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// Head is flags.Source's. It reads memory only.
func (s *Store) Head(ctx context.Context, set string) (flags.Head, error) {
	j, err := s.find(ctx, set)
	if err != nil {
		return flags.Head{}, classify("head", set, err)
	}
	return j.feed.Head(), nil
}

// Fetch is flags.Source's. It reads memory only.
func (s *Store) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	j, err := s.find(ctx, set)
	if err != nil {
		return flags.Update{}, classify("fetch", set, err)
	}
	lead := j.feed.Lead(have)
	return lead.Update(), nil
}

// Watch is flags.Watcher's. It reads memory only.
func (s *Store) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	have.Set = set
	return store.WatchSet(ctx, "boltstore: watch "+set, have, func() (*store.Feed, <-chan struct{}, error) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		j := s.sets[set]
		switch err := s.alive(context.Background()); {
		case err != nil:
			return nil, nil, err
		case j != nil:
			return j.feed, nil, nil
		}
		return nil, s.born, nil
	})
}

// Sets is store.History's.
func (s *Store) Sets(ctx context.Context) ([]flags.Head, error) {
	if err := s.alive(ctx); err != nil {
		return nil, classify("sets", "", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	heads := make([]flags.Head, 0, len(s.sets))
	for _, j := range s.sets {
		heads = append(heads, j.feed.Head())
	}
	slices.SortFunc(heads, func(a, b flags.Head) int { return cmp.Compare(a.Set, b.Set) })
	return heads, nil
}

// Feed returns the newest part of a set's journal, for readers that want commits
// as they are encoded.
func (s *Store) Feed(ctx context.Context, set string) (*store.Feed, error) {
	j, err := s.find(ctx, set)
	if err != nil {
		return nil, classify("feed", set, err)
	}
	return j.feed, nil
}

// Close waits for the writes that are under way, refuses the others, ends all
// watches and closes the file. It is idempotent.
func (s *Store) Close() error {
	var err error
	s.closed.Do(func() {
		close(s.closing)
		s.workers.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.born)
		for _, j := range s.sets {
			j.feed.Close()
		}
		err = s.db.Close()
	})
	return err
}

func (s *Store) alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-s.closing:
		return store.ErrClosed
	default:
		return nil
	}
}

func (s *Store) find(ctx context.Context, set string) (*journal, error) {
	if err := s.alive(ctx); err != nil {
		return nil, err
	}
	if j := s.journal(set); j != nil {
		return j, nil
	}
	return nil, fmt.Errorf("%w: no flag set %q", store.ErrNotFound, set)
}

// appear makes a set visible that was created.
func (s *Store) appear(set string, j *journal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sets[set] = j
	close(s.born)
	s.born = make(chan struct{})
}

func (s *Store) journal(set string) *journal {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.sets[set]
}
