package jsonlogic

import (
	"math"
	"slices"
	"strings"
)

// flat is a chain of if as a table: each test of an attribute against a literal is one clause that says which clause or
// which branch comes next. And, or and not are only jumps, so nothing is called and nothing nests.
type flat struct {
	clauses []clause
	nodes   []node // the branches, and the tests that are no clause
}

// clause is one test. Its jumps are the index of a clause, or below 0 the complement of the index of a branch.
type clause struct {
	sym     Symbol
	word    uint64      // of text, see wordOf; of opGeneral the index of its node
	text    string      // what opAttributeEqual, opStartsWith and opEndsWith compare with
	set     *literalSet // of opInSet
	op      opcode
	how     uint8 // as in node
	yes, no int16
}

// fewEqual is up to how many literals being in a list is a row of equalities.
const fewEqual = 4

// flattened returns n, or the same as a table if it is an if.
func flattened(n node) node {
	if n.op != opIf {
		return n
	}
	f := &flattener{}
	f.branch(&n)
	if len(f.clauses) > math.MaxInt16 || len(f.nodes) > math.MaxInt16 {
		return n
	}
	// They were put down from the last to the first, so that each knew where it leads.
	slices.Reverse(f.clauses)
	for i := range f.clauses {
		c := &f.clauses[i]
		c.yes, c.no = f.mirrored(c.yes), f.mirrored(c.no)
	}
	return node{op: opFlat, more: &flat{slices.Clip(f.clauses), slices.Clip(f.nodes)}}
}

type flattener struct{ flat }

func (f *flattener) mirrored(to int16) int16 {
	if to < 0 {
		return to
	}
	return int16(len(f.clauses)-1) - to
}

// branch puts down what an if leads to and returns where it begins.
func (f *flattener) branch(n *node) int16 {
	if n.op != opIf {
		return ^int16(f.keep(n))
	}
	at, tests := int16(0), len(n.args)/2
	if len(n.args)%2 == 1 {
		at = f.branch(&n.args[len(n.args)-1])
	} else {
		at = f.branch(&node{})
	}
	for i := tests - 1; i >= 0; i-- {
		at = f.test(&n.args[2*i], f.branch(&n.args[2*i+1]), at)
	}
	return at
}

func (f *flattener) keep(n *node) int {
	f.nodes = append(f.nodes, *n)
	return len(f.nodes) - 1
}

func (f *flattener) put(c clause, yes, no int16) int16 {
	c.yes, c.no = yes, no
	f.clauses = append(f.clauses, c)
	return int16(len(f.clauses) - 1)
}

// test puts a test down and returns where it begins.
func (f *flattener) test(n *node, yes, no int16) int16 {
	switch n.op {
	case opAttributeEqual:
		return f.put(clause{op: opAttributeEqual, how: n.how, sym: n.sym, text: n.val.Str(), word: wordOf(n.val.Str())}, yes, no)
	case opNot:
		return f.test(&n.args[0], no, yes)
	case opTruthy:
		return f.test(&n.args[0], yes, no)
	case opAnd:
		return f.all(n.args, yes, no)
	case opOr:
		return f.any(n.args, yes, no)
	case opInSet:
		if n.args[0].op == opAttribute {
			return f.in(n.args[0].sym, n.more.(*literalSet), yes, no)
		}
	case opStartsWith, opEndsWith:
		if s, part := &n.args[0], &n.args[1]; s.op == opAttribute && part.op == opConst && part.val.kind == KindString {
			return f.put(clause{op: n.op, sym: s.sym, text: part.val.Str()}, yes, no)
		}
	}
	return f.put(clause{op: opGeneral, word: uint64(f.keep(n))}, yes, no)
}

func (f *flattener) all(args []node, yes, no int16) int16 {
	if len(args) == 0 {
		return no
	}
	for i := range args {
		yes = f.test(&args[len(args)-1-i], yes, no)
	}
	return yes
}

func (f *flattener) any(args []node, yes, no int16) int16 {
	for i := range args {
		no = f.test(&args[len(args)-1-i], yes, no)
	}
	return no
}

func (f *flattener) in(sym Symbol, set *literalSet, yes, no int16) int16 {
	// Being in no list at all is a clause as well: the chain begins with the last one that was put down.
	if set.strings != nil || len(set.others) > 0 || len(set.list) > fewEqual || len(set.list) == 0 {
		return f.put(clause{op: opInSet, sym: sym, set: set}, yes, no)
	}
	for i := range set.list {
		text := set.list[len(set.list)-1-i]
		no = f.put(clause{op: opAttributeEqual, sym: sym, text: text, word: wordOf(text)}, yes, no)
	}
	return no
}

// wordOf is the first and the last four bytes of a text; of up to three, all of them. Texts of one length up to 8 are the same if
// their words are, and longer ones seldom are if they are not.
func wordOf(s string) uint64 {
	switch n := len(s); {
	case n >= 4:
		return uint64(load32(s)) | uint64(load32(s[n-4:]))<<32
	case n > 0:
		return uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16
	default:
		return 0
	}
}

// follow returns the branch that is to be evaluated.
func (m *machine) follow(f *flat) *node {
	for at := int16(0); ; {
		c := &f.clauses[at]
		if at = c.no; m.clause(f, c) {
			at = c.yes
		}
		if at < 0 {
			return &f.nodes[^at]
		}
	}
}

func (m *machine) clause(f *flat, c *clause) bool {
	if c.op == opGeneral {
		return m.test(&f.nodes[c.word])
	}
	v := m.attribute(c.sym)
	switch c.op {
	case opAttributeEqual:
		return m.equalString(v, c.text, c.how)
	case opInSet:
		return c.set.has(v)
	}
	holds, ok := m.affix(c.op, v, String(c.text))
	return holds && ok
}

// pick is follow for texts alone; it returns nil for what takes more. An attribute is looked up once for all clauses in a
// row that ask for it, and compared as a number before its text is called for.
func (f *flat) pick(list []Attribute) *node {
	var a *Attribute
	for at := int16(0); ; {
		c := &f.clauses[at]
		if a == nil || c.sym != a.Name {
			if a = find(list, c.sym); a != nil && !a.Value.pickable() {
				return nil
			}
		}
		holds := false
		switch {
		case a == nil:
			if c.op == opGeneral {
				return nil
			}
			holds = c.withoutValue()
		case c.op == opAttributeEqual:
			same := c.word == a.word && len(c.text) == int(a.Value.bits) && (len(c.text) <= 8 || c.text == a.Value.Str())
			holds = same == (c.how&negated == 0)
		case c.op == opInSet:
			holds = c.set.hasText(a.Value.Str())
		case c.op == opStartsWith:
			holds = strings.HasPrefix(a.Value.Str(), c.text)
		case c.op == opEndsWith:
			holds = strings.HasSuffix(a.Value.Str(), c.text)
		default:
			return nil
		}
		if at = c.no; holds {
			at = c.yes
		}
		if at < 0 {
			return &f.nodes[^at]
		}
	}
}

// withoutValue is the test of an attribute that is not there, which reads as null: no text, and equal to none.
func (c *clause) withoutValue() bool {
	switch c.op {
	case opAttributeEqual:
		return c.how&negated != 0
	case opInSet:
		return c.set.has(Value{})
	}
	return false
}
