package jsonlogic

import (
	"math"
	"unicode/utf8"
)

// construct runs the operators that make text, arrays and objects.
func (m *machine) construct(n *node) Value {
	switch n.op {
	case opArray:
		return Array(m.values(n.args)...)
	case opCat:
		return m.cat(n.args)
	case opSubstr:
		return m.substr(n)
	case opMerge:
		return m.merge(n.args)
	case opWhole:
		return m.data(n)
	case opFlagd:
		return m.flagd(n)
	case opTimestamp:
		return m.timestamp()
	}
	return Value{}
}

func (m *machine) cat(args []node) Value {
	var text []byte
	for i := range args {
		if v := m.eval(&args[i]); !nullish(v) {
			text = m.appendText(text, v, 0)
		}
	}
	return String(bytesAsString(text))
}

// substr counts code points. A negative start counts from the end; a negative length leaves that many off the end.
func (m *machine) substr(n *node) Value {
	v := m.eval(&n.args[0])
	s := m.text(v)
	m.charge(len(s) >> 4)
	size := float64(utf8.RuneCountInString(s))
	start := m.integer(&n.args[1], 0)
	if start < 0 {
		start = max(size+start, 0)
	}
	start = min(start, size)
	count := m.integer(&n.args[2], size)
	if count < 0 {
		count += size - start
	}
	end := min(start+max(count, 0), size)
	from, to := runeOffset(s, int(start)), runeOffset(s, int(end))
	return String(s[from:to])
}

// integer is JavaScript's ToIntegerOrInfinity of an argument, or the default when it is absent.
func (m *machine) integer(arg *node, absent float64) float64 {
	v := m.eval(arg)
	if v.kind == kindUndefined {
		return absent
	}
	f := m.number(v)
	if f != f {
		return 0
	}
	return math.Trunc(f)
}

// runeOffset returns where code point i of s begins.
func runeOffset(s string, i int) int {
	at := 0
	for ; i > 0; i-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

func (m *machine) merge(args []node) Value {
	var list []Value
	for i := range args {
		v := m.eval(&args[i])
		if v.kind != KindArray {
			list = append(list, defined(v))
			continue
		}
		if !m.charge(v.Len()) {
			return Value{}
		}
		list = append(list, v.elems()...)
	}
	return Array(list...)
}

// iterate is map, filter and reduce. The enclosing element and accumulator are put back afterwards.
func (m *machine) iterate(n *node) Value {
	over := m.eval(&n.args[0])
	acc := Value{}
	if n.op == opReduce {
		acc = m.eval(&n.args[2])
	}
	if over.kind != KindArray {
		if n.op == opReduce {
			return acc
		}
		return Array()
	}
	outerCur, outerAcc := m.cur, m.acc
	body := &n.args[1]
	var list []Value
	for _, e := range over.elems() {
		if !m.charge(int(n.cost)) {
			break
		}
		m.cur = e
		switch n.op {
		case opReduce:
			m.acc = acc
			acc = m.eval(body)
		case opMap:
			list = append(list, defined(m.eval(body)))
		default:
			if m.test(body) {
				list = append(list, e)
			}
		}
	}
	m.cur, m.acc = outerCur, outerAcc
	if n.op == opReduce {
		return acc
	}
	return Array(list...)
}

// quantify is all, none and some.
func (m *machine) quantify(n *node) bool {
	over := m.eval(&n.args[0])
	if over.kind != KindArray || over.bits == 0 {
		return n.op == opNone
	}
	outer := m.cur
	body := &n.args[1]
	found := false // an element that decides
	for _, e := range over.elems() {
		if !m.charge(int(n.cost)) {
			break
		}
		m.cur = e
		if found = m.test(body) == (n.op != opAll); found {
			break
		}
	}
	m.cur = outer
	return found == (n.op == opSome)
}
