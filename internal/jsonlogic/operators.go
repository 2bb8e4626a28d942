package jsonlogic

import "strings"

// operator says how one operator is compiled.
type operator struct {
	name  string // as a step of a path
	form  form
	op    opcode
	how   uint8
	arity int // absent arguments up to here are undefined
}

type form uint8

const (
	formPlain form = iota
	formVariable
	formNamed
	formConditional
	formEquality
	formIteration
	formMembership
	formFractional
	formSemver
	formAffix
	formRefused
)

var operators = map[string]operator{
	"var":          {name: ".var", form: formVariable},
	"missing":      {name: ".missing", form: formNamed, op: opMissing},
	"missing_some": {name: ".missing_some", form: formNamed, op: opMissingSome, arity: 2},
	"if":           {name: ".if", form: formConditional},
	"?:":           {name: ".?:", form: formConditional},
	"==":           {name: ".==", form: formEquality, op: opEqual, how: loose, arity: 2},
	"!=":           {name: ".!=", form: formEquality, op: opEqual, how: loose | negated, arity: 2},
	"===":          {name: ".===", form: formEquality, op: opEqual, arity: 2},
	"!==":          {name: ".!==", form: formEquality, op: opEqual, how: negated, arity: 2},
	"!":            {name: ".!", op: opNot, arity: 1},
	"!!":           {name: ".!!", op: opTruthy, arity: 1},
	"or":           {name: ".or", op: opOr},
	"and":          {name: ".and", op: opAnd},
	">":            {name: ".>", op: opGreater, arity: 2},
	">=":           {name: ".>=", op: opGreaterEqual, arity: 2},
	"<":            {name: ".<", op: opLess, arity: 2},
	"<=":           {name: ".<=", op: opLessEqual, arity: 2},
	"max":          {name: ".max", op: opMax},
	"min":          {name: ".min", op: opMin},
	"+":            {name: ".+", op: opAdd},
	"-":            {name: ".-", op: opSubtract, arity: 2},
	"*":            {name: ".*", op: opMultiply},
	"/":            {name: "./", op: opDivide, arity: 2},
	"%":            {name: ".%", op: opModulo, arity: 2},
	"map":          {name: ".map", form: formIteration, op: opMap},
	"filter":       {name: ".filter", form: formIteration, op: opFilter},
	"reduce":       {name: ".reduce", form: formIteration, op: opReduce},
	"all":          {name: ".all", form: formIteration, op: opAll},
	"none":         {name: ".none", form: formIteration, op: opNone},
	"some":         {name: ".some", form: formIteration, op: opSome},
	"merge":        {name: ".merge", op: opMerge},
	"in":           {name: ".in", form: formMembership, op: opIn, arity: 2},
	"cat":          {name: ".cat", op: opCat},
	"substr":       {name: ".substr", op: opSubstr, arity: 3},
	"fractional":   {name: ".fractional", form: formFractional},
	"sem_ver":      {name: ".sem_ver", form: formSemver},
	"starts_with":  {name: ".starts_with", form: formAffix, op: opStartsWith},
	"ends_with":    {name: ".ends_with", form: formAffix, op: opEndsWith},
	"log":          {name: ".log", form: formRefused},
}

// build compiles one operation, of which v are the arguments and name is the step to them.
func (c *compiler) build(o operator, v Value, name string, at place) node {
	switch o.form {
	case formRefused:
		return c.fault(`operator "log" is not allowed in rules`)
	case formIteration:
		return c.iteration(o, v, name, at)
	}
	args := c.args(v, name, at, o.arity)
	switch o.form {
	case formVariable:
		return c.variable(args, at)
	case formNamed:
		return c.named(o.op, args, at)
	case formConditional:
		return conditional(args)
	case formEquality:
		return c.equality(o, args)
	case formMembership:
		return c.membership(args, v, at)
	case formFractional:
		return c.fractional(args)
	case formSemver:
		return c.semver(args)
	case formAffix:
		if len(args) != 2 {
			return literal(Value{})
		}
	}
	return c.folded(node{op: o.op, args: args})
}

// equality turns a comparison with a literal string into one instruction.
func (c *compiler) equality(o operator, args []node) node {
	n := c.folded(node{op: o.op, how: o.how, args: args})
	if n.op != opEqual {
		return n
	}
	for i := range 2 {
		if lit := n.args[i]; lit.op == opConst && lit.val.kind == KindString {
			other := n.args[1-i]
			n = node{op: opEqualString, how: o.how, val: lit.val, args: []node{other}}
			if other.op == opAttribute {
				n.op, n.sym, n.args = opAttributeEqual, other.sym, nil
			}
			return n
		}
	}
	return n
}

// membership turns a literal haystack into a set. The sets of evaluators are shared by all rules that refer to them.
func (c *compiler) membership(args []node, v Value, at place) node {
	n := c.folded(node{op: opIn, args: args})
	if n.op != opIn || args[1].op != opConst || args[1].val.kind != KindArray {
		return n
	}
	n.op, n.args = opInSet, args[:1]
	haystack := v.Index(1)
	if name, isRef := refName(haystack); isRef {
		haystack, at.shared = c.opts.Evaluators.rules[name.Str()], true
	}
	// Only what stands in the evaluator itself is worth keeping, not what folding made just now.
	if at.shared && haystack.ptr == args[1].val.ptr {
		n.more = c.opts.Evaluators.set(haystack)
	} else {
		n.more = newLiteralSet(args[1].val.elems())
	}
	return n
}

