package filestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// LastKnownGood keeps the newest installed version of one flag set in a file,
// for the next start of this process. It is a flags.Source (what the file has)
// and a flags.Sink (what goes into it), and safe for concurrent use, also by
// several processes on one path: the file never goes back to an older version
// of the same lineage.
type LastKnownGood struct {
	path     string
	set      string
	interval time.Duration
	logger   *slog.Logger

	sabotage sabotage
	step     func(string) // tests: told of how far a write is

	mu      sync.Mutex // guards the fields below; never held over I/O
	pending *offer
	timer   *time.Timer
	last    time.Time // of the last write
	closed  bool

	writing sync.Mutex // held over I/O, taken before mu
	swept   bool       // under writing: what crashed writers left was looked for
}

// sabotage switches single guards off, so that a test can show that it would
// notice their absence.
type sabotage struct {
	anyVersion bool // replace newer versions too
	unlocked   bool // write without the lock
	single     bool // keep no previous generation
	trusting   bool // believe a file without its checksums
	inPlace    bool // write over the file
}

type offer struct {
	head flags.Head
	asOf time.Time
	full func() *flags.Checkpoint
}

// LKGOptions change how a LastKnownGood works. The zero value is for production.
type LKGOptions struct {
	// Interval is the least time between two writes; what is offered in between is
	// coalesced, the newest wins. Default 1 s.
	Interval time.Duration
	// Logger takes a warning when the file is damaged or cannot be written.
	// Default slog.Default().
	Logger *slog.Logger
}

var (
	_ flags.Source = (*LastKnownGood)(nil)
	_ flags.Sink   = (*LastKnownGood)(nil)
)

// retryAfter is how long after a failed write the next is tried, unless something
// is put before.
const retryAfter = 10 * time.Second

// worthConfirming is how much later the same version must have been confirmed for the file
// to be written again: the age that a next start tells is right to about that.
const worthConfirming = 30 * time.Second

// NewLastKnownGood returns the last-known-good file at path for the given set.
// It does no I/O; the directory is created with the first write.
func NewLastKnownGood(path, set string, o *LKGOptions) *LastKnownGood {
	if o == nil {
		o = &LKGOptions{}
	}
	l := &LastKnownGood{path: path, set: set, interval: o.Interval, logger: o.Logger, step: func(string) {}}
	if l.interval <= 0 {
		l.interval = time.Second
	}
	if l.logger == nil {
		l.logger = slog.Default()
	}
	return l
}

// Head returns the version the file holds.
func (l *LastKnownGood) Head(_ context.Context, set string) (flags.Head, error) {
	k, err := l.load(set)
	return k.head, err
}

// Fetch returns what the file holds as a checkpoint, or nothing where have is at
// that version. AsOf is as old as the file says, by the wall clock, and never in
// the future.
func (l *LastKnownGood) Fetch(_ context.Context, set string, have flags.Head) (flags.Update, error) {
	k, err := l.load(set)
	if err != nil {
		return flags.Update{}, err
	}
	age := max(0, time.Since(k.asOf)) // a clock set back must not make it fresher than now
	u := flags.Update{Head: k.head, AsOf: time.Now().Add(-age)}
	if have.Lineage != k.head.Lineage || have.Version != k.head.Version || have.Digest != k.head.Digest {
		u.Checkpoint = k.checkpoint
	}
	return u, nil
}

// load reads the file, or the generation before it where the file is damaged.
func (l *LastKnownGood) load(set string) (kept, error) {
	var faults error
	class := flags.ClassNotFound
	for _, path := range []string{l.path, l.prev()} {
		k, err := l.read(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			class = flags.ClassTransient
		}
		switch {
		case err == nil && k.head.Set == set:
			return k, nil
		case err == nil:
			err = fmt.Errorf("%s holds set %q, not %q", path, k.head.Set, set)
		case !errors.Is(err, os.ErrNotExist):
			l.logger.Warn("last-known-good file refused", "path", path, "error", err)
		}
		faults = errors.Join(faults, err)
	}
	return kept{}, sourceError(class, "read "+l.path, fmt.Errorf("%w: %w", ErrNothingKept, faults))
}

