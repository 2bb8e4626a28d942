package mongostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// maxRebases bounds how often one write may find its place taken.
const maxRebases = 1000

// errVoid: an insert went where the journal had been packed already, because the
// writer knew nothing newer. It is not part of the history.
var errVoid = errors.New("inserted below the journal")

// writer is all writes to one set by this process, one after the other. Other
// processes write too: it finds out when its place is taken.
type writer struct {
	s    *Store
	set  string
	turn chan struct{} // held by who writes

	contents *flags.Contents // as far as known here; nil: not loaded
	ids      *idIndex
	since    int           // commits after the newest checkpoint
	bytes    int           // and their encoded size
	counted  flags.Version // where this count began
}

func newWriter(s *Store, set string) *writer {
	return &writer{s: s, set: set, turn: make(chan struct{}, 1)}
}

// exclusively runs f while no other write to the set goes on in this process. The
// wait has no budget of its own: each of those ahead has one.
func (w *writer) exclusively(ctx context.Context, op string, f func(context.Context) error) error {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return w.s.classify(ctx, ctx, op+" "+w.set, ctx.Err())
	case <-w.s.life.Done():
		return w.s.classify(ctx, ctx, op+" "+w.set, store.ErrClosed)
	}
	return w.s.call(ctx, op+" "+w.set, w.s.opts.BulkTimeout, f)
}

// Apply is store.Writer's.
func (s *Store) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	if err := s.writable(ctx, "apply "+c.Set); err != nil {
		return flags.Commit{}, err
	}
	if err := flags.CheckSetName(c.Set); err != nil { // before it names a writer
		return flags.Commit{}, s.classify(ctx, ctx, "apply", fmt.Errorf("%w: %w", store.ErrInvalid, err))
	}
	w := s.writer(c.Set)
	var accepted flags.Commit
	err := w.exclusively(ctx, "apply", func(ctx context.Context) (err error) {
		accepted, err = w.apply(ctx, c)
		return err
	})
	return accepted, err
}

func (s *Store) writable(ctx context.Context, op string) error {
	if s.opts.ReadOnly && s.life.Err() == nil {
		return s.classify(ctx, ctx, op, store.ErrReadOnly)
	}
	return nil
}

// apply writes optimistically: it believes what it knows to be the newest, and an
// insert that succeeds proves it, since the journal is dense. What would be
// refused is checked against what others have written first.
func (w *writer) apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	fresh := w.contents == nil
	if err := w.load(ctx); err != nil {
		return flags.Commit{}, err
	}
	for range maxRebases {
		if v, ok := w.ids.versions[c.ID]; ok {
			if earlier, found, err := w.s.commitAt(ctx, w.contents.Head(), v, c.ID); err != nil || found {
				return earlier, err
			}
		}
		accepted, err := w.propose(ctx, c)
		switch {
		case err == nil:
			return accepted, nil
		case errors.Is(err, errTaken):
			if err := w.catchUp(ctx); err != nil {
				return flags.Commit{}, err
			}
			fresh = true
		case errors.Is(err, errVoid), errors.Is(err, flags.ErrLineage):
			w.contents = nil
			if err := w.load(ctx); err != nil {
				return flags.Commit{}, err
			}
		case isRefusal(err) && !fresh:
			if err := w.catchUp(ctx); err != nil {
				return flags.Commit{}, err
			}
			fresh = true
		default:
			return flags.Commit{}, err
		}
	}
	return flags.Commit{}, fmt.Errorf("%w %d times in a row", errTaken, maxRebases)
}

// isRefusal reports whether err may be due to knowing too little.
func isRefusal(err error) bool {
	return errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrEnded) ||
		errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid)
}

// propose tries to append c right after what is known.
func (w *writer) propose(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	accepted, err := store.Prepare(w.contents, c, time.Now())
	if err != nil {
		return c, err
	}
	r, err := newRecord(accepted, w.contents.Head().Digest)
	if err != nil {
		return c, err
	}
	if err := w.s.insert(ctx, r); err != nil {
		return c, err
	}
	if err := w.s.tuning.step("insert"); err != nil {
		return c, err
	}
	if err := w.acknowledge(ctx, r); err != nil {
		return c, err
	}
	if err := w.take(r.commit, len(r.doc.Data)); err != nil {
		return c, err
	}
	w.s.acknowledged(accepted.Head())
	w.maintainLater()
	return accepted, nil
}

