package jsonlogic

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// MaxDepth is how many arrays and objects may be nested in parsed JSON, and the default nesting limit of a rule.
const MaxDepth = 64

// SyntaxError says where JSON text is not what it must be.
type SyntaxError struct {
	Offset int // of the offending byte, from 0
	Line   int // from 1
	Column int // in bytes, from 1
	Reason string
}

// Error returns place and reason: "line 3, column 9: duplicate key "a"".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// ParseJSON decodes one JSON document in a single pass. Strict: RFC 8259 and nothing else, UTF-8 only, no repeated keys,
// numbers within float64, at most MaxDepth levels; an escaped lone surrogate becomes U+FFFD. Strings of the result
// alias text, which must not be changed afterwards. The error is a *SyntaxError.
func ParseJSON(text []byte) (Value, error) {
	d := decoder{text: text}
	d.space()
	v, ok := d.value(0)
	if ok {
		d.space()
		if d.pos == len(text) {
			return v, nil
		}
		d.fail(d.pos, "unexpected text after the document")
	}
	return Value{}, d.syntaxError()
}

// decoder gathers the elements of open arrays and objects on two stacks, so that each finished one takes exactly
// one allocation of the exact size.
type decoder struct {
	text    []byte
	pos     int
	elems   []Value
	members []Member
	reason  string
	at      int
}

func (d *decoder) fail(at int, reason string) (Value, bool) {
	d.reason, d.at = reason, at
	return Value{}, false
}

func (d *decoder) syntaxError() *SyntaxError {
	before := d.text[:min(d.at, len(d.text))]
	e := &SyntaxError{Offset: d.at, Line: 1, Reason: d.reason}
	for i, c := range before {
		if c == '\n' {
			e.Line++
			e.Column = i + 1
		}
	}
	e.Column = d.at - e.Column + 1
	return e
}

func (d *decoder) space() {
	for d.pos < len(d.text) {
		switch d.text[d.pos] {
		case ' ', '\n', '\t', '\r':
			d.pos++
		default:
			return
		}
	}
}

// peek skips space and returns the next byte, or 0 at the end of the text.
func (d *decoder) peek() byte {
	if d.pos < len(d.text) && d.text[d.pos] > ' ' {
		return d.text[d.pos]
	}
	d.space()
	if d.pos < len(d.text) {
		return d.text[d.pos]
	}
	return 0
}

func (d *decoder) value(depth int) (Value, bool) {
	switch c := d.peek(); c {
	case '"':
		s, ok := d.str()
		return String(s), ok
	case '{':
		return d.object(depth + 1)
	case '[':
		return d.array(depth + 1)
	case 't':
		return d.word("true", Bool(true))
	case 'f':
		return d.word("false", Bool(false))
	case 'n':
		return d.word("null", Value{})
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return d.number()
	default:
		return d.unexpected("a value")
	}
}

func (d *decoder) unexpected(want string) (Value, bool) {
	if d.pos >= len(d.text) {
		return d.fail(d.pos, "unexpected end, "+want+" expected")
	}
	r, _ := utf8.DecodeRune(d.text[d.pos:])
	return d.fail(d.pos, "unexpected "+strconv.QuoteRune(r)+", "+want+" expected")
}

func (d *decoder) word(w string, v Value) (Value, bool) {
	if !strings.HasPrefix(unsafe.String(&d.text[d.pos], len(d.text)-d.pos), w) {
		return d.unexpected(`"` + w + `"`)
	}
	d.pos += len(w)
	return v, true
}

func (d *decoder) array(depth int) (Value, bool) {
	if depth > MaxDepth {
		return d.fail(d.pos, "nested deeper than "+strconv.Itoa(MaxDepth)+" levels")
	}
	d.pos++
	if d.peek() == ']' {
		d.pos++
		return Array(), true
	}
	base := len(d.elems)
	for {
		v, ok := d.value(depth)
		if !ok {
			return v, false
		}
		d.elems = append(d.elems, v)
		switch d.peek() {
		case ',':
			d.pos++
		case ']':
			d.pos++
			elems := make([]Value, len(d.elems)-base)
			copy(elems, d.elems[base:])
			d.elems = d.elems[:base]
			return Array(elems...), true
		default:
			return d.unexpected(`"," or "]"`)
		}
	}
}

func (d *decoder) object(depth int) (Value, bool) {
	if depth > MaxDepth {
		return d.fail(d.pos, "nested deeper than "+strconv.Itoa(MaxDepth)+" levels")
	}
	open := d.pos
	d.pos++
	if d.peek() == '}' {
		d.pos++
		return objectOf(nil), true
	}
	base := len(d.members)
	for {
		if d.peek() != '"' {
			return d.unexpected("a key")
		}
		key, ok := d.str()
		if !ok {
			return Value{}, false
		}
		if d.peek() != ':' {
			return d.unexpected(`":"`)
		}
		d.pos++
		v, ok := d.value(depth)
		if !ok {
			return v, false
		}
		d.members = append(d.members, Member{Key: key, Value: v})
		switch d.peek() {
		case ',':
			d.pos++
		case '}':
			d.pos++
			members := make([]Member, len(d.members)-base)
			copy(members, d.members[base:])
			d.members = d.members[:base]
			if dup, found := sortMembers(members); found {
				return d.duplicate(open, members, dup)
			}
			return objectOf(members), true
		default:
			return d.unexpected(`"," or "}"`)
		}
	}
}

