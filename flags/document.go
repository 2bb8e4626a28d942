package flags

import (
	"bytes"
	"slices"
	"strings"
)

// overridesField is where a flag file keeps the overrides of a flag: an object
// of targeting key to variant name, inside the flag. Other readers of flagd
// files ignore it.
const overridesField = "x-overrides"

// Document is a flag file as flagd knows it, taken apart into entries:
//
//	{"flags": {"new-checkout": {"state": ..., "variants": ..., "x-overrides": {"tenant-42": "on"}}},
//	 "$evaluators": {"beta": rule}, "metadata": {"team": "checkout"}}
//
// The flags may also be an array whose elements have a key. Of other fields,
// those beginning with x-, and $schema, $id and $comment are passed over; any
// else is a fault, so that a misspelt one can't pass for an empty file.
type Document struct {
	name     string
	text     string
	position func(offset int) (line, column int) // nil: as in text
	items    []item
}

// item is an entry with the place it was read from.
type item struct {
	key    EntryKey
	path   string
	node   *node
	broken bool // its bytes are no JSON, which has been reported
}

// ParseDocument reads a flag file in JSON; name is for messages. It refuses what
// cannot be taken apart (syntax, a flag that is no object, a flag named twice);
// whether the definitions make sense is for [Document.Check]. The error is a
// *ValidationError with all faults.
func ParseDocument(data []byte, name string) (*Document, error) {
	return ParseConverted(data, name, nil)
}

// ParseConverted is ParseDocument for JSON that was made from a file in another
// format: position returns line and column in that file, both from 1, of a byte
// of data, and faults are reported there.
func ParseConverted(data []byte, name string, position func(offset int) (line, column int)) (*Document, error) {
	d := &Document{name: name, text: string(data), position: position}
	r := &documentReader{seen: map[EntryKey]bool{}}
	root, fault := parseTree(data)
	if fault != nil {
		r.faults = faultList{*fault}
	} else {
		r.document(&root)
	}
	if err := d.located(r.faults); err != nil {
		return nil, err
	}
	d.items = r.items
	return d, nil
}

// located returns faults as an error that says where in the file they are.
func (d *Document) located(faults faultList) error {
	faults.locate(d.text)
	if d.position != nil {
		for i := range faults {
			if faults[i].Offset >= 0 {
				faults[i].Line, faults[i].Column = d.position(faults[i].Offset)
			}
		}
	}
	return faults.err(d.name)
}

// documentReader takes a parsed file apart.
type documentReader struct {
	items  []item
	seen   map[EntryKey]bool
	faults faultList
}

func (r *documentReader) fail(at int, path, format string, args ...any) {
	r.faults.add(Fault{Path: path, Offset: at}, format, args...)
}

var documentFields = []string{"flags", "$evaluators", "metadata"}

func (r *documentReader) document(root *node) {
	if root.kind != objectNode {
		r.fail(root.at, "$", `a flag file is an object with "flags", this is %s`, root.kind)
		return
	}
	for i := range root.kids {
		k := &root.kids[i]
		path := "$" + stepName(k.name)
		switch {
		case k.name == "flags":
			r.flags(&k.node)
		case k.name == "$evaluators":
			r.entries(KindEvaluator, &k.node, path)
		case k.name == "metadata":
			r.entries(KindMetadata, &k.node, path)
		case strings.HasPrefix(k.name, "x-"), k.name == "$schema", k.name == "$id", k.name == "$comment":
		default:
			r.fail(k.at, path, "unknown field; %s", knownNames("a flag file has", k.name, documentFields))
		}
	}
	if root.member("flags") == nil {
		r.fail(root.at, "$", `no "flags"; a file without flags says so with "flags": {}`)
	}
}

func (r *documentReader) flags(n *node) {
	switch n.kind {
	case objectNode:
		for i := range n.kids {
			k := &n.kids[i]
			r.flag(k.name, &k.node, "$.flags"+stepName(k.name))
		}
	case arrayNode:
		for i := range n.kids {
			r.element(&n.kids[i].node, "$.flags"+step(i))
		}
	default:
		r.fail(n.at, "$.flags", "want an object of flags, this is %s", n.kind)
	}
}

// element reads a flag of the array form: its key is a field.
func (r *documentReader) element(n *node, path string) {
	key := n.member("key")
	if key == nil || key.kind != stringNode || key.text == "" {
		r.fail(n.at, path, `a flag in an array needs a "key" that is a string`)
		return
	}
	n.kids = withoutKid(n.kids, "key")
	r.flag(key.text, n, path)
}

func (r *documentReader) flag(name string, n *node, path string) {
	if n.kind != objectNode {
		r.fail(n.at, path, "a flag is an object, this is %s", n.kind)
		return
	}
	overrides := n.member(overridesField)
	if overrides != nil {
		n.kids = withoutKid(n.kids, overridesField)
	}
	r.add(item{key: FlagKey(name), path: path, node: n})
	if overrides == nil {
		return
	}
	path += stepName(overridesField)
	if overrides.kind != objectNode {
		r.fail(overrides.at, path, "want an object of targeting key to variant, this is %s", overrides.kind)
		return
	}
	for i := range overrides.kids {
		k := &overrides.kids[i]
		entry := node{kind: objectNode, at: k.node.at, kids: []kid{{name: "variant", node: k.node}}}
		r.add(item{key: OverrideKey(name, k.name), path: path + stepName(k.name), node: &entry})
	}
}

// entries reads an object whose members are entries as they stand.
func (r *documentReader) entries(kind Kind, n *node, path string) {
	if n.kind != objectNode {
		r.fail(n.at, path, "want an object, this is %s", n.kind)
		return
	}
	for i := range n.kids {
		k := &n.kids[i]
		r.add(item{key: EntryKey{Kind: kind, Name: k.name}, path: path + stepName(k.name), node: &k.node})
	}
}

func (r *documentReader) add(it item) {
	if r.seen[it.key] {
		r.fail(it.node.at, it.path, "%s is defined twice; keep one of them", it.key)
		return
	}
	r.seen[it.key] = true
	r.items = append(r.items, it)
}

// Entries returns what the file defines, sorted by key, with canonical bytes.
func (d *Document) Entries() []Entry {
	entries := make([]Entry, 0, len(d.items))
	for _, it := range d.items {
		entries = append(entries, Entry{Key: it.key, Bytes: it.node.canonical()})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return a.Key.Compare(b.Key) })
	return entries
}

// Diff returns what leads from the entries of a set to those given: the new
// and the different ones and, with prune, the deletion of all others. What is
// the same already is left out.
func Diff(from, to []Entry, prune bool) []Mutation {
	have := make(map[EntryKey][]byte, len(from))
	for _, e := range from {
		have[e.Key] = e.Bytes
	}
	var changes []Mutation
	for _, e := range to {
		if old, ok := have[e.Key]; !ok || !bytes.Equal(old, e.Bytes) {
			changes = append(changes, Mutation{Key: e.Key, Bytes: e.Bytes})
		}
		delete(have, e.Key)
	}
	if prune {
		for key := range have {
			changes = append(changes, Mutation{Key: key})
		}
	}
	slices.SortFunc(changes, func(a, b Mutation) int { return a.Key.Compare(b.Key) })
	return changes
}
