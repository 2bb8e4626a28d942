package flags

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// treeParser reads a JSON text into nodes; the first fault ends it.
type treeParser struct {
	text  string
	pos   int
	path  []string // steps from the document to where we are
	fault *Fault
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
	line, column := position(p.text, at)
	p.fault = &Fault{
		Path: "$" + strings.Join(p.path, ""), Reason: fmt.Sprintf(format, args...),
		Offset: at, Line: line, Column: column,
	}
	p.pos = len(p.text)
}

// position returns line and column of an offset, both from 1; the column counts characters.
func position(text string, at int) (line, column int) {
	before := text[:min(at, len(text))]
	line = 1 + strings.Count(before, "\n")
	return line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
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
		p.path = append(p.path, step(len(kids)))
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
		p.path = append(p.path, stepName(name))
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

func (p *treeParser) word() (nodeKind, string) {
	for _, w := range []struct {
		kind nodeKind
		text string
	}{{nullNode, "null"}, {boolNode, "true"}, {boolNode, "false"}} {
		if strings.HasPrefix(p.text[p.pos:], w.text) {
			p.pos += len(w.text)
			return w.kind, w.text
		}
	}
	p.fail(p.pos, "unexpected %s, want a value", p.next())
	return nullNode, "null"
}

// number returns the literal as it stands.
func (p *treeParser) number() string {
	start := p.pos
	digits := func() bool {
		from := p.pos
		for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
			p.pos++
		}
		return p.pos > from
	}
	accept := func(set string) bool {
		if p.pos < len(p.text) && strings.IndexByte(set, p.text[p.pos]) >= 0 {
			p.pos++
			return true
		}
		return false
	}
	accept("-")
	ok := accept("0") || digits()
	if accept(".") {
		ok = digits() && ok
	}
	if accept("eE") {
		accept("+-")
		ok = digits() && ok
	}
	literal := p.text[start:p.pos]
	if !ok {
		p.fail(start, "malformed number %s", quoted(shorten(literal)))
	} else if _, err := strconv.ParseFloat(literal, 64); err != nil {
		p.fail(start, "number %s is out of range", shorten(literal))
	}
	return literal
}

// str reads the string that begins at the current quote.
func (p *treeParser) str() string {
	start := p.pos + 1
	var escaped []byte // what was read before from, once there was an escape
	from := start
	for i := start; i < len(p.text); {
		switch c := p.text[i]; {
		case c == '"':
			p.pos = i + 1
			if escaped == nil {
				return p.text[from:i]
			}
			return string(append(escaped, p.text[from:i]...))
		case c == '\\':
			r, size := p.escape(i)
			if size == 0 {
				return ""
			}
			escaped = utf8.AppendRune(append(escaped, p.text[from:i]...), r)
			i += size
			from = i
		case c < ' ':
			p.fail(i, "control character 0x%02x in a string; write it as an escape", c)
			return ""
		default:
			r, size := utf8.DecodeRuneInString(p.text[i:])
			if r == utf8.RuneError && size == 1 {
				p.fail(i, "byte 0x%02x is not UTF-8", c)
				return ""
			}
			i += size
		}
	}
	p.fail(start-1, "string without an end")
	return ""
}

var shortEscapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape decodes the escape at i and returns its length, 0 where it is wrong.
func (p *treeParser) escape(i int) (rune, int) {
	if i+1 < len(p.text) {
		if r, ok := shortEscapes[p.text[i+1]]; ok {
			return r, 2
		}
	}
	r, ok := p.hex(i)
	if !ok {
		p.fail(i, `unknown escape in a string; JSON has \" \\ \/ \b \f \n \r \t and \uXXXX`)
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, _ := p.hex(i + 6)
	if joined := utf16.DecodeRune(r, low); joined != utf8.RuneError {
		return joined, 12
	}
	p.fail(i, "half of a surrogate pair; it stands for no character")
	return 0, 0
}

// hex reads \uXXXX at i.
func (p *treeParser) hex(i int) (rune, bool) {
	if i+6 > len(p.text) || p.text[i:i+2] != `\u` {
		return 0, false
	}
	v, err := strconv.ParseUint(p.text[i+2:i+6], 16, 16)
	return rune(v), err == nil
}

// step is one step of a path into an array.
func step(i int) string { return "[" + strconv.Itoa(i) + "]" }

// stepName is one step of a path into an object. Plain names are written with a
// dot, any that could be misread are quoted in brackets.
func stepName(name string) string {
	plain := name != ""
	for _, r := range name {
		plain = plain && r > ' ' && r != '.' && r != '[' && r != ']' && r != '"' && r != '\\' && r != 0x7f
	}
	if plain {
		return "." + shorten(name)
	}
	return "[" + quoted(shorten(name)) + "]"
}

// shorten keeps what users wrote from flooding a message.
func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
