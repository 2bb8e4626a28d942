package jsonlogic

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
	if n.op == opFlat {
		if n = n.more.(*flat).pick(a.list); n == nil {
			return 0, false
		}
	}
	switch n.op {
	case opConst:
		return n.val.mark, n.val.mark != 0
	case opSplit:
		return n.more.(*split).mark(n, a.list)
	}
	return 0, false
}

func find(list []Attribute, name Symbol) *Attribute {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

func (v *Value) pickable() bool { return v.kind == KindString && v.bits <= pickable }

// mark is machine.splitConst for a key that is an attribute.
func (s *split) mark(n *node, list []Attribute) (mark uint32, ok bool) {
	key, h := TargetingKey, s.prefix
	if n.how == byArgument {
		if n.args[0].op != opAttribute {
			return 0, false
		}
		key, h = n.args[0].sym, murmur{}
	}
	a := find(list, key)
	if a == nil || !a.Value.pickable() || a.Value.bits == 0 {
		return 0, false
	}
	bucket := s.bucket(h.with(a.Value.Str()).sum())
	for i := range s.parts {
		if part := &s.parts[i]; bucket < part.end {
			return part.value.mark, part.value.mark != 0
		}
	}
	return 0, false
}