// conditional drops branches that can never be taken.
func conditional(args []node) node {
	kept := args[:0] // in place: never ahead of what is still to be read
	for len(args) > 1 {
		if test := &args[0]; test.op != opConst {
			kept = append(kept, args[0], args[1])
		} else if truthy(test.val) {
			args = args[1:2]
			break
		}
		args = args[2:]
	}
	kept = append(kept, args...)
	switch len(kept) {
	case 0:
		return literal(Value{})
	case 1:
		return kept[0]
	}
	return node{op: opIf, args: kept}
}

// iteration compiles the body with the element, or the accumulator, as its data.
func (c *compiler) iteration(o operator, v Value, name string, at place) node {
	c.program.iterates = true
	n := node{op: o.op, cost: 1, args: []node{literal(undefined), literal(undefined)}}
	inner := at
	inner.frame = frameElement
	if o.op == opReduce {
		inner.frame = frameReduce
		n.args = append(n.args, literal(Value{}))
	}
	if v.kind != KindArray {
		n.args[0] = c.child(v, step{name, -1}, at)
		return n
	}
	for i, places := 0, []place{at, inner, at}; i < len(n.args) && i < v.Len(); i++ {
		before := c.nodes
		n.args[i] = c.child(v.Index(i), step{name, i}, places[i])
		if i == 1 {
			n.cost += int32(c.nodes - before)
		}
	}
	return n
}

// named compiles operators that look names up when they run.
func (c *compiler) named(op opcode, args []node, at place) node {
	c.program.timestamp = c.program.timestamp || at.frame == frameRoot && op == opVarDynamic
	return node{op: op, frame: at.frame, val: String(c.opts.FlagKey), args: args}
}

// variable resolves a literal name now and leaves a computed one to the evaluation.
func (c *compiler) variable(args []node, at place) node {
	name := Value{}
	if len(args) > 0 {
		if args[0].op != opConst || composite(args[0].val) {
			return c.named(opVarDynamic, args, at)
		}
		name = args[0].val
		args = args[1:min(len(args), 2)]
	}
	n := node{op: opVar, frame: at.frame, args: args, val: String(c.opts.FlagKey)}
	if nullish(name) || name.kind == KindString && name.bits == 0 {
		return c.whole(n)
	}
	names := strings.Split(c.fold.text(name), ".")
	switch at.frame {
	case frameElement:
		n.more = path(names)
		return n
	case frameReduce:
		n.more = path(names[1:])
		switch names[0] {
		case "current":
			return n
		case "accumulator":
			n.frame = frameAccumulator
			return n
		}
		return otherwise(args)
	}
	if names[0] == flagdName {
		return c.flagd(n, names[1:])
	}
	n.sym, n.more = Intern(names[0]), path(names[1:])
	if len(names) == 1 && len(args) == 0 {
		n.op, n.more, n.args = opAttribute, nil, nil
	}
	return n
}

// otherwise is what a variable that cannot exist comes to.
func otherwise(args []node) node {
	if len(args) > 0 {
		return args[0]
	}
	return literal(Value{})
}

// whole is all the data of the frame.
func (c *compiler) whole(n node) node {
	switch n.frame {
	case frameElement:
		n.args, n.more = nil, path(nil)
		return n
	case frameRoot:
		c.program.timestamp = true
	}
	n.op, n.args = opWhole, nil
	return n
}

// flagd resolves the variables that flagd adds to the context.
func (c *compiler) flagd(n node, path []string) node {
	switch {
	case len(path) == 0:
		c.program.timestamp = true
		return node{op: opFlagd, val: n.val}
	case path[0] == timestampName && len(path) == 1:
		c.program.timestamp = true
		return node{op: opTimestamp}
	case path[0] == flagKeyName:
		v, ok := n.val, true
		for i := 1; ok && i < len(path); i++ {
			v, ok = child(v, path[i])
		}
		if ok {
			return literal(v)
		}
	}
	return otherwise(n.args)
}

// semver parses a literal version now; with other than three arguments, or a literal that is wrong, it is null.
func (c *compiler) semver(args []node) node {
	if len(args) != 3 {
		return literal(Value{})
	}
	if args[1].op != opConst || args[2].op != opConst {
		return c.folded(node{op: opSemver, args: args})
	}
	how, ok := versionOp(args[1].val.Str())
	w, valid := parseVersion(versionText(args[2].val, nil))
	if !ok || !valid {
		return literal(Value{})
	}
	return c.folded(node{op: opSemverConst, how: how, more: &w, args: args[:1]})
}

// fractional makes a table of literal variants and weights, and leaves everything else to the evaluation.
func (c *compiler) fractional(args []node) node {
	c.program.splits = true
	if len(args) < 2 {
		return literal(Value{})
	}
	s := &split{prefix: c.prefix}
	n := node{op: opFractional, how: byArgument, args: args, more: s}
	entries := args[1:]
	switch first := args[0]; {
	case first.op == opArray, first.op == opConst && first.val.kind == KindArray:
		n.how, entries = byTargetingKey, args
	case first.op == opConst && nullish(first.val):
		n.how = byTargetingKey
	case first.op == opConst && first.val.kind != KindString:
		return literal(Value{})
	case first.op != opConst && first.op != opAttribute && first.op != opVar && first.op != opCat:
		return n // may turn out to be an entry
	}
	var list shares
	for i := range entries {
		if entries[i].op != opConst {
			return n
		}
		if !c.fold.entry(&list, &entries[i]) {
			return literal(Value{})
		}
	}
	s.parts = make([]share, list.count)
	for i := range s.parts {
		s.parts[i] = list.at(i)
	}
	n.op, s.total = opSplit, list.total
	if n.how == byArgument {
		return c.folded(n)
	}
	n.args = nil
	return n
}
