package flags

import (
	"slices"
	"strings"
)

// Limits of what may be written, all checked before anything is stored.
const (
	MaxEntryBytes    = 1 << 20  // canonical bytes of one entry
	MaxEntries       = 100_000  // entries of one set, overrides included
	MaxDepth         = 64       // arrays and objects nested in a document
	MaxDocumentBytes = 64 << 20 // a flag file

	// maxValues bounds the memory that a document can take: its smallest values are
	// two bytes, and 80 here.
	maxValues = 1_000_000

	// maxEntryDepth leaves room for what a document wraps around an entry, so that
	// whatever was accepted can be exported and imported again.
	maxEntryDepth = MaxDepth - 4
)

// Canonical returns the one form of a JSON text: members sorted by name, no
// insignificant white space, only the escapes that JSON demands, and number
// literals as they were written. It is idempotent.
//
// It is strict: repeated names, malformed UTF-8, lone surrogates, numbers beyond
// float64, more than MaxDepth levels, 1,000,000 values or MaxDocumentBytes are refused
// by a *ValidationError that says where.
func Canonical(data []byte) ([]byte, error) {
	n, fault := parseTree(data)
	if fault != nil {
		return nil, faultList{*fault}.in(data)
	}
	return n.appendCanonical(make([]byte, 0, len(data))), nil
}

// nodeKind is the JSON type of a node, by its first byte in canonical form.
type nodeKind byte

const (
	nullNode   nodeKind = 'n'
	boolNode   nodeKind = 'b'
	numberNode nodeKind = '0'
	stringNode nodeKind = '"'
	arrayNode  nodeKind = '['
	objectNode nodeKind = '{'
)

var nodeKindNames = map[nodeKind]string{
	nullNode: "null", boolNode: "a boolean", numberNode: "a number", stringNode: "a string", arrayNode: "an array", objectNode: "an object",
}

// String names the type with its article, for messages.
func (k nodeKind) String() string { return nodeKindNames[k] }

// node is a piece of a JSON text. Unlike a decoded value it keeps what editing,
// exporting and pointing at faults need: places, literals and the order of writing.
type node struct {
	kind nodeKind
	at   int    // offset of its first byte in the text
	text string // decoded string; literal of a number, boolean or null
	kids []kid
}

// kid is an element of an array, or a member of an object with its name.
type kid struct {
	name string
	at   int // offset of the name, for members
	node
}

// member returns the member of that name, or nil.
func (n *node) member(name string) *node {
	if n.kind != objectNode {
		return nil
	}
	for i := range n.kids {
		if n.kids[i].name == name {
			return &n.kids[i].node
		}
	}
	return nil
}

// depth returns how many arrays and objects are nested in n, itself included.
func (n *node) depth() int {
	if n.kind != arrayNode && n.kind != objectNode {
		return 0
	}
	deepest := 0
	for i := range n.kids {
		deepest = max(deepest, n.kids[i].depth())
	}
	return deepest + 1
}

// forget drops the places, for a text that nobody sees.
func (n *node) forget() {
	n.at = noPlace
	for i := range n.kids {
		n.kids[i].node.forget()
	}
}

func (n *node) canonical() []byte { return n.appendCanonical(nil) }

func (n *node) appendCanonical(b []byte) []byte {
	switch n.kind {
	case stringNode:
		return appendQuoted(b, n.text)
	case arrayNode:
		b = append(b, '[')
		for i := range n.kids {
			if i > 0 {
				b = append(b, ',')
			}
			b = n.kids[i].appendCanonical(b)
		}
		return append(b, ']')
	case objectNode:
		b = append(b, '{')
		for i, k := range n.sorted() {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendQuoted(b, k.name), ':')
			b = k.appendCanonical(b)
		}
		return append(b, '}')
	default:
		return append(b, n.text...)
	}
}

// sorted returns the members by name, and leaves the order of writing alone.
func (n *node) sorted() []kid {
	byName := func(a, b kid) int { return strings.Compare(a.name, b.name) }
	if slices.IsSortedFunc(n.kids, byName) {
		return n.kids
	}
	return slices.SortedFunc(slices.Values(n.kids), byName)
}

// appendQuoted writes a string with the escapes that JSON demands and no others,
// so that equal strings have one form.
func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= ' ':
			b = append(b, c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(b, '"')
}

// quoted returns s as a JSON string.
func quoted(s string) string { return string(appendQuoted(nil, s)) }
