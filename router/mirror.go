package router

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store"
)

// mirrorBatch is how many commits are read from the journal and sent at a time.
const mirrorBatch = 256

// wholeHistory is the longest journal that a new mirror gets from its beginning.
// A longer one begins with a checkpoint, which takes the mirror no time.
const wholeHistory = 1000

// mirror is a place that has the journal itself.
type mirror struct {
	name    string
	replica store.Replica
	journal store.History
}

func (m *mirror) locate(ctx context.Context, set string) (flags.Head, error) {
	at, err := m.replica.Head(ctx, set)
	if flags.ClassOf(err) == flags.ClassNotFound && err != nil {
		return flags.Head{}, nil
	}
	return at, err
}

func (m *mirror) bring(ctx context.Context, set *hub.Set, at flags.Head) (flags.Head, error) {
	lead := set.Lead(at)
	if !lead.Moves() {
		// Nothing to bring, so look whether it is still there.
		var err error
		if at, err = m.locate(ctx, set.Name()); err != nil {
			return at, err
		}
		lead = set.Lead(at)
	}
	if err := m.admit(at, lead.Head); err != nil {
		return at, err
	}
	if lead.Base != nil && lead.Base.Version.Before(at.Version) && at.Epoch < lead.Head.Epoch {
		return m.restore(ctx, set.Name(), at, lead.Update())
	}
	if lead.Base != nil {
		caught, err := m.fromJournal(ctx, set.Name(), at, lead.Base.Head)
		if err != nil {
			return at, err
		}
		if !caught {
			if err := m.replica.Seed(ctx, lead.Base.Checkpoint); err != nil {
				return at, err
			}
		}
	}
	update := lead.Update()
	if len(update.Commits) > 0 {
		if err := m.replica.Append(ctx, set.Name(), update.Commits); err != nil {
			return at, err
		}
	}
	return lead.Head, nil
}

// restore takes the mirror over to a newer epoch, which began before where the
// mirror is: the store was restored from a backup. Commits cannot lead there.
func (m *mirror) restore(ctx context.Context, set string, at flags.Head, u flags.Update) (flags.Head, error) {
	contents, err := store.Assemble(set, u)
	if err != nil {
		return at, err
	}
	return u.Head, m.replica.Seed(ctx, contents.Checkpoint())
}

// admit refuses to touch a mirror that holds what this router cannot have
// written: it may be the only copy of somebody's history.
func (m *mirror) admit(at, head flags.Head) error {
	switch {
	case at.Version.IsZero():
		return nil
	case at.Lineage != head.Lineage:
		return fmt.Errorf("%w: mirror %s holds %s, the store has %s; empty the mirror or name another",
			flags.ErrLineage, m.name, at.Token(), head.Token())
	case head.Version.Before(at.Version):
		return fmt.Errorf("%w: mirror %s is at %s, ahead of the store at %s; restore the store from the mirror",
			flags.ErrGap, m.name, at.Token(), head.Token())
	case head.Version == at.Version && head.Digest != at.Digest:
		return fmt.Errorf("%w: mirror %s has other contents at %s than the store", flags.ErrDigest, m.name, at.Token())
	default:
		return nil
	}
}

// fromJournal appends the commits after at up to base, and reports whether the
// journal still has all of them and it is worth the while.
func (m *mirror) fromJournal(ctx context.Context, set string, at, base flags.Head) (bool, error) {
	if at.Version.IsZero() && (base.Epoch > 0 || base.Revision > wholeHistory) {
		return false, nil
	}
	for at.Version.Before(base.Version) {
		from := flags.Version{Epoch: at.Epoch, Revision: at.Revision + 1}
		commits, err := m.journal.Commits(ctx, set, from, base.Version, mirrorBatch)
		if errors.Is(err, store.ErrCompacted) || err == nil && len(commits) == 0 {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if next, err := at.NextVersion(commits[0].Op); err != nil || next != commits[0].Version {
			return false, nil // the store was restored from before at, and has another way to base
		}
		if err := m.replica.Append(ctx, set, commits); err != nil {
			return false, err
		}
		at = commits[len(commits)-1].Head()
	}
	return true, nil
}