// Put keeps the offered version, at once or, within Interval of the write before,
// a little later. An older version of the same lineage is ignored, and the one
// that is there unless it was confirmed at least 30 s later. What could not
// be written stays pending: it is tried again with the next Put, after 10 s, and by
// Close.
func (l *LastKnownGood) Put(_ context.Context, u flags.Update, full func() *flags.Checkpoint) error {
	asOf := u.AsOf
	if asOf.IsZero() {
		asOf = time.Now()
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return sourceError(flags.ClassCanceled, "put", os.ErrClosed)
	}
	if p := l.pending; p == nil || p.head.Lineage != u.Head.Lineage || !u.Head.Version.Before(p.head.Version) {
		l.pending = &offer{head: u.Head, asOf: asOf, full: full}
	}
	wait := time.Until(l.last.Add(l.interval))
	if wait > 0 {
		l.flushIn(wait)
	}
	l.mu.Unlock()
	if wait > 0 {
		return nil
	}
	return l.flush()
}

// flushIn writes what is pending after a while. The caller holds mu.
func (l *LastKnownGood) flushIn(wait time.Duration) {
	l.stopTimer()
	l.timer = time.AfterFunc(wait, func() {
		if err := l.flush(); err != nil {
			l.logger.Warn("last-known-good file not written", "path", l.path, "error", err)
		}
	})
}

func (l *LastKnownGood) stopTimer() {
	if l.timer != nil {
		l.timer.Stop()
	}
	l.timer = nil
}

// Close writes what is pending and stops.
func (l *LastKnownGood) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	return l.flush()
}

func (l *LastKnownGood) flush() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	p := l.pending
	l.pending, l.last = nil, time.Now()
	l.stopTimer()
	l.mu.Unlock()
	if p == nil {
		return nil
	}
	err := l.write(p)
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending == nil {
		l.pending = p
	}
	if !l.closed {
		l.flushIn(retryAfter)
	}
	return sourceError(flags.ClassTransient, "write "+l.path, err)
}

// write replaces the file under an advisory lock that other processes with the
// same path take too, so that the newest version wins among all of them.
func (l *LastKnownGood) write(p *offer) error {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return err
	}
	if !l.sabotage.unlocked {
		held, err := lock(l.path+".lock", func() { l.step("blocked") })
		if err != nil {
			return err
		}
		defer held.Close() // also unlocks
	}
	if !l.swept {
		sweep(l.path)
		l.swept = true
	}
	present, sound := l.present()
	if present.head.Lineage == p.head.Lineage && !l.sabotage.anyVersion {
		// The same version with another digest was never the origin's: it is replaced.
		switch older := p.head.Version.Compare(present.head.Version); {
		case older < 0, older == 0 && sound && p.head.Digest == present.head.Digest && p.asOf.Sub(present.asOf) < worthConfirming:
			return nil
		}
	}
	l.step("compared")
	data, err := encodeKept(p.full(), p.asOf)
	if err != nil {
		return err
	}
	if l.sabotage.inPlace {
		return l.overwrite(data)
	}
	return replaceFile(l.path, data, func() error {
		if !sound || l.sabotage.single {
			return nil // a damaged file must not push out the good one before it
		}
		return keepPrevious(l.path, l.prev())
	}, l.step)
}

// overwrite is what a crash must not find.
func (l *LastKnownGood) overwrite(data []byte) error {
	f, err := os.Create(l.path)
	if err != nil {
		return err
	}
	return writeAll(f, data, l.step)
}

// present returns what a reader would be given now, zero for nothing, and whether
// it is in the file itself rather than in the generation before.
func (l *LastKnownGood) present() (k kept, sound bool) {
	for _, path := range []string{l.path, l.prev()} {
		data, err := readFile(path)
		if err != nil {
			continue
		}
		if k, _, err := openKept(data, l.sabotage.trusting); err == nil && k.head.Set == l.set {
			return k, path == l.path
		}
	}
	return kept{}, false
}

// read reads and verifies the file at path.
func (l *LastKnownGood) read(path string) (kept, error) {
	data, err := readFile(path)
	if err != nil {
		return kept{}, err
	}
	k, err := decodeKept(data, l.sabotage.trusting)
	if err != nil {
		return kept{}, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

func (l *LastKnownGood) prev() string { return l.path + ".prev" }
