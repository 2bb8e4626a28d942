package filestore

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// Flagd serves a flagd file as a read-only store of one set. The file is watched:
// each change of its content becomes one commit, so readers get deltas and
// watchers wake at once. A file that cannot be read or has faults changes
// nothing; the last good content goes on being served, and the fault is logged.
//
// The lineage is minted when the file is opened: what another process read from
// the file is not comparable, and a last-known-good file gives way to it.
type Flagd struct {
	path  string
	set   string
	poll  time.Duration
	log   *slog.Logger
	hasty bool
	mem   *memstore.Store
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu      sync.Mutex
	seen    fingerprint       // of the file looked at last
	since   time.Time         // when that fingerprint was first seen
	looked  time.Time         // when the content was last read
	content [sha256.Size]byte // hash of what was read, good or bad
	fault   error             // why the newest content is not served; nil: it is
}

// FlagdOptions change how a flagd file is served. The zero value is for production.
type FlagdOptions struct {
	// Poll is how often the file is looked at. Default 250 ms: one stat, which
	// also works where change notifications do not (network mounts, ConfigMaps).
	Poll time.Duration
	// Logger takes what goes wrong with the file. Default slog.Default().
	Logger *slog.Logger

	hasty bool // twin tests: believe every fingerprint, for ever
}

var _ store.Store = (*Flagd)(nil)

// fingerprint tells contents of a file apart without reading it.
type fingerprint struct {
	modified time.Time
	size     int64
	inode    uint64
}

// OpenFlagd serves the file at path as the given set. A missing or faulty file is
// no error here: reads return it, class transient, until the file is good.
func OpenFlagd(path, set string, o *FlagdOptions) *Flagd {
	if o == nil {
		o = &FlagdOptions{}
	}
	f := &Flagd{path: path, set: set, poll: o.Poll, log: o.Logger, hasty: o.hasty, mem: memstore.New(nil)}
	if f.poll <= 0 {
		f.poll = 250 * time.Millisecond
	}
	if f.log == nil {
		f.log = slog.Default()
	}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	f.look(ctx)
	f.done.Go(func() { f.follow(ctx) })
	return f
}

func (f *Flagd) follow(ctx context.Context) {
	tick := time.NewTicker(f.poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.look(ctx)
		}
	}
}

// When a fingerprint is not believed, and the content read though it is the same:
// by our own clock, as that of a file server may be anywhere.
const (
	settled = 2 * time.Second  // so young, the content may have changed again within one tick of the file system's clock
	doubted = 10 * time.Second // so long after the last look: what was put there may have kept size, inode and time
)

// look takes over the file's content if it may have changed since the last look.
func (f *Flagd) look(ctx context.Context) {
	now, err := fingerprintOf(f.path)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.lost(err)
		return
	}
	if !f.due(now) {
		return
	}
	data, err := readFlagFile(f.path)
	if err != nil {
		f.lost(err)
		return
	}
	if after, err := fingerprintOf(f.path); err != nil || after != now {
		return // written to meanwhile: half of it may read like a whole one
	}
	f.looked = time.Now()
	if sum := sha256.Sum256(data); sum != f.content {
		f.content = sum
		f.tell(f.take(ctx, data))
	}
}

// due reports whether the content must be read, and notes the fingerprint.
func (f *Flagd) due(now fingerprint) bool {
	if now == f.seen {
		young, old := time.Since(f.since) < settled, time.Since(f.looked) >= doubted
		return f.looked.IsZero() || !f.hasty && (young || old)
	}
	written := now.inode == f.seen.inode && now.inode != 0
	f.seen, f.since, f.looked = now, time.Now(), time.Time{}
	// A file put in the place of the old one is whole. What is written where it stands is
	// taken once it has not changed from one look to the next.
	return !written
}

// lost notes that there is nothing to be read, for want of permission say. It is
// tried again each time: to mend that need not change the fingerprint.
func (f *Flagd) lost(err error) {
	f.seen, f.content = fingerprint{}, [sha256.Size]byte{}
	f.tell(err)
}

