package jsonlogic

import (
	"strings"
	"unicode/utf8"
	"unsafe"
)

// TargetingKey is the attribute that a fractional without a bucketing value hashes, after the flag key.
var TargetingKey = Intern("targetingKey")

const (
	flagdName     = "$flagd"
	flagKeyName   = "flagKey"
	timestampName = "timestamp"
)

func bytesAsString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// attribute reads a variable of one name without a default.
func (m *machine) attribute(name Symbol) Value {
	for i := range m.list {
		if m.list[i].Name == name {
			return m.list[i].Value
		}
	}
	v, _ := m.lookup(name)
	return v
}

// variable reads a var whose name the rule gives literally. What is not there is the default, null without one.
func (m *machine) variable(n *node) Value {
	var v Value
	ok := true
	switch n.frame {
	case frameRoot:
		v, ok = m.lookup(n.sym)
	case frameAccumulator:
		v = m.acc
	default:
		v = m.cur
	}
	below, _ := n.more.(path)
	for _, key := range below {
		if !ok {
			break
		}
		v, ok = child(v, key)
	}
	if ok {
		return v
	}
	if len(n.args) > 0 {
		return m.eval(&n.args[0])
	}
	return Value{}
}

// child is a property of a value: a member, an element, or the length of text and arrays.
func child(v Value, key string) (Value, bool) {
	switch v.kind {
	case KindObject:
		return v.Get(key)
	case KindArray:
		if i, ok := arrayIndex(key); ok && i < v.Len() {
			return v.elems()[i], true
		}
		if key == "length" {
			return Number(float64(v.bits)), true
		}
	case KindString:
		if key == "length" {
			return Number(float64(utf8.RuneCountInString(v.Str()))), true
		}
	}
	return Value{}, false
}

// arrayIndex accepts what JavaScript takes for an index: digits without leading zeros.
func arrayIndex(key string) (int, bool) {
	if key == "" || len(key) > 9 || countDigits(key) != len(key) || key[0] == '0' && len(key) > 1 {
		return 0, false
	}
	i := 0
	for _, c := range []byte(key) {
		i = i*10 + int(c-'0')
	}
	return i, true
}

// variableDynamic reads a var whose name is computed.
func (m *machine) variableDynamic(n *node) Value {
	name := m.eval(&n.args[0])
	if v, ok := m.named(n, name); ok {
		return v
	}
	if len(n.args) > 1 {
		return m.eval(&n.args[1])
	}
	return Value{}
}

// named looks a computed name up. n carries the frame, and the flag key in val.
func (m *machine) named(n *node, name Value) (Value, bool) {
	if nullish(name) || name.kind == KindString && name.bits == 0 {
		return m.data(n), true
	}
	m.read(name)
	key, rest, more := strings.Cut(m.text(name), ".")
	v, ok := m.top(n, key)
	for ok && more {
		key, rest, more = strings.Cut(rest, ".")
		v, ok = child(v, key)
	}
	return v, ok
}

// top reads a first name in the frame of n.
func (m *machine) top(n *node, key string) (Value, bool) {
	switch {
	case n.frame == frameElement:
		return child(m.cur, key)
	case n.frame == frameReduce && key == "current":
		return m.cur, true
	case n.frame == frameReduce && key == "accumulator":
		return m.acc, true
	case n.frame == frameReduce:
		return Value{}, false
	case key == flagdName:
		return m.flagd(n), true
	case m.attrs != nil:
		return m.attrs.named(key)
	}
	return m.lookup(Intern(key))
}

// data is everything the frame of n can see.
func (m *machine) data(n *node) Value {
	switch n.frame {
	case frameElement:
		return m.cur
	case frameReduce:
		return objectOf([]Member{{Key: "accumulator", Value: m.acc}, {Key: "current", Value: m.cur}})
	}
	var all []Member
	if m.scope != nil {
		all = m.scope.Object().members()
	}
	if !m.charge(len(all)) {
		return Value{}
	}
	members := make([]Member, 0, len(all)+1)
	for _, a := range all {
		if a.Key != flagdName {
			members = append(members, a)
		}
	}
	members = append(members, Member{Key: flagdName, Value: m.flagd(n)})
	sortMembers(members)
	return objectOf(members)
}

// flagd is the object that flagd puts into the context under $flagd.
func (m *machine) flagd(n *node) Value {
	return objectOf([]Member{{Key: flagKeyName, Value: n.val}, {Key: timestampName, Value: m.timestamp()}})
}

// missing lists the names that are absent, null or empty; missing_some lists nothing if enough of them are there.
func (m *machine) missing(n *node) Value {
	var names []Value
	if n.op == opMissing {
		names = m.values(n.args)
		if len(names) > 0 && names[0].kind == KindArray {
			names = names[0].elems()
		}
		return Array(m.absent(n, names)...)
	}
	need, options := m.eval(&n.args[0]), m.eval(&n.args[1])
	offered := 1
	switch {
	case options.kind == KindArray:
		names = options.elems()
		offered = len(names)
		if offered > 0 && names[0].kind == KindArray {
			names = names[0].elems()
		}
	case nullish(options):
		return Value{}
	default:
		names = []Value{options}
	}
	gone := m.absent(n, names)
	if float64(offered-len(gone)) >= m.number(need) {
		return Array()
	}
	return Array(gone...)
}

func (m *machine) absent(n *node, names []Value) []Value {
	var gone []Value
	for _, name := range names {
		if !m.charge(1) {
			return nil
		}
		path, otherwise := name, Value{}
		if name.kind == KindArray { // as JavaScript reads it: arguments for var
			path, otherwise = undefined, name.Index(1)
			if name.Len() > 0 {
				path = name.Index(0)
			}
		}
		v, ok := m.named(n, path)
		if !ok {
			v = otherwise
		}
		if nullish(v) || v.kind == KindString && v.bits == 0 {
			gone = append(gone, name)
		}
	}
	return gone
}

// values evaluates arguments into a list; what is undefined becomes null.
func (m *machine) values(args []node) []Value {
	list := make([]Value, len(args))
	for i := range args {
		list[i] = defined(m.eval(&args[i]))
	}
	return list
}

func defined(v Value) Value {
	if v.kind == kindUndefined {
		return Value{}
	}
	return v
}
