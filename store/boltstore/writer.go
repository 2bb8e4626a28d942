package boltstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Bounds of what waiting writes share a transaction: their number, and the bytes
// of their changes, of which the last one may go beyond.
const (
	maxGroup      = 256
	maxGroupBytes = 16 << 20
)

// errNothing rolls a transaction back that has nothing to write: no fsync.
var errNothing = errors.New("nothing to write")

// request is one write that waits. The writer goroutine calls stage within the
// group's transaction; an error from it fails this request alone. What stage
// leaves in the journal's staged and seed is written and published.
type request struct {
	ctx      context.Context // of the caller, who may have given up while waiting
	set      string
	size     int // bytes it changes, about
	stage    func(d disk, exists bool, j *journal) error
	accepted flags.Commit // Apply's answer
	err      error
	done     chan struct{} // closed when err and accepted are final
}

// submit hands a request to the writer and waits for its end. A caller that gives
// up leaves the request to its fate.
func (s *Store) submit(r *request) error {
	if err := s.alive(r.ctx); err != nil {
		return err
	}
	r.done = make(chan struct{})
	select {
	case s.queue <- r:
	case <-r.ctx.Done():
		return r.ctx.Err()
	case <-s.closing:
		return store.ErrClosed
	}
	select {
	case <-r.done:
		return r.err
	case <-r.ctx.Done():
		return fmt.Errorf("gave up waiting, the commit may still be applied: %w", r.ctx.Err())
	case <-s.closing:
	}
	// The writer either finishes or refuses what it finds in the queue; what came
	// too late for that was never looked at.
	s.workers.Wait()
	select {
	case <-r.done:
		return r.err
	default:
		return store.ErrClosed
	}
}

// write is the writer goroutine: it takes whatever waits, writes it in one
// transaction and answers, until the store closes.
func (s *Store) write() {
	for {
		select {
		case first := <-s.queue:
			s.commit(s.gather(first))
		case <-s.closing:
			return
		}
	}
}

func (s *Store) gather(first *request) []*request {
	group, size := []*request{first}, first.size
	for len(group) < maxGroup && size < maxGroupBytes {
		select {
		case r := <-s.queue:
			group, size = append(group, r), size+r.size
		default:
			return group
		}
	}
	return group
}

// commit writes a group with one fsync. Members that fail their checks do not
// hold up the others.
func (s *Store) commit(group []*request) {
	touched := map[string]*journal{}
	err := s.failed
	if err == nil {
		err = s.transact(group, touched)
	}
	switch {
	case err == nil:
		s.publish(touched)
	case s.failed == nil && !errors.Is(err, errNothing):
		err = s.recover(touched, err)
	}
	if s.opts.ackEarly && err == nil {
		return
	}
	for _, r := range group {
		if err != nil && r.err == nil && !errors.Is(err, errNothing) {
			r.err = err
		}
		close(r.done)
	}
}

func (s *Store) transact(group []*request, touched map[string]*journal) error {
	return guarded(s.db.Update, func(tx *bolt.Tx) error {
		for _, r := range group {
			if r.err = r.ctx.Err(); r.err == nil {
				r.err = s.stage(tx, r, touched)
			}
		}
		err := writeStaged(tx, touched)
		if err == nil && s.opts.ackEarly {
			for _, r := range group {
				close(r.done)
			}
		}
		return err
	})
}

// stage counts the set as touched before anything can go wrong in the middle.
func (s *Store) stage(tx *bolt.Tx, r *request, touched map[string]*journal) error {
	j := touched[r.set]
	if j == nil {
		if j = s.journal(r.set); j == nil {
			j = newJournal(r.set)
		}
		touched[r.set] = j
	}
	d, exists := diskOf(tx, r.set)
	return r.stage(d, exists, j)
}

// writeStaged puts what the group has staged into the transaction.
func writeStaged(tx *bolt.Tx, touched map[string]*journal) error {
	wrote := errNothing
	for set, j := range touched {
		if !j.moves() {
			continue
		}
		wrote = nil
		d, err := createDisk(tx, set)
		if err != nil {
			return err
		}
		if j.seed != nil {
			if d, err = d.replaceBy(tx, j.seed); err != nil {
				return err
			}
		}
		for _, r := range j.staged {
			if err := d.append(r); err != nil {
				return err
			}
		}
	}
	return wrote
}

func (s *Store) publish(touched map[string]*journal) {
	for set, j := range touched {
		if !j.moves() {
			continue
		}
		fresh := j.feed == nil
		j.publish()
		if fresh {
			s.appear(set, j)
		}
		if j.commits >= keepEvery || j.bytes >= keepEveryBytes {
			select {
			case s.grown <- set:
				j.commits, j.bytes = 0, 0
			default: // the keeper is busy; the next commit tells it again
			}
		}
	}
}

// recover finds out what the file holds after a transaction failed: it may have
// come through all the same, so what memory says is worth nothing. It returns
// the error for the members of the group.
func (s *Store) recover(touched map[string]*journal, why error) error {
	err := guarded(s.db.View, func(tx *bolt.Tx) error {
		for set, j := range touched {
			d, ok := diskOf(tx, set)
			if !ok {
				continue // it was to be created, and was not
			}
			l, err := d.load()
			if err != nil {
				return err
			}
			j.reload(&l)
			s.appear(set, j)
		}
		return nil
	})
	why = fmt.Errorf("%s: %w", s.path, why)
	if err != nil {
		s.failed = fmt.Errorf("%w (and reading back: %w); reads go on, writes need a restart", why, err)
		return s.failed
	}
	return why
}

// Apply is store.Writer's: it returns once the commit is on disk.
func (s *Store) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	r := &request{ctx: ctx, set: c.Set, size: changedBytes(c)}
	r.stage = func(d disk, exists bool, j *journal) (err error) {
		r.accepted, err = j.accept(d, exists, c)
		return err
	}
	if err := s.submit(r); err != nil {
		return flags.Commit{}, classify("apply", c.Set, err)
	}
	return r.accepted, nil
}

func changedBytes(commits ...flags.Commit) (n int) {
	for _, c := range commits {
		for _, m := range c.Changes {
			n += len(m.Bytes)
		}
	}
	return n
}

// accept stages a proposed commit, or finds it accepted earlier.
func (j *journal) accept(d disk, exists bool, c flags.Commit) (flags.Commit, error) {
	for _, r := range j.staged {
		if r.Commit.ID == c.ID {
			return r.Commit, nil
		}
	}
	if exists && j.seed == nil {
		if earlier, found, err := d.byID(c.ID); found || err != nil {
			return earlier, err
		}
	}
	accepted, err := store.Prepare(j.contents, c, time.Now())
	if err != nil {
		return flags.Commit{}, err
	}
	record, err := store.NewRecord(accepted)
	if err != nil {
		return flags.Commit{}, err
	}
	if err := j.contents.Apply(&accepted); err != nil {
		return flags.Commit{}, err
	}
	j.staged = append(j.staged, record)
	return accepted, nil
}
