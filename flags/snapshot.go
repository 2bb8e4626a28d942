package flags

import (
	"iter"
	"slices"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// Snapshot is a whole flag set at one version, compiled: what reads are answered
// from. It is immutable and safe for concurrent use. A newer one is made from it
// by Apply at the cost of what changed; the two share the rest.
//
// It keeps every entry's bytes and revision, so that it can be written out again.
type Snapshot struct {
	head       Head
	flags      table[*flagNode]
	evaluators table[*evaluatorNode]
	metadata   []Entry // of the set, sorted by key
	maxAges    maxAges
	compiled   struct {
		evaluators *jsonlogic.Evaluators
		metadata   jsonlogic.Value // object of the set's metadata
	}
	bare published // what View answers from
}

// flagNode is a flag with its overrides.
type flagNode struct {
	key       string
	bytes     []byte // the definition; nil where only overrides are there
	revision  uint64
	overrides *overrideTable // nil: none
	owner     *edit          // may change the node, until it is published
	stale     bool           // the definition is not compiled yet
	// What the first look at a flag answers from, both nil where there are overrides.
	fixed *outcome           // the answer of a STATIC flag, nil for any other
	rule  *jsonlogic.Program // the rule, where it alone decides
	compiledFlag
}

type evaluatorNode struct {
	bytes    []byte
	revision uint64
}

// NewSnapshot compiles a checkpoint, which must have been verified, as every
// decoded one is. It never fails: a flag whose definition is broken answers
// PARSE_ERROR, and the others are what they are.
func NewSnapshot(cp *Checkpoint) *Snapshot {
	b := newBuilder(&Snapshot{head: cp.Head}, len(cp.Entries))
	for i := range cp.Entries {
		e := &cp.Entries[i]
		b.set(e.Key, e.Bytes, e.Revision)
	}
	return b.finish(cp.Head)
}

// Apply returns the snapshot after commits, which must follow it in order. Like
// Contents.Apply it checks sequence, lineage and digest of each. On error
// (wrapping ErrGap, ErrLineage or ErrDigest) there is no new snapshot; s is never changed.
func (s *Snapshot) Apply(commits ...Commit) (*Snapshot, error) {
	b := newBuilder(s, 0)
	head := s.head
	for i := range commits {
		c := &commits[i]
		if err := head.admits(c, b.snap.bytes); err != nil {
			return nil, err
		}
		if c.Op == OpDelete || c.Op == OpCreate {
			b = newBuilder(&Snapshot{}, len(c.Changes))
		}
		for _, m := range c.Changes {
			b.set(m.Key, m.Bytes, c.Revision)
		}
		head = c.Head()
	}
	return b.finish(head), nil
}

// Head returns the head of the set that the snapshot is at.
func (s *Snapshot) Head() Head { return s.head }

// Token returns the revision token of the snapshot.
func (s *Snapshot) Token() Token { return s.head.Token() }

// View returns a view that reads from the snapshot, as fresh as can be said: for
// whoever holds a snapshot without a client.
func (s *Snapshot) View() View { return View{&s.bare} }

// Get returns an entry as it was written.
func (s *Snapshot) Get(key EntryKey) (Entry, bool) {
	data, revision := s.entry(key)
	return Entry{Key: key, Bytes: data, Revision: revision}, data != nil
}

// Len returns the number of flags.
func (s *Snapshot) Len() int {
	n := 0
	for _, f := range s.flags.all() {
		if f.bytes != nil {
			n++
		}
	}
	return n
}

// Keys returns the keys of all flags, sorted.
func (s *Snapshot) Keys() []string {
	keys := make([]string, 0, s.flags.count)
	for key, f := range s.flags.all() {
		if f.bytes != nil {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Entries iterates over all entries in no order.
func (s *Snapshot) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for key, f := range s.flags.all() {
			if f.bytes != nil && !yield(Entry{FlagKey(key), f.bytes, f.revision}) {
				return
			}
			for entity, o := range f.overrides.all() {
				if !yield(Entry{OverrideKey(key, entity), o.text.bytes, o.revision}) {
					return
				}
			}
		}
		for name, e := range s.evaluators.all() {
			if !yield(Entry{EntryKey{Kind: KindEvaluator, Name: name}, e.bytes, e.revision}) {
				return
			}
		}
		for _, e := range s.metadata {
			if !yield(e) {
				return
			}
		}
	}
}

// Checkpoint returns the set as it was written, entries sorted. It costs the size
// of the set.
func (s *Snapshot) Checkpoint() *Checkpoint {
	cp := &Checkpoint{Head: s.head, Entries: make([]Entry, 0, s.head.Count)}
	for e := range s.Entries() {
		cp.Entries = append(cp.Entries, e)
	}
	slices.SortFunc(cp.Entries, func(a, b Entry) int { return a.Key.Compare(b.Key) })
	return cp
}

// Metadata returns the metadata of the set, an object.
func (s *Snapshot) Metadata() Value { return Value{s.compiled.metadata} }

// bytes returns the bytes of an entry, nil where there is none.
func (s *Snapshot) bytes(key EntryKey) []byte {
	data, _ := s.entry(key)
	return data
}

func (s *Snapshot) entry(key EntryKey) (data []byte, revision uint64) {
	switch key.Kind {
	case KindFlag:
		if f := s.flags.get(key.Name); f != nil {
			return f.bytes, f.revision
		}
	case KindOverride:
		if f := s.flags.get(key.Name); f != nil {
			if o := f.overrides.get(key.Entity); o.text != nil {
				return o.text.bytes, o.revision
			}
		}
	case KindEvaluator:
		if e := s.evaluators.get(key.Name); e != nil {
			return e.bytes, e.revision
		}
	default:
		if i, ok := findEntry(s.metadata, key); ok {
			return s.metadata[i].Bytes, s.metadata[i].Revision
		}
	}
	return nil, 0
}

func findEntry(sorted []Entry, key EntryKey) (int, bool) {
	return slices.BinarySearchFunc(sorted, key, func(e Entry, k EntryKey) int { return e.Key.Compare(k) })
}
