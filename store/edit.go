package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Editable is what editing needs of a store.
type Editable interface {
	flags.Source
	Writer
}

// maxRebases bounds how often an edit that keeps losing against others begins
// again. Each round means that somebody else got their write through.
const maxRebases = 64

// View is the set that an edit sees.
type View struct {
	contents *flags.Contents
	read     map[flags.EntryKey]uint64 // what the edit relies on, at which revision
}

// Head returns the head of the set.
func (v *View) Head() flags.Head { return v.contents.Head() }

// Get returns an entry. The edit's commit will apply only while nobody else has
// changed it, or created it where there is none.
func (v *View) Get(key flags.EntryKey) (flags.Entry, bool) {
	e, ok := v.contents.Get(key)
	v.read[key] = e.Revision
	return e, ok
}

// All yields every entry, in no particular order. Unlike Get it does not make the
// edit's commit rely on them.
func (v *View) All() iter.Seq[flags.Entry] { return v.contents.All() }

// Overrides returns the overrides of a flag, in no particular order; those of all
// flags where flag is "". The edit relies on each as with Get.
func (v *View) Overrides(flag string) []flags.Entry {
	var out []flags.Entry
	for e := range v.contents.All() {
		if e.Key.Kind == flags.KindOverride && (flag == "" || e.Key.Name == flag) {
			v.read[e.Key] = e.Revision
			out = append(out, e)
		}
	}
	return out
}

// Rely makes the edit rely on the entries that changes are made to, as with Get.
func (v *View) Rely(changes []flags.Mutation) []flags.Mutation {
	for _, m := range changes {
		v.Get(m.Key)
	}
	return changes
}

// Deletion returns what deletes an entry: a flag with all its overrides, on which the
// edit then relies.
func (v *View) Deletion(key flags.EntryKey) []flags.Mutation {
	changes := []flags.Mutation{{Key: key}}
	if key.Kind == flags.KindFlag {
		for _, e := range v.Overrides(key.Name) {
			changes = append(changes, flags.Mutation{Key: e.Key})
		}
	}
	return changes
}

// Check returns what the store would refuse changes to this set for, as Apply
// does: for a dry run.
func (v *View) Check(changes []flags.Mutation) error {
	_, err := Prepare(v.contents, flags.Commit{Set: v.Head().Set, ID: flags.NewCommitID(), Changes: changes}, time.Now())
	return err
}

// Edit reads a set, lets change say what to write, and writes it as one commit on
// condition that nothing change has looked at was changed meanwhile; if it was,
// it begins again. So two people who edit two flags never conflict, and of two
// who edit the same flag neither undoes the other.
//
// c carries set, actor, reason and address, and conditions of the caller's own,
// which are never rebased. An ID of the caller's makes the whole edit safe to
// repeat; without one it is given one. change may run several times. If it
// returns no changes, nothing is written and the commit returned is zero.
//
// An error of change is returned as it is.
func Edit(ctx context.Context, s Editable, c flags.Commit, change func(*View) ([]flags.Mutation, error)) (flags.Commit, error) {
	if c.ID == (flags.CommitID{}) {
		c.ID = flags.NewCommitID()
	}
	var seen flags.Version
	var refused error
	for range maxRebases {
		v, err := look(ctx, s, c.Set)
		if err != nil {
			return flags.Commit{}, err
		}
		if refused != nil && v.Head().Version == seen {
			return flags.Commit{}, refused // it is not the others, it is the commit
		}
		seen = v.Head().Version
		proposed, err := v.propose(c, change)
		if err != nil || len(proposed.Changes) == 0 {
			return flags.Commit{}, err
		}
		accepted, err := s.Apply(ctx, proposed)
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrInvalid) {
			return accepted, err
		}
		refused = err
	}
	return flags.Commit{}, fmt.Errorf("gave up after %d attempts: %w", maxRebases, refused)
}

func look(ctx context.Context, s flags.Source, set string) (*View, error) {
	u, err := s.Fetch(ctx, set, flags.Head{Set: set})
	if err != nil {
		return nil, err
	}
	contents, err := Assemble(set, u)
	if err != nil {
		return nil, Classify("store: edit "+set, err)
	}
	return &View{contents: contents, read: map[flags.EntryKey]uint64{}}, nil
}

func (v *View) propose(c flags.Commit, change func(*View) ([]flags.Mutation, error)) (flags.Commit, error) {
	changes, err := change(v)
	if err != nil {
		return c, err
	}
	c.Changes = changes
	conditions := make([]flags.Condition, 0, len(c.Conditions)+len(v.read))
	for _, own := range c.Conditions {
		conditions = append(conditions, own)
		delete(v.read, own.Key)
	}
	for key, revision := range v.read {
		p := flags.Condition{Key: key}
		if revision != 0 {
			p.Version = flags.Version{Epoch: v.Head().Epoch, Revision: revision}
		}
		conditions = append(conditions, p)
	}
	c.Conditions = conditions
	return c, nil
}

// EditEntry edits one entry: change gets its bytes, nil where there is none, and
// returns the new ones, nil to delete it. Returning the old bytes writes nothing.
func EditEntry(ctx context.Context, s Editable, c flags.Commit, key flags.EntryKey, change func(old []byte) ([]byte, error)) (flags.Commit, error) {
	return Edit(ctx, s, c, func(v *View) ([]flags.Mutation, error) {
		e, _ := v.Get(key)
		data, err := change(e.Bytes)
		if err != nil || string(data) == string(e.Bytes) && (data == nil) == (e.Bytes == nil) {
			return nil, err
		}
		return []flags.Mutation{{Key: key, Bytes: data}}, nil
	})
}

// DeleteFlag deletes a flag and all its overrides in one commit. A flag that is
// not there is an error wrapping ErrNotFound.
func DeleteFlag(ctx context.Context, s Editable, c flags.Commit, flag string) (flags.Commit, error) {
	return Edit(ctx, s, c, func(v *View) ([]flags.Mutation, error) {
		key := flags.FlagKey(flag)
		if _, ok := v.Get(key); !ok {
			return nil, Classify("store: delete "+c.Set, fmt.Errorf("%w: no flag %q in %s", ErrNotFound, flag, v.Head().Token()))
		}
		return v.Deletion(key), nil
	})
}