// acknowledge raises the head to an inserted commit, and makes sure that the
// insert did not go below a journal that was packed in the meantime: a writer
// that slept through some hundred commits finds its place free again.
func (w *writer) acknowledge(ctx context.Context, r record) error {
	head, err := w.s.raise(ctx, r.commit.Head())
	if err == nil && (head.Version == r.commit.Version || w.s.tuning.credulous) {
		return nil
	}
	if err == nil {
		var inside bool
		if inside, err = w.s.isInHistory(ctx, r.commit); inside || err != nil {
			return err
		}
		err = errVoid
	} else if !errors.Is(err, flags.ErrLineage) {
		return err
	}
	mine := bson.D{{Key: "_id", Value: r.doc.ID}, {Key: "cid", Value: r.doc.CID}}
	if _, removal := w.s.journal.DeleteOne(ctx, mine); removal != nil {
		return removal
	}
	return err
}

// take moves what is known on by a commit.
func (w *writer) take(c flags.Commit, size int) error {
	if err := w.contents.Apply(&c); err != nil {
		w.contents = nil
		return err
	}
	w.ids.add(c.ID, c.Version)
	w.ids.keep(w.s.keptIDs())
	w.since, w.bytes = w.since+1, w.bytes+size
	return nil
}

// load reads the set, unless it is known already.
func (w *writer) load(ctx context.Context) error {
	if w.contents != nil {
		return nil
	}
	if err := w.reload(ctx); err != nil {
		return err
	}
	return w.catchUp(ctx)
}

// reload reads the set up to its head. On error nothing is known.
func (w *writer) reload(ctx context.Context) error {
	w.contents = nil
	contents := flags.NewContents(w.set)
	var tail []flags.Commit
	head, err := w.s.readHead(ctx, w.set)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return err
	default:
		u, err := w.s.assemble(ctx, head)
		if err != nil {
			return err
		}
		contents, tail = flags.ContentsOf(u.Checkpoint), u.Commits
	}
	for i := range tail {
		if err := contents.Apply(&tail[i]); err != nil {
			return err
		}
	}
	ids, err := w.s.loadIDs(ctx, head)
	if err != nil {
		return err
	}
	w.contents, w.ids, w.since, w.bytes, w.counted = contents, ids, len(tail), 0, head.Version
	return nil
}

// catchUp takes over what others have written. A commit may lie beyond the head:
// its writer died, or has not got round to raising the head, which is done here.
func (w *writer) catchUp(ctx context.Context) error {
	for range 3 {
		err := w.catchUpOnce(ctx)
		if !errors.Is(err, flags.ErrGap) && !errors.Is(err, flags.ErrLineage) {
			return err
		}
		// The journal was packed past what is known here, or the set replaced.
		if err := w.reload(ctx); err != nil {
			return err
		}
	}
	w.contents = nil
	return fmt.Errorf("%w: the journal of %q changes under our hands", flags.ErrGap, w.set)
}

// catchUpOnce leaves nothing known on an error: a commit that is known and not
// below the head yet would pass for one that was acknowledged.
func (w *writer) catchUpOnce(ctx context.Context) (err error) {
	defer func() {
		if err != nil && !w.s.tuning.hasty {
			w.contents = nil
		}
	}()
	at := w.contents.Head()
	beyond := between(journalKey(w.set, at.Version)+"!", w.set+"/~") // "!" and "~" enclose what follows a whole key
	for d, err := range w.s.scan(ctx, beyond, 0) {
		if err != nil {
			return err
		}
		if err := w.takeOver(ctx, d); err != nil {
			return err
		}
	}
	head := w.contents.Head()
	if head == at {
		return nil
	}
	if err := w.s.tuning.step("take over"); err != nil {
		return err
	}
	if _, err := w.s.raise(ctx, head); err != nil {
		return err
	}
	w.s.acknowledged(head)
	return nil
}

// takeOver moves what is known on by a document that another has inserted.
func (w *writer) takeOver(ctx context.Context, d journalDoc) error {
	if lineage := w.contents.Head().Lineage; lineage != "" && d.Lineage != string(lineage) {
		return w.removeForeign(ctx, d)
	}
	c, err := d.parse()
	if err != nil {
		return err
	}
	if err := follows(w.contents.Head(), &c); err != nil {
		return err
	}
	return w.take(c, len(d.Data))
}

// removeForeign removes a commit of a lineage that is not the head's: left over
// from before a replica was seeded anew. If the head is of that lineage after
// all, it is we who are behind.
func (w *writer) removeForeign(ctx context.Context, d journalDoc) error {
	head, err := w.s.readHead(ctx, w.set)
	if err != nil {
		return err
	}
	if head.Lineage != w.contents.Head().Lineage {
		return fmt.Errorf("%w: the set was replaced by %s", flags.ErrLineage, head.Token())
	}
	_, err = w.s.journal.DeleteOne(ctx, bson.D{{Key: "_id", Value: d.ID}, {Key: "lineage", Value: d.Lineage}})
	return err
}