// tell notes what is wrong with the newest content, if anything, and logs it once.
func (f *Flagd) tell(err error) {
	switch {
	case err != nil && (f.fault == nil || f.fault.Error() != err.Error()):
		f.log.Error("flag file not taken over; the last good content is served", "path", f.path, "error", err)
	case err == nil && f.fault != nil:
		f.log.Info("flag file taken over again", "path", f.path)
	}
	f.fault = err
}

// take commits what differs between the file and what is served.
func (f *Flagd) take(ctx context.Context, data []byte) error {
	doc, err := flagdfile.Parse(data, f.path)
	if err != nil {
		return err
	}
	if err := doc.Check(); err != nil {
		return err
	}
	commit := flags.Commit{Set: f.set, ID: flags.NewCommitID(), Actor: flags.Actor{Kind: "system", Via: "file"}, Reason: f.path}
	u, err := f.mem.Fetch(ctx, f.set, flags.Head{})
	switch {
	case flags.ClassOf(err) == flags.ClassNotFound:
		commit.Op, commit.Changes = flags.OpCreate, flags.Diff(nil, doc.Entries(), false)
	case err != nil:
		return err
	default:
		contents, err := store.Assemble(f.set, u)
		if err != nil {
			return err
		}
		commit.Changes = flags.Diff(contents.Checkpoint().Entries, doc.Entries(), true)
		if len(commit.Changes) == 0 {
			return nil
		}
	}
	_, err = f.mem.Apply(ctx, commit)
	return err
}

// ready returns why nothing can be served yet, if so.
func (f *Flagd) ready(op string) error {
	heads, err := f.mem.Sets(context.Background())
	if err != nil || len(heads) > 0 {
		return err // without the lock: what is served does not wait for a file that is slow to read
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault != nil {
		return sourceError(flags.ClassTransient, op+" "+f.path, f.fault)
	}
	return nil
}

// Fault returns why the newest content of the file is not served, or nil.
func (f *Flagd) Fault() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault
}

// Head is flags.Source's.
func (f *Flagd) Head(ctx context.Context, set string) (flags.Head, error) {
	if err := f.ready("head"); err != nil {
		return flags.Head{}, err
	}
	return f.mem.Head(ctx, set)
}

// Fetch is flags.Source's.
func (f *Flagd) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	if err := f.ready("fetch"); err != nil {
		return flags.Update{}, err
	}
	return f.mem.Fetch(ctx, set, have)
}

// Watch is flags.Watcher's.
func (f *Flagd) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	if err := f.ready("watch"); err != nil {
		return nil, err
	}
	return f.mem.Watch(ctx, set, have)
}

// Sets is store.History's.
func (f *Flagd) Sets(ctx context.Context) ([]flags.Head, error) { return f.mem.Sets(ctx) }

// Commits is store.History's: the changes of the file since it was opened.
func (f *Flagd) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	return f.mem.Commits(ctx, set, from, to, limit)
}

// Apply refuses: the file is edited, not written through us.
func (f *Flagd) Apply(context.Context, flags.Commit) (flags.Commit, error) {
	return flags.Commit{}, sourceError(flags.ClassPermanent, "apply", fmt.Errorf("%w: edit %s", store.ErrReadOnly, f.path))
}

// Close stops watching the file and ends all streams.
func (f *Flagd) Close() error {
	f.stop()
	f.done.Wait()
	return f.mem.Close()
}

// readFlagFile reads a file of a size that a flag file may have.
func readFlagFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is not a regular file", flags.ErrInvalid, path)
	case info.Size() > flags.MaxDocumentBytes:
		return nil, fmt.Errorf("%w: %s has %d bytes, a flag file at most %d", flags.ErrTooLarge, path, info.Size(), flags.MaxDocumentBytes)
	}
	return os.ReadFile(path)
}

func fingerprintOf(path string) (fingerprint, error) {
	info, err := os.Stat(path) // follows links, as ConfigMap updates need
	if err != nil {
		return fingerprint{}, err
	}
	return fingerprint{info.ModTime(), info.Size(), inode(info)}, nil
}
