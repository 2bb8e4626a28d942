package flags

import (
	"bytes"
	"unicode/utf8"
)

// CheckChanges finds everything that is wrong with changes to these contents:
// bytes that are not canonical, definitions that cannot mean anything, names of
// variants and evaluators that are not there once all changes are made, limits.
// The error is a *ValidationError with all faults.
//
// It costs what the changes cost, except where an evaluator changes or a flag
// with overrides loses a variant: then the entries are looked through once.
func (c *Contents) CheckChanges(op Op, changes []Mutation) error {
	base := c
	if op == OpCreate {
		base = NewContents(c.head.Set)
	}
	ch := newChecker(base)
	for _, m := range changes {
		ch.addMutation(m)
	}
	return ch.run().err("")
}

// Check finds everything that is wrong with the file as the whole of a set, by
// the same rules as a write, and says where it stands. The error is a
// *ValidationError with all faults.
func (d *Document) Check() error { return d.CheckAgainst(NewContents(""), false) }

// CheckAgainst is Check for a file that is to be imported into a set that has
// contents already: what the file refers to may be there. With prune, what the
// file does not define is to be deleted.
func (d *Document) CheckAgainst(contents *Contents, prune bool) error {
	ch := newChecker(contents)
	for _, it := range d.items {
		ch.add(it)
	}
	if prune {
		for e := range contents.All() {
			if !ch.changes[e.Key] {
				ch.add(item{key: e.Key, path: pathOf(e.Key)})
			}
		}
	}
	return d.located(ch.run())
}

// checker checks changes against what there will be once they are made.
type checker struct {
	base    *Contents
	items   []item // what changes; a nil node deletes
	changes map[EntryKey]bool
	after   map[EntryKey]*node // what changes, and what was looked at besides
	faults  faultList
	// What the changes may have broken in entries that do not change.
	evaluators map[string]bool       // evaluators changed or deleted, by quoted name
	narrowed   map[string]bool       // flags that lost a variant
	overrides  map[string]int        // change to the number of overrides, by flag
	sets       map[*node]*variantSet // variants of the flags looked at
	unsound    map[string]bool       // evaluators with a fault of their own
}

func newChecker(base *Contents) *checker {
	return &checker{
		base: base, changes: map[EntryKey]bool{}, after: map[EntryKey]*node{},
		evaluators: map[string]bool{}, narrowed: map[string]bool{}, overrides: map[string]int{},
		sets: map[*node]*variantSet{}, unsound: map[string]bool{},
	}
}

func (ch *checker) addMutation(m Mutation) {
	it := item{key: m.Key, path: pathOf(m.Key)}
	if m.Bytes == nil {
		ch.add(it)
		return
	}
	it.node = &node{kind: nullNode, at: noPlace}
	if len(m.Bytes) > MaxEntryBytes { // before it costs anything
		it.broken = true
		ch.fail(it, nil, it.path, tooLarge, len(m.Bytes), MaxEntryBytes)
	} else if n, fault := parseTree(m.Bytes); fault != nil {
		it.broken = true
		ch.fail(it, nil, it.path+fault.Path[1:], "%s", fault.Reason)
	} else {
		n.forget()
		it.node = &n
		if !bytes.Equal(n.canonical(), m.Bytes) {
			ch.fail(it, &n, it.path, "not in canonical form; pass it through flags.Canonical")
		}
	}
	ch.add(it)
}

const tooLarge = "%d bytes are too much, at most %d"

func (ch *checker) add(it item) {
	ch.items = append(ch.items, it)
	ch.changes[it.key], ch.after[it.key] = true, it.node
}

func (ch *checker) fail(it item, at *node, path, format string, args ...any) {
	f := Fault{Key: it.key, Path: path, Offset: noPlace}
	if at != nil {
		f.Offset = at.at
	}
	ch.faults.add(f, format, args...)
}

