package jsonlogic

import "strings"

// pickable is the longest text that Pick reads; longer ones are charged for, which is Eval's work.
const pickable = 256

// Pick is Eval cut down to what most rules are: tests of text attributes against literals that choose among marked
// literals. It returns the mark of the result; ok is false where the rule or the attributes take more than that,
// and Eval has to be asked. Nothing is copied and no state is set up, which makes it several times as fast.
func (p *Program) Pick(a *Attributes) (mark uint32, ok bool) {
	if a == nil || a.index != nil {
		return 0, false
	}
	n := &p.root
	for n.op == opIf {
		args := n.args
		for len(args) > 1 {
			var holds bool
			// The commonest test goes past the switch and its call.
			if test := &args[0]; test.op == opAttributeEqual {
				v := find(a.list, test.sym)
				if v == nil || !v.pickable() {
					return 0, false
				}
				holds = (v.bits == test.val.bits && v.Str() == test.val.Str()) == (test.how&negated == 0)
			} else if holds, ok = pickTest(test, a.list); !ok {
				return 0, false
			}
			if holds {
				break
			}
			args = args[2:]
		}
		switch len(args) {
		case 0:
			return 0, false
		case 1:
			n = &args[0]
		default:
			n = &args[1]
		}
	}
	switch n.op {
	case opConst:
		return n.val.mark, n.val.mark != 0
	case opSplit:
		return pickSplit(n, a.list)
	}
	return 0, false
}

func find(list []Attribute, name Symbol) *Value {
	for i := range list {
		if list[i].Name == name {
			return &list[i].Value
		}
	}
	return nil
}

func (v *Value) pickable() bool { return v.kind == KindString && v.bits <= pickable }

// pickText returns a text attribute.
func pickText(name Symbol, list []Attribute) (text string, ok bool) {
	v := find(list, name)
	if v == nil || !v.pickable() {
		return "", false
	}
	return v.Str(), true
}

// pickTest is machine.test for what needs nothing but text attributes.
func pickTest(n *node, list []Attribute) (holds, ok bool) {
	switch n.op {
	case opAttributeEqual:
		text, ok := pickText(n.sym, list)
		return (text == n.val.Str()) == (n.how&negated == 0), ok
	case opInSet:
		if n.args[0].op != opAttribute {
			return false, false
		}
		text, ok := pickText(n.args[0].sym, list)
		if !ok {
			return false, false
		}
		if set := n.more.set; set.strings != nil {
			_, holds = set.strings[text]
			return holds, true
		}
		for _, e := range n.more.set.list {
			if e == text {
				return true, true
			}
		}
		return false, true
	case opStartsWith, opEndsWith:
		return pickAffix(n, list)
	case opAnd, opOr:
		for i := range n.args {
			if holds, ok = pickTest(&n.args[i], list); !ok || holds == (n.op == opOr) {
				return holds, ok
			}
		}
		return holds, ok
	}
	return false, false
}

func pickAffix(n *node, list []Attribute) (holds, ok bool) {
	if n.args[0].op != opAttribute || n.args[1].op != opConst || n.args[1].val.kind != KindString {
		return false, false
	}
	text, ok := pickText(n.args[0].sym, list)
	if n.op == opStartsWith {
		return strings.HasPrefix(text, n.args[1].val.Str()), ok
	}
	return strings.HasSuffix(text, n.args[1].val.Str()), ok
}

// pickSplit is machine.splitConst for a key that is an attribute.
func pickSplit(n *node, list []Attribute) (mark uint32, ok bool) {
	s, key := &n.more.split, TargetingKey
	var h murmur
	if n.how == byArgument {
		if n.args[0].op != opAttribute {
			return 0, false
		}
		key = n.args[0].sym
	} else {
		h = s.prefix
	}
	text, ok := pickText(key, list)
	if !ok || text == "" {
		return 0, false
	}
	h.write(text)
	bucket := uint32(uint64(h.sum()) * s.total >> 32)
	for i, end := range s.ends {
		if bucket < end {
			mark = s.values[i].mark
			return mark, mark != 0
		}
	}
	return 0, false
}
