package flags

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// treeParser reads a JSON text into nodes; the first fault ends it.
type treeParser struct {
	text  string
	pos   int
	count int        // values so far
	path  []pathStep // from the document to where we are
	fault *Fault
}

// pathStep is a step into an object or, where index is not negative, an array.
type pathStep struct {
	name  string
	index int
}

// parseTree reads one strict JSON document. Offsets are exact even in a document
// that begins with a byte order mark, which is skipped.
func parseTree(data []byte) (node, *Fault) {
	p := &treeParser{text: string(data)}
	if len(data) > MaxDocumentBytes {
		p.fail(0, "%d bytes are too much, at most %d", len(data), MaxDocumentBytes)
		return node{}, p.fault
	}
	if strings.HasPrefix(p.text, "\ufeff") {
		p.pos = len("\ufeff")
	}
	n := p.value(0)
	if p.space(); p.fault == nil && p.pos < len(p.text) {
		p.fail(p.pos, "unexpected %s after the end of the document", p.next())
	}
	return n, p.fault
}

// fail records the first fault, and moves to the end so that nothing goes on.
func (p *treeParser) fail(at int, format string, args ...any) {
	if p.fault != nil {
		return
	}
	path := "$"
	for _, s := range p.path {
		if s.index < 0 {
			path += stepName(s.name)
		} else {
			path += step(s.index)
		}
	}
	p.fault = &Fault{Path: path, Reason: fmt.Sprintf(format, args...), Offset: at}
	p.pos = len(p.text)
}

// next names the character at the current place, for messages.
func (p *treeParser) next() string {
	if p.pos >= len(p.text) {
		return "end of the text"
	}
	r, size := utf8.DecodeRuneInString(p.text[p.pos:])
	if r == utf8.RuneError && size == 1 {
		return fmt.Sprintf("byte 0x%02x", p.text[p.pos])
	}
	return strconv.QuoteRune(r)
}

func (p *treeParser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// take skips space and consumes c if it is next.
func (p *treeParser) take(c byte) bool {
	p.space()
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *treeParser) value(depth int) node {
	p.space()
	n := node{at: p.pos}
	if p.count++; p.count > maxValues {
		p.fail(p.pos, "more than %d values; split it", maxValues)
		return n
	}
	if p.pos >= len(p.text) {
		p.fail(p.pos, "unexpected end of the text, want a value")
		return n
	}
	switch c := p.text[p.pos]; {
	case c == '{' || c == '[':
		if depth == MaxDepth {
			p.fail(p.pos, "nested deeper than %d levels", MaxDepth)
			return n
		}
		p.pos++
		n.kind = nodeKind(c)
		if c == '{' {
			n.kids = p.members(depth + 1)
		} else {
			n.kids = p.elements(depth + 1)
		}
	case c == '"':
		n.kind, n.text = stringNode, p.str()
	case c == '-' || c >= '0' && c <= '9':
		n.kind, n.text = numberNode, p.number()
	default:
		n.kind, n.text = p.word()
	}
	return n
}

func (p *treeParser) elements(depth int) (kids []kid) {
	if p.take(']') {
		return nil
	}
	for {
		p.path = append(p.path, pathStep{index: len(kids)})
		kids = append(kids, kid{node: p.value(depth)})
		if p.take(']') {
			p.path = p.path[:len(p.path)-1]
			return kids
		}
		if !p.take(',') {
			p.fail(p.pos, `unexpected %s, want "," or "]"`, p.next())
			return nil
		}
		p.path = p.path[:len(p.path)-1]
	}
}

func (p *treeParser) members(depth int) (kids []kid) {
	if p.take('}') {
		return nil
	}
	var names nameSet
	for {
		p.space()
		at := p.pos
		if at >= len(p.text) || p.text[at] != '"' {
			p.fail(at, "unexpected %s, want a quoted name", p.next())
			return nil
		}
		name := p.str()
		if !names.add(name, kids) {
			p.fail(at, "duplicate key %s; keep one of them", quoted(shorten(name)))
		}
		p.path = append(p.path, pathStep{name: name, index: -1})
		if !p.take(':') {
			p.fail(p.pos, `unexpected %s, want ":"`, p.next())
		}
		kids = append(kids, kid{name: name, at: at, node: p.value(depth)})
		if p.take('}') {
			p.path = p.path[:len(p.path)-1]
			return kids
		}
		if !p.take(',') {
			p.fail(p.pos, `unexpected %s, want "," or "}"`, p.next())
			return nil
		}
		p.path = p.path[:len(p.path)-1]
	}
}

// nameSet finds repeated names. Most objects are small, and are read through
// faster than hashed.
type nameSet map[string]bool

func (s *nameSet) add(name string, kids []kid) bool {
	const small = 8
	switch {
	case len(kids) < small:
		return !slices.ContainsFunc(kids, func(k kid) bool { return k.name == name })
	case len(kids) == small:
		*s = make(nameSet, 2*small)
		for i := range kids {
			(*s)[kids[i].name] = true
		}
	}
	fresh := !(*s)[name]
	(*s)[name] = true
	return fresh
}
