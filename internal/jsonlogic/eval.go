package jsonlogic

import (
	"math"
	"strings"
)

// eval runs a node. Branches of if are followed in the loop, so a long chain of them does not deepen the stack.
func (m *machine) eval(n *node) Value {
	for n.op == opIf || n.op == opFlat {
		if n.op == opFlat {
			n = m.follow(n.more.(*flat))
		} else if n = m.branch(n.args); n == nil {
			return Value{}
		}
	}
	switch n.op {
	case opConst:
		return n.val
	case opAttribute:
		return m.attribute(n.sym)
	case opVar:
		return m.variable(n)
	case opSplit:
		return m.splitConst(n)
	case opAnd, opOr:
		v := undefined
		for i := range n.args {
			if v = m.eval(&n.args[i]); truthy(v) == (n.op == opOr) {
				break
			}
		}
		return v
	case opEqual, opEqualString, opAttributeEqual, opLess, opLessEqual, opGreater, opGreaterEqual, opNot, opTruthy, opIn, opInSet,
		opAll, opNone, opSome:
		return Bool(m.test(n))
	case opSemver, opSemverConst, opStartsWith, opEndsWith:
		holds, ok := m.textTest(n)
		if !ok {
			return Value{}
		}
		return Bool(holds)
	case opAdd, opMultiply, opSubtract, opDivide, opModulo, opMin, opMax:
		return m.arithmetic(n)
	case opFractional:
		return m.fractional(n)
	case opMap, opFilter, opReduce:
		return m.iterate(n)
	case opVarDynamic:
		return m.variableDynamic(n)
	case opMissing, opMissingSome:
		return m.missing(n)
	}
	return m.construct(n)
}

// operand is eval without its switch for the two operands that nearly all tests have.
func (m *machine) operand(n *node) Value {
	switch n.op {
	case opConst:
		return n.val
	case opAttribute:
		return m.attribute(n.sym)
	}
	return m.eval(n)
}

// branch returns the branch of an if that is to be evaluated, nil if there is none.
func (m *machine) branch(args []node) *node {
	for len(args) > 1 {
		if m.test(&args[0]) {
			return &args[1]
		}
		args = args[2:]
	}
	if len(args) > 0 {
		return &args[0]
	}
	return nil
}

func (m *machine) equalString(v Value, text string, how uint8) bool {
	if v.kind == KindString || how&loose == 0 {
		return (v.kind == KindString && v.Str() == text) == (how&negated == 0)
	}
	return m.looseEqual(v, String(text)) == (how&negated == 0)
}

// test is truthy(eval(n)) without making the value in between.
func (m *machine) test(n *node) bool {
	switch n.op {
	case opAttributeEqual:
		return m.equalString(m.attribute(n.sym), n.val.Str(), n.how)
	case opEqualString:
		return m.equalString(m.eval(&n.args[0]), n.val.Str(), n.how)
	case opInSet:
		return n.more.(*literalSet).has(m.operand(&n.args[0]))
	case opStartsWith, opEndsWith:
		holds, ok := m.affix(n.op, m.operand(&n.args[0]), m.operand(&n.args[1]))
		return holds && ok
	case opSemver, opSemverConst:
		holds, ok := m.textTest(n)
		return holds && ok
	case opAnd, opOr:
		return m.connect(n.args, n.op == opOr)
	case opNot:
		return !m.test(&n.args[0])
	case opTruthy:
		return m.test(&n.args[0])
	case opEqual:
		return m.equal(n)
	case opLess, opLessEqual, opGreater, opGreaterEqual:
		return m.order(n)
	case opIn:
		return m.in(m.eval(&n.args[0]), m.eval(&n.args[1]))
	case opAll, opNone, opSome:
		return m.quantify(n)
	}
	return truthy(m.eval(n))
}

// connect is and, or or: it stops at the first argument that is as asked.
func (m *machine) connect(args []node, stop bool) bool {
	for i := range args {
		if m.test(&args[i]) == stop {
			return stop
		}
	}
	return !stop && len(args) > 0
}

func (m *machine) equal(n *node) bool {
	a, b := m.operand(&n.args[0]), m.operand(&n.args[1])
	if a.kind == KindString && a.bits == b.bits {
		m.read(a)
	}
	if n.how&loose != 0 {
		return m.looseEqual(a, b) == (n.how&negated == 0)
	}
	return strictEqual(a, b) == (n.how&negated == 0)
}

