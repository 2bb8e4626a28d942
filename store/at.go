package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/holdfast-flags/holdfast/flags"
)

// Remembering is what reading the past needs of a store.
type Remembering interface {
	flags.Source
	History
}

// At returns a set as it was at a version. It costs the commits of the epoch up to
// there. The error wraps ErrNotFound where the set never was at that version, and
// ErrCompacted where so much of the journal is gone that it can't be told any
// more; what is returned always has the digest that the commit stated.
func At(ctx context.Context, s Remembering, set string, at flags.Version) (*flags.Contents, error) {
	v, err := look(ctx, s, set)
	if err != nil {
		return nil, err
	}
	if v.Head().Version == at {
		return v.contents, nil
	}
	c, err := remember(ctx, s, v.contents, at)
	return c, Classify(fmt.Sprintf("store: read %s at %s", set, at), err)
}

func remember(ctx context.Context, s History, now *flags.Contents, at flags.Version) (*flags.Contents, error) {
	set := now.Head().Set
	r := &remembered{entries: map[flags.EntryKey]flags.Entry{}}
	err := EachCommit(ctx, s, set, flags.Version{Epoch: at.Epoch, Revision: 1}, at, r.add)
	if errors.Is(err, ErrCompacted) { // the newer part may be enough
		err = EachCommit(ctx, s, set, flags.Version{}, at, r.add)
	}
	switch {
	case err != nil:
		return nil, err
	case !r.begun && now.Head().Version.Before(at), r.begun && r.head.Version != at:
		return nil, fmt.Errorf("%w: %q was never at revision %s; it is at %s", ErrNotFound, set, at, now.Head().Token())
	case !r.begun:
		return nil, fmt.Errorf("%w: revision %s of %q is no longer kept", ErrCompacted, at, set)
	}
	cp := r.checkpoint(now)
	if err := cp.Verify(); err != nil {
		return nil, fmt.Errorf("%w: the commits that led to revision %s of %q are no longer all kept", ErrCompacted, at, set)
	}
	return flags.ContentsOf(cp), nil
}

// EachCommit calls f for the commits with from <= version <= to, oldest first. The
// zero from means the oldest there is.
func EachCommit(ctx context.Context, h History, set string, from, to flags.Version, f func(*flags.Commit)) error {
	for {
		commits, err := h.Commits(ctx, set, from, to, 0)
		if err != nil || len(commits) == 0 {
			return err
		}
		for i := range commits {
			f(&commits[i])
		}
		from = commits[len(commits)-1].Version
		from.Revision++
	}
}

// remembered is what commits say of a set.
type remembered struct {
	entries map[flags.EntryKey]flags.Entry // nil bytes: deleted
	head    flags.Head                     // of the last commit
	begun   bool
	whole   bool // nothing but these commits led there
}

func (r *remembered) add(c *flags.Commit) {
	r.head, r.begun = c.Head(), true
	if c.Op == flags.OpCreate || c.Op == flags.OpDelete {
		clear(r.entries)
		r.whole = true
	}
	for _, m := range c.Changes {
		r.entries[m.Key] = flags.Entry{Key: m.Key, Bytes: m.Bytes, Revision: c.Revision}
	}
}

// checkpoint returns the entries there were. Where the beginning is missing, an
// entry that was not changed since is as it is now; whether that is all there was
// the digest has to tell.
func (r *remembered) checkpoint(now *flags.Contents) *flags.Checkpoint {
	c := &flags.Checkpoint{Head: r.head}
	for _, e := range r.entries {
		if e.Bytes != nil {
			c.Entries = append(c.Entries, e)
		}
	}
	if !r.whole && now.Head().Epoch == r.head.Epoch {
		for e := range now.All() {
			if _, changed := r.entries[e.Key]; !changed && e.Revision <= r.head.Revision {
				c.Entries = append(c.Entries, e)
			}
		}
	}
	slices.SortFunc(c.Entries, func(a, b flags.Entry) int { return a.Key.Compare(b.Key) })
	return c
}