// at returns the entry of a key as it will be, or nil where there will be none.
func (ch *checker) at(key EntryKey) *node {
	if n, changes := ch.after[key]; changes {
		return n
	}
	e, ok := ch.base.Get(key)
	if !ok {
		return nil
	}
	n, fault := parseTree(e.Bytes)
	if fault != nil {
		n = node{kind: nullNode} // there, but of no use
	}
	n.forget()
	ch.after[key] = &n
	return &n
}

func (ch *checker) run() faultList {
	count := ch.base.head.Count
	for _, it := range ch.items {
		_, was := ch.base.Get(it.key)
		change := 0
		switch is := it.node != nil; {
		case is && !was:
			change = 1
		case was && !is:
			change = -1
		}
		count += change
		if it.key.Kind == KindOverride {
			ch.overrides[it.key.Name] += change
		}
	}
	for _, evaluators := range []bool{true, false} { // the first, as flags refer to them
		for _, it := range ch.items {
			if (it.key.Kind == KindEvaluator) == evaluators {
				ch.entry(it)
			}
		}
	}
	if count > MaxEntries {
		ch.fail(item{}, nil, "$", "%d entries, overrides included, are too many; a set has at most %d", count, MaxEntries)
	}
	if len(ch.evaluators)+len(ch.narrowed) > 0 {
		ch.dependents()
	}
	return ch.faults
}

func (ch *checker) entry(it item) {
	ch.name(it)
	if it.node != nil && !it.broken {
		ch.limits(it)
	}
	switch it.key.Kind {
	case KindFlag:
		ch.flag(it)
	case KindEvaluator:
		ch.evaluator(it)
	case KindMetadata:
		if it.node != nil && !it.broken {
			ch.scalar(it, it.node, it.path)
		}
		if it.key.Name == MetadataCacheTTL || it.key.Name == MetadataCacheMargin {
			ch.lifetime(it)
		}
	case KindOverride:
		ch.override(it)
	default:
		ch.fail(it, it.node, it.path, "unknown kind of entry")
	}
}

func (ch *checker) name(it item) {
	key := it.key
	for _, name := range []string{key.Name, key.Entity} {
		if len(name) > MaxKeyBytes || !utf8.ValidString(name) {
			ch.fail(it, it.node, it.path, "a name takes 1 to %d bytes of UTF-8", MaxKeyBytes)
			return
		}
	}
	switch {
	case key.Name == "":
		ch.fail(it, it.node, it.path, "a name must not be empty")
	case (key.Kind == KindOverride) != (key.Entity != ""):
		ch.fail(it, it.node, it.path, "an override, and nothing else, names a targeting key")
	}
}

func (ch *checker) limits(it item) {
	if size := len(it.node.canonical()); size > MaxEntryBytes {
		ch.fail(it, it.node, it.path, tooLarge, size, MaxEntryBytes)
	}
	if depth := it.node.depth(); depth > maxEntryDepth {
		ch.fail(it, it.node, it.path, "nested %d levels deep, at most %d", depth, maxEntryDepth)
	}
}

// dependents checks the entries that do not change but rely on ones that do.
func (ch *checker) dependents() {
	for e := range ch.base.All() {
		if ch.changes[e.Key] {
			continue
		}
		it := item{key: e.Key, path: pathOf(e.Key)}
		switch e.Key.Kind {
		case KindOverride:
			if ch.narrowed[e.Key.Name] {
				it.node = ch.at(e.Key)
				ch.override(it)
			}
		case KindFlag:
			if ch.mentions(e.Bytes) {
				it.node = ch.at(e.Key)
				ch.targeting(it)
			}
		default:
		}
	}
}

// mentions reports whether canonical bytes refer to a changed evaluator.
func (ch *checker) mentions(data []byte) bool {
	const mark = `"$ref":`
	for len(ch.evaluators) > 0 {
		_, rest, found := bytes.Cut(data, []byte(mark))
		if !found {
			return false
		}
		end := 1
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		if end < len(rest) && ch.evaluators[string(rest[:end+1])] {
			return true
		}
		data = rest
	}
	return false
}
