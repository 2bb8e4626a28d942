package jsonlogic

// node is one instruction of a compiled rule. Arguments lie side by side in memory, and one switch runs all of them:
// so the state of an evaluation lives on the stack, and nothing is called through a pointer.
type node struct {
	op    opcode
	frame frame
	how   uint8 // negation and looseness of comparisons, operator of sem_ver, kind of bucketing key
	cost  int32 // nodes in the body of an iteration
	sym   Symbol
	args  []node
	val   Value // literal operand or result
	more  any   // what only few instructions have: path, *literalSet, *split, *version or *flat
}

// path is of a variable, below sym or below the element.
type path []string

type opcode uint8

const (
	opConst opcode = iota
	opArray
	opAttribute // a variable of one name without a default
	opVar
	opVarDynamic
	opWhole
	opFlagd
	opTimestamp
	opMissing
	opMissingSome
	opIf
	opFlat // the same as a table
	opAnd
	opOr
	opNot
	opTruthy
	opEqual
	opEqualString
	opAttributeEqual // opEqualString of an opAttribute, the commonest test of all
	opGeneral        // only in a clause: a test that is none
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opAdd
	opMultiply
	opSubtract
	opDivide
	opModulo
	opMin
	opMax
	opCat
	opSubstr
	opMerge
	opIn
	opInSet
	opMap
	opFilter
	opReduce
	opAll
	opNone
	opSome
	opFractional
	opSplit
	opSemver
	opSemverConst
	opStartsWith
	opEndsWith
)

// How equalities compare.
const (
	negated uint8 = 1 << iota
	loose
)

// frame says what data a variable reads; it is known when the rule is compiled.
type frame uint8

const (
	frameRoot        frame = iota // the context
	frameElement                  // the element of map, filter, all, none, some
	frameReduce                   // an object of current and accumulator, never built unless asked for whole
	frameAccumulator              // only in opVar: below accumulator
)

// literalSet is a literal array of scalars compiled for membership tests. A frozen hash table of our own was no faster
// than the map.
type literalSet struct {
	list    []string            // up to linearSet strings
	strings map[string]struct{} // more of them
	others  []Value
}

const linearSet = 8

func newLiteralSet(elems []Value) *literalSet {
	s := &literalSet{}
	for _, e := range elems {
		switch e.kind {
		case KindString:
			s.list = append(s.list, e.Str())
		case KindNull, KindBool, KindNumber:
			s.others = append(s.others, e)
		}
	}
	if len(s.list) > linearSet {
		s.strings = make(map[string]struct{}, len(s.list))
		for _, e := range s.list {
			s.strings[e] = struct{}{}
		}
		s.list = nil
	}
	return s
}

func (s *literalSet) has(v Value) bool {
	if v.kind != KindString {
		for _, e := range s.others {
			if strictEqual(e, v) {
				return true
			}
		}
		return false
	}
	return s.hasText(v.Str())
}

func (s *literalSet) hasText(text string) bool {
	if s.strings != nil {
		_, ok := s.strings[text]
		return ok
	}
	for _, e := range s.list {
		if e == text {
			return true
		}
	}
	return false
}
