package flags

import (
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Contents is a set being kept up to date: what a store, a mirror or a cache
// fill assembles from a checkpoint and commits. Applying a commit costs what it
// changes. Not safe for concurrent use.
type Contents struct {
	head      Head
	entries   map[EntryKey]Entry
	overrides map[string]int // number of overrides, by flag
	size      int            // of all keys and bytes
}

// NewContents returns the contents of a set that was never written.
func NewContents(set string) *Contents {
	return &Contents{head: Head{Set: set}, entries: map[EntryKey]Entry{}, overrides: map[string]int{}}
}

// ContentsOf returns the contents of a checkpoint. The checkpoint must have been
// verified, as every decoded one is.
func ContentsOf(cp *Checkpoint) *Contents {
	c := &Contents{head: cp.Head, entries: make(map[EntryKey]Entry, len(cp.Entries)), overrides: map[string]int{}}
	for _, e := range cp.Entries {
		c.put(e)
	}
	return c
}

// Head returns the head the contents are at.
func (c *Contents) Head() Head { return c.head }

// Get returns the entry of a key.
func (c *Contents) Get(key EntryKey) (Entry, bool) {
	e, ok := c.entries[key]
	return e, ok
}

// All returns the entries in no particular order.
func (c *Contents) All() iter.Seq[Entry] { return maps.Values(c.entries) }

func (c *Contents) put(e Entry) {
	c.remove(e.Key)
	c.entries[e.Key] = e
	c.size += sizeOf(e.Key, e.Bytes)
	if e.Key.Kind == KindOverride {
		c.overrides[e.Key.Name]++
	}
}

func (c *Contents) remove(key EntryKey) {
	e, ok := c.entries[key]
	if !ok {
		return
	}
	c.size -= sizeOf(key, e.Bytes)
	delete(c.entries, key)
	if key.Kind != KindOverride {
		return
	}
	if c.overrides[key.Name]--; c.overrides[key.Name] == 0 {
		delete(c.overrides, key.Name)
	}
}

// Checkpoint returns all entries, sorted. It costs the size of the set.
func (c *Contents) Checkpoint() *Checkpoint {
	cp := &Checkpoint{Head: c.head, Entries: make([]Entry, 0, len(c.entries))}
	for _, e := range c.entries {
		cp.Entries = append(cp.Entries, e)
	}
	slices.SortFunc(cp.Entries, func(a, b Entry) int { return a.Key.Compare(b.Key) })
	return cp
}

// NextVersion returns the version that a commit with op gets after h, or an
// error wrapping ErrGap when op cannot follow: only OpCreate begins an epoch.
func (h Head) NextVersion(op Op) (Version, error) {
	ended := h.Version.IsZero() || h.Status != StatusLive
	switch {
	case op == OpCreate && h.Version.IsZero():
		return Version{0, 1}, nil
	case op == OpCreate && ended:
		return Version{h.Epoch + 1, 1}, nil
	case op == OpCreate:
		return Version{}, fmt.Errorf("%w: %s exists", ErrGap, h.Token())
	case ended:
		return Version{}, fmt.Errorf("%w: %s after the end of epoch %d of %q", ErrGap, op, h.Epoch, h.Set)
	default:
		return Version{h.Epoch, h.Revision + 1}, nil
	}
}

// Apply moves the contents on by one accepted commit. On error (wrapping ErrGap,
// ErrLineage or ErrDigest) the contents are as before.
func (c *Contents) Apply(commit *Commit) error {
	if err := c.head.admits(commit, c.bytes); err != nil {
		return err
	}
	if commit.Op == OpDelete || commit.Op == OpCreate {
		clear(c.entries)
		clear(c.overrides)
		c.size = 0
	}
	for _, m := range commit.Changes {
		if m.Bytes == nil {
			c.remove(m.Key)
			continue
		}
		c.put(Entry{Key: m.Key, Bytes: m.Bytes, Revision: commit.Revision})
	}
	c.head = commit.Head()
	return nil
}

// bytes returns the bytes of an entry, nil where there is none.
func (c *Contents) bytes(key EntryKey) []byte { return c.entries[key].Bytes }

// admits checks that commit follows h and that the contents, whose entries stand
// returns, then have the digest that the commit states. It is the one rule for
// all that assemble sets.
func (h Head) admits(commit *Commit, stand func(EntryKey) []byte) error {
	if err := h.follows(commit); err != nil {
		return err
	}
	digest, count := h.after(commit.Op, commit.Changes, stand)
	if digest != commit.Digest || count != commit.Count {
		return fmt.Errorf("%w: %s comes to %d entries and %s, commit says %d and %s",
			ErrDigest, commit.Head().Token(), count, digest, commit.Count, commit.Digest)
	}
	return nil
}

// follows checks that commit is the next one of this history.
func (h Head) follows(commit *Commit) error {
	if commit.Set != h.Set || h.Lineage != "" && commit.Lineage != h.Lineage {
		return fmt.Errorf("%w: %s cannot follow %s", ErrLineage, commit.Head().Token(), h.Token())
	}
	if err := checkOp(commit); err != nil {
		return err
	}
	next, err := h.NextVersion(commit.Op)
	if err != nil {
		return err
	}
	if next != commit.Version {
		return fmt.Errorf("%w: %s after %s, want %s", ErrGap, commit.Version, h.Version, next)
	}
	return nil
}

// Seal fills in what the accepting store adds to a proposed commit: lineage,
// version, digest and count. The error wraps ErrGap, ErrInvalid or, where the set
// would be over MaxSetBytes, ErrTooLarge. Time is the caller's.
func (c *Contents) Seal(commit *Commit) error {
	if err := checkOp(commit); err != nil {
		return err
	}
	if size := c.sizeAfter(commit); size > MaxSetBytes {
		return fmt.Errorf("%w: set %q would come to %d bytes, at most %d; delete what is unused or divide it", ErrTooLarge, c.head.Set, size, MaxSetBytes)
	}
	next, err := c.head.NextVersion(commit.Op)
	if err != nil {
		return err
	}
	commit.Set, commit.Lineage, commit.Version = c.head.Set, c.head.Lineage, next
	if commit.Lineage == "" {
		commit.Lineage = NewLineage()
	}
	commit.Digest, commit.Count = c.head.after(commit.Op, commit.Changes, c.bytes)
	return nil
}

// sizeOf is what an entry adds to the size of a set.
func sizeOf(key EntryKey, data []byte) int {
	const fields = 16 // lengths, kind and revision, about
	return fields + len(key.Name) + len(key.Entity) + len(data)
}

// sizeAfter returns the size of the contents after a commit whose keys differ.
func (c *Contents) sizeAfter(commit *Commit) int {
	size, kept := c.size, c.entries
	if commit.Op == OpCreate || commit.Op == OpDelete {
		size, kept = 0, nil
	}
	for _, m := range commit.Changes {
		if e, ok := kept[m.Key]; ok {
			size -= sizeOf(m.Key, e.Bytes)
		}
		if m.Bytes != nil {
			size += sizeOf(m.Key, m.Bytes)
		}
	}
	return size
}

// checkOp refuses changes in a commit that ends an epoch: what it leaves behind
// is decided by its operation alone.
func checkOp(commit *Commit) error {
	if (commit.Op == OpSeal || commit.Op == OpDelete) && len(commit.Changes) > 0 {
		return fmt.Errorf("%w: a %s commit with changes", ErrInvalid, commit.Op)
	}
	return nil
}

// after returns digest and count of contents at h once changes are applied, where
// stand returns the bytes of an entry as it is. A key changed twice in one commit
// counts as its last change.
func (h Head) after(op Op, changes []Mutation, stand func(EntryKey) []byte) (Digest, int) {
	digest, count := h.Digest, h.Count
	if op == OpDelete || op == OpCreate {
		digest, count, stand = Digest{}, 0, func(EntryKey) []byte { return nil }
	}
	pending := make(map[EntryKey][]byte, len(changes))
	for _, m := range changes {
		old, seen := pending[m.Key]
		if !seen {
			old = stand(m.Key)
		}
		if old != nil {
			digest, count = digest.Minus(EntryHash(m.Key, old)), count-1
		}
		if m.Bytes != nil {
			digest, count = digest.Plus(EntryHash(m.Key, m.Bytes)), count+1
		}
		pending[m.Key] = m.Bytes
	}
	return digest, count
}