// order is < <= > >=. With three arguments, < and <= mean between; an absent third argument is undefined.
func (m *machine) order(n *node) bool {
	a, b := m.operand(&n.args[0]), m.operand(&n.args[1])
	orEqual := n.op == opLessEqual || n.op == opGreaterEqual
	if n.op == opGreater || n.op == opGreaterEqual {
		return m.less(b, a, orEqual)
	}
	if !m.less(a, b, orEqual) {
		return false
	}
	if len(n.args) < 3 {
		return true
	}
	c := m.operand(&n.args[2])
	return c.kind == kindUndefined || m.less(b, c, orEqual)
}

// in is String.indexOf or Array.indexOf, by the kind of the haystack.
func (m *machine) in(needle, haystack Value) bool {
	switch haystack.kind {
	case KindString:
		if haystack.bits == 0 {
			return false
		}
		m.read(haystack)
		if needle.kind == KindString {
			return strings.Contains(haystack.Str(), needle.Str())
		}
		return strings.Contains(haystack.Str(), m.text(needle))
	case KindArray:
		if !m.charge(int(haystack.bits)) {
			return false
		}
		for _, e := range haystack.elems() {
			if strictEqual(e, needle) {
				return true
			}
		}
	}
	return false
}

// textTest is starts_with, ends_with and sem_ver; ok is false for what gives null.
func (m *machine) textTest(n *node) (holds, ok bool) {
	switch n.op {
	case opSemverConst:
		return m.compareVersion(m.operand(&n.args[0]), n.how, *n.more.(*version))
	case opSemver:
		op, known := versionOp(m.eval(&n.args[1]).Str())
		if !known {
			return false, false
		}
		right := m.eval(&n.args[2])
		var buf [32]byte
		w, valid := parseVersion(versionText(right, buf[:0]))
		if !valid {
			return false, false
		}
		return m.compareVersion(m.eval(&n.args[0]), op, w)
	}
	return m.affix(n.op, m.operand(&n.args[0]), m.operand(&n.args[1]))
}

func (m *machine) affix(op opcode, s, part Value) (holds, ok bool) {
	if s.kind != KindString || part.kind != KindString {
		return false, false
	}
	if part.bits > s.bits {
		return false, true
	}
	m.read(part)
	if op == opStartsWith {
		return strings.HasPrefix(s.Str(), part.Str()), true
	}
	return strings.HasSuffix(s.Str(), part.Str()), true
}

func (m *machine) compareVersion(left Value, op uint8, w version) (holds, ok bool) {
	m.read(left)
	var buf [32]byte
	v, valid := parseVersion(versionText(left, buf[:0]))
	if !valid {
		return false, false
	}
	return v.satisfies(op, w), true
}

// versionText returns a string as it is, a number as text in buf, and nothing for the rest.
func versionText(v Value, buf []byte) string {
	if v.kind == KindNumber {
		return bytesAsString(appendNumber(buf, v.Float()))
	}
	return v.Str()
}

func (m *machine) arithmetic(n *node) Value {
	switch n.op {
	case opAdd:
		sum := 0.0
		for i := range n.args {
			sum += m.parseFloat(m.eval(&n.args[i]))
		}
		return Number(sum)
	case opMultiply:
		return m.multiply(n.args)
	case opMin, opMax:
		return m.extreme(n)
	}
	a := m.number(m.eval(&n.args[0]))
	b := m.eval(&n.args[1])
	switch {
	case n.op == opSubtract && b.kind == kindUndefined:
		return Number(-a)
	case n.op == opSubtract:
		return Number(a - m.number(b))
	case n.op == opDivide:
		return Number(a / m.number(b))
	}
	return Number(math.Mod(a, m.number(b)))
}

// multiply of one argument is that argument, whatever it is, as in JavaScript's reduce without an initial value.
func (m *machine) multiply(args []node) Value {
	if len(args) == 0 {
		return Value{}
	}
	v := m.eval(&args[0])
	for i := range args[1:] {
		v = Number(m.parseFloat(v) * m.parseFloat(m.eval(&args[i+1])))
	}
	return v
}

func (m *machine) extreme(n *node) Value {
	result, pick := math.Inf(1), math.Min
	if n.op == opMax {
		result, pick = math.Inf(-1), math.Max
	}
	sawNaN := false
	for i := range n.args {
		f := m.number(m.eval(&n.args[i]))
		sawNaN = sawNaN || f != f
		result = pick(result, f)
	}
	if sawNaN { // Go lets an infinity win over NaN
		return Number(math.NaN())
	}
	return Number(result)
}
