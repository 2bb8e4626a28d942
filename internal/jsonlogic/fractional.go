package jsonlogic

import "math"

// split is the bucketing of a fractional whose first argument is known to be a key, or known not to be.
type split struct {
	prefix murmur // of the flag key, for a fractional without a bucketing value
	total  uint64
	parts  []share
}

// How the key of a fractional is found.
const (
	byTargetingKey uint8 = iota // flag key, then targeting key
	byArgument                  // args[0], which decides when it is evaluated
)

const maxWeight = math.MaxInt32

// bucket returns where in the total weight a hash falls.
func (s *split) bucket(hash uint32) uint32 { return uint32(uint64(hash) * s.total >> 32) }

// pick returns the value whose share of the hash space the hash falls into.
func (s *split) pick(hash uint32) Value {
	bucket := s.bucket(hash)
	for i := range s.parts {
		if part := &s.parts[i]; bucket < part.end {
			return part.value
		}
	}
	return Value{}
}

// splitConst is a fractional of literal variants and weights.
func (m *machine) splitConst(n *node) Value {
	s := n.more.(*split)
	if n.how == byArgument {
		switch hash, key := m.bucketKey(&n.args[0]); {
		case key.kind == KindString:
			return s.pick(hash)
		case !nullish(key):
			return m.fractionalOf(n, hash, key)
		}
	}
	hash, ok := m.targetingHash(s.prefix)
	if !ok {
		return Value{}
	}
	return s.pick(hash)
}

// targetingHash continues the hash of the flag key with the targeting key, if there is one.
func (m *machine) targetingHash(h murmur) (uint32, bool) {
	key := m.attribute(TargetingKey)
	if key.kind != KindString || key.bits == 0 {
		return 0, false
	}
	m.read(key)
	return h.with(key.Str()).sum(), true
}

// bucketKey evaluates the first argument of a fractional, and hashes it if it is text. The usual cat of flag key and
// attribute is hashed piece by piece and never put together.
func (m *machine) bucketKey(n *node) (uint32, Value) {
	var h murmur
	if n.op == opCat {
		for i := range n.args {
			h = m.hashPiece(h, m.operand(&n.args[i]))
		}
		return h.sum(), String("")
	}
	v := m.operand(n)
	if v.kind == KindString {
		m.read(v)
		h = h.with(v.Str())
	}
	return h.sum(), v
}

func (m *machine) hashPiece(h murmur, v Value) murmur {
	switch {
	case v.kind == KindString:
		m.read(v)
		return h.with(v.Str())
	case v.kind == KindNumber:
		var buf [32]byte
		return h.with(bytesAsString(appendNumber(buf[:0], v.Float())))
	case !nullish(v):
		return h.with(m.text(v))
	}
	return h
}

// shares are the evaluated entries of a fractional. The usual few need no allocation.
type shares struct {
	few   [8]share
	more  []share
	count int
	total uint64
}

// share is a variant and the end of its part of the total weight.
type share struct {
	value Value
	end   uint32
}

func (s *shares) at(i int) share {
	if i < len(s.few) {
		return s.few[i]
	}
	return s.more[i-len(s.few)]
}

// add reports whether variant and weight, of an array of the given size, make an entry.
func (s *shares) add(variant, weight Value, size int) bool {
	w, ok := entryWeight(weight)
	s.total += w
	if !ok || size == 0 || composite(variant) || s.total > maxWeight {
		return false
	}
	next := share{defined(variant), uint32(s.total)}
	if s.count < len(s.few) {
		s.few[s.count] = next
	} else {
		s.more = append(s.more, next)
	}
	s.count++
	return true
}

// fractional is the general form: any argument may be computed.
func (m *machine) fractional(n *node) Value {
	if n.args[0].op == opArray {
		return m.fractionalOf(n, 0, undefined)
	}
	hash, key := m.bucketKey(&n.args[0])
	return m.fractionalOf(n, hash, key)
}

// fractionalOf goes on after the first argument: text is the key and its hash is given, null is dropped, an array is
// an entry, undefined an entry that is not evaluated yet; the rest gives null.
func (m *machine) fractionalOf(n *node, hash uint32, key Value) Value {
	var list shares
	entries, ok := n.args[1:], true
	switch key.kind {
	case kindUndefined:
		if n.args[0].op == opArray {
			entries = n.args
		}
	case KindArray:
		ok = list.add(key.Index(0), key.Index(1), key.Len())
	case KindString, KindNull:
	default:
		return Value{}
	}
	for i := 0; ok && i < len(entries); i++ {
		ok = m.entry(&list, &entries[i])
	}
	if ok && key.kind != KindString {
		hash, ok = m.targetingHash(n.more.(*split).prefix)
	}
	if !ok {
		return Value{}
	}
	bucket := uint64(hash) * list.total >> 32
	for i := range list.count {
		if s := list.at(i); bucket < uint64(s.end) {
			return s.value
		}
	}
	return Value{}
}

// entry evaluates one [variant, weight] and adds it to the shares.
func (m *machine) entry(list *shares, n *node) bool {
	if n.op != opArray {
		v := m.eval(n)
		return list.add(v.Index(0), v.Index(1), len(v.elems()))
	}
	var variant, weight Value
	if len(n.args) > 0 {
		variant = m.eval(&n.args[0])
	}
	if len(n.args) > 1 {
		weight = m.eval(&n.args[1])
	}
	return list.add(variant, weight, len(n.args))
}

// entryWeight is 1 for an absent weight, 0 for a negative one; a fraction, a non-number or more than maxWeight is
// refused.
func entryWeight(v Value) (uint64, bool) {
	if nullish(v) {
		return 1, true
	}
	f := v.Float()
	if v.kind != KindNumber || f != math.Trunc(f) || f > maxWeight {
		return 0, false
	}
	return uint64(max(f, 0)), true
}
