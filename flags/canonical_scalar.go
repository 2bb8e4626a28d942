package flags

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

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