// duplicate points at the last appearance of the key, which its text tells as long as it aliases the document, else at
// the object.
func (d *decoder) duplicate(open int, members []Member, key string) (Value, bool) {
	at := open
	start := uintptr(unsafe.Pointer(unsafe.SliceData(d.text)))
	for _, m := range members {
		offset := uintptr(unsafe.Pointer(unsafe.StringData(m.Key))) - start // far out if it lies elsewhere
		if m.Key == key && offset < uintptr(len(d.text)) {
			at = max(at, int(offset)-1)
		}
	}
	return d.fail(at, "duplicate key "+string(appendQuoted(nil, key)))
}

// str reads a string that begins at the current quote. Without escapes it aliases the text.
func (d *decoder) str() (string, bool) {
	start := d.pos + 1
	for i := start; i < len(d.text); {
		c := d.text[i]
		switch {
		case c == '"':
			d.pos = i + 1
			if i == start {
				return "", true
			}
			return unsafe.String(&d.text[start], i-start), true
		case c == '\\':
			return d.escaped(start, i)
		case c < ' ':
			d.fail(i, "control character in a string")
			return "", false
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(d.text[i:])
			if r == utf8.RuneError && size == 1 {
				d.fail(i, "invalid UTF-8")
				return "", false
			}
			i += size
		}
	}
	d.fail(len(d.text), "unexpected end of a string")
	return "", false
}

// escaped continues str at the first backslash into a copy.
func (d *decoder) escaped(start, i int) (string, bool) {
	buf := append(make([]byte, 0, i-start+32), d.text[start:i]...)
	for i < len(d.text) {
		c := d.text[i]
		switch {
		case c == '"':
			d.pos = i + 1
			return unsafe.String(unsafe.SliceData(buf), len(buf)), true
		case c == '\\':
			r, size := d.escape(i)
			if size == 0 {
				return "", false
			}
			buf = utf8.AppendRune(buf, r)
			i += size
		case c < ' ':
			d.fail(i, "control character in a string")
			return "", false
		case c < utf8.RuneSelf:
			buf = append(buf, c)
			i++
		default:
			r, size := utf8.DecodeRune(d.text[i:])
			if r == utf8.RuneError && size == 1 {
				d.fail(i, "invalid UTF-8")
				return "", false
			}
			buf = append(buf, d.text[i:i+size]...)
			i += size
		}
	}
	d.fail(len(d.text), "unexpected end of a string")
	return "", false
}

// escape decodes the escape sequence at i and returns its length, 0 if it is malformed.
func (d *decoder) escape(i int) (rune, int) {
	if i+1 >= len(d.text) {
		d.fail(len(d.text), "unexpected end of a string")
		return 0, 0
	}
	switch c := d.text[i+1]; c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r, ok := d.hex4(i)
		if !ok {
			d.fail(i, "malformed \\u escape")
			return 0, 0
		}
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if low, ok := d.hex4(i + 6); ok {
			if joined := utf16.DecodeRune(r, low); joined != utf8.RuneError {
				return joined, 12
			}
		}
		return utf8.RuneError, 6
	}
	d.fail(i, "unknown escape in a string")
	return 0, 0
}

// hex4 reads \uXXXX at i.
func (d *decoder) hex4(i int) (rune, bool) {
	if i+6 > len(d.text) || d.text[i] != '\\' || d.text[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range d.text[i+2 : i+6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func (d *decoder) number() (Value, bool) {
	start := d.pos
	i := start
	if d.text[i] == '-' {
		i++
	}
	first := i
	var n uint64
	for ; i < len(d.text) && isDigit(d.text[i]); i++ {
		n = n*10 + uint64(d.text[i]-'0')
	}
	if i == first || (d.text[first] == '0' && i > first+1) {
		d.pos = first
		return d.fail(first, "malformed number")
	}
	plain := i-first <= 15 // exact in a float64
	if i < len(d.text) && d.text[i] == '.' {
		plain = false
		i++
		digits := i
		for ; i < len(d.text) && isDigit(d.text[i]); i++ {
		}
		if i == digits {
			return d.fail(start, "malformed number")
		}
	}
	if i < len(d.text) && (d.text[i] == 'e' || d.text[i] == 'E') {
		plain = false
		i++
		if i < len(d.text) && (d.text[i] == '+' || d.text[i] == '-') {
			i++
		}
		digits := i
		for ; i < len(d.text) && isDigit(d.text[i]); i++ {
		}
		if i == digits {
			return d.fail(start, "malformed number")
		}
	}
	d.pos = i
	if plain && first == start {
		return Number(float64(n)), true
	}
	f, err := strconv.ParseFloat(unsafe.String(&d.text[start], i-start), 64)
	if err != nil {
		return d.fail(start, "number out of range")
	}
	return Number(f), true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
