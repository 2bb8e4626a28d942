package jsonlogic

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// truthy is JsonLogic's: as JavaScript, but an empty array is false.
func truthy(v Value) bool {
	switch v.kind {
	case KindBool, KindArray, KindString:
		return v.bits != 0
	case KindNumber:
		f := v.Float()
		return f != 0 && f == f
	case KindObject:
		return true
	}
	return false
}

// strictEqual is "===". Arrays and objects have no identity here, so they equal nothing.
func strictEqual(a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case KindNull, kindUndefined:
		return true
	case KindBool:
		return a.bits == b.bits
	case KindNumber:
		return a.Float() == b.Float()
	case KindString:
		return a.Str() == b.Str()
	}
	return false
}

func nullish(v Value) bool   { return v.kind == KindNull || v.kind == kindUndefined }
func composite(v Value) bool { return v.kind == KindArray || v.kind == KindObject }

// looseEqual is "==".
func (m *machine) looseEqual(a, b Value) bool {
	if a.kind == b.kind {
		return strictEqual(a, b)
	}
	if nullish(a) || nullish(b) {
		return nullish(a) && nullish(b)
	}
	if composite(a) && composite(b) {
		return false
	}
	a, b = m.primitive(a), m.primitive(b)
	if a.kind == KindString && b.kind == KindString {
		return a.Str() == b.Str()
	}
	return m.number(a) == m.number(b)
}

// less is "<", or "<=" with orEqual. Anything compared with NaN is false.
func (m *machine) less(a, b Value, orEqual bool) bool {
	if a.kind == KindNumber && b.kind == KindNumber {
		return a.Float() < b.Float() || orEqual && a.Float() == b.Float()
	}
	a, b = m.primitive(a), m.primitive(b)
	if a.kind == KindString && b.kind == KindString {
		m.read(a)
		return a.Str() < b.Str() || orEqual && a.Str() == b.Str()
	}
	x, y := m.number(a), m.number(b)
	return x < y || orEqual && x == y
}

// primitive turns arrays and objects into the text that JavaScript gives them.
func (m *machine) primitive(v Value) Value {
	if composite(v) {
		return String(m.text(v))
	}
	return v
}

// number is JavaScript's ToNumber.
func (m *machine) number(v Value) float64 {
	switch v.kind {
	case KindNumber:
		return v.Float()
	case KindNull:
		return 0
	case KindBool:
		return float64(v.bits)
	case KindString:
		m.read(v)
		return stringToNumber(v.Str())
	case KindArray:
		return stringToNumber(m.text(v))
	}
	return math.NaN()
}

// parseFloat is JavaScript's parseFloat: the longest number that the text of v begins with.
func (m *machine) parseFloat(v Value) float64 {
	switch v.kind {
	case KindNumber:
		return v.Float() + 0 // -0 becomes 0, as its text is "0"
	case KindString:
		m.read(v)
		return prefixToNumber(v.Str())
	case KindArray:
		return prefixToNumber(m.text(v))
	}
	return math.NaN()
}

// text is JavaScript's String(v).
func (m *machine) text(v Value) string {
	if v.kind == KindString {
		return v.Str()
	}
	return string(m.appendText(nil, v, 0))
}

// appendText appends String(v). Work is charged, because a value made by iteration may hold one part very many times.
func (m *machine) appendText(dst []byte, v Value, depth int) []byte {
	switch v.kind {
	case KindNull:
		return append(dst, "null"...)
	case kindUndefined:
		return append(dst, "undefined"...)
	case KindBool:
		return strconv.AppendBool(dst, v.bits != 0)
	case KindNumber:
		return appendNumber(dst, v.Float())
	case KindString:
		if !m.charge(int(v.bits) >> 4) {
			return dst
		}
		return append(dst, v.Str()...)
	case KindObject:
		return append(dst, "[object Object]"...)
	}
	if depth > maxValueDepth {
		m.steps = -1
		return dst
	}
	for i, e := range v.elems() {
		if !m.charge(1) {
			return dst
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		if !nullish(e) {
			dst = m.appendText(dst, e, depth+1)
		}
	}
	return dst
}

// isSpace is what JavaScript trims: Unicode spaces and the byte order mark, but not U+0085.
func isSpace(r rune) bool { return r == '\ufeff' || r != '\u0085' && unicode.IsSpace(r) }

func stringToNumber(s string) float64 {
	s = strings.TrimFunc(s, isSpace)
	if s == "" {
		return 0
	}
	if len(s) > 2 && s[0] == '0' {
		switch s[1] {
		case 'x', 'X':
			return digitsToNumber(s[2:], 16)
		case 'o', 'O':
			return digitsToNumber(s[2:], 8)
		case 'b', 'B':
			return digitsToNumber(s[2:], 2)
		}
	}
	if n := decimalPrefix(s); n < len(s) {
		return math.NaN()
	}
	return decimal(s)
}

func prefixToNumber(s string) float64 {
	s = strings.TrimLeftFunc(s, isSpace)
	n := decimalPrefix(s)
	if n == 0 {
		return math.NaN()
	}
	return decimal(s[:n])
}

// decimal parses what decimalPrefix has accepted. The only error left is overflow, and the infinity that comes with it
// is JavaScript's answer.
func decimal(s string) float64 {
	f, _ := strconv.ParseFloat(s, 64)
	return f
}

func digitsToNumber(s string, base int) float64 {
	f := 0.0
	for i := range len(s) {
		d := 99
		switch c := s[i] | 0x20; {
		case s[i] >= '0' && s[i] <= '9':
			d = int(s[i] - '0')
		case c >= 'a' && c <= 'f':
			d = int(c-'a') + 10
		}
		if d >= base {
			return math.NaN()
		}
		f = f*float64(base) + float64(d)
	}
	return f
}

// decimalPrefix returns the length of the longest decimal literal at the start of s: an optional sign, then Infinity or
// digits with an optional point and a complete exponent.
func decimalPrefix(s string) int {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	if strings.HasPrefix(s[i:], "Infinity") {
		return i + len("Infinity")
	}
	whole := countDigits(s[i:])
	i += whole
	if i < len(s) && s[i] == '.' {
		fraction := countDigits(s[i+1:])
		if whole+fraction == 0 {
			return 0
		}
		i += 1 + fraction
	} else if whole == 0 {
		return 0
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if n := countDigits(s[j:]); n > 0 {
			i = j + n
		}
	}
	return i
}

func countDigits(s string) int {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}
