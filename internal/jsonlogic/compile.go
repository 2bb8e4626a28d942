package jsonlogic

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Options are what a rule is compiled with. The zero value compiles a rule that stands alone.
type Options struct {
	// FlagKey is $flagd.flagKey, and what a fractional without a bucketing value hashes before the targeting key.
	FlagKey string
	// Evaluators are the shared rules that {"$ref": "name"} stands for. Default: none.
	Evaluators *Evaluators
	// MaxDepth bounds the nesting of arrays and objects in a rule. Default: 2*MaxDepth, so that a rule and an evaluator as
	// deep as ParseJSON lets them be fit into each other.
	MaxDepth int
	// MaxSteps bounds the work of one evaluation beyond what the length of the rule bounds: elements visited times the
	// operators run on each, and bytes of text made, 16 a step. Default: 250,000, some milliseconds.
	MaxSteps int
	// Mark, if set, is asked once for every literal that the rule can return; Value.Mark of a result is what it
	// returned, so that a caller resolves its literals when the rule is compiled and not at each evaluation.
	Mark func(Value) uint32
}

// Evaluators is a set of shared rules, with their large literal arrays compiled once for all rules that refer to them.
// Safe for concurrent use.
type Evaluators struct {
	rules map[string]Value
	sets  sync.Map // first element of a literal array -> *literalSet
}

// NewEvaluators returns the shared rules given, which must not be changed afterwards.
func NewEvaluators(rules map[string]Value) *Evaluators { return &Evaluators{rules: rules} }

// set returns the membership test of a literal array that stands in an evaluator.
func (e *Evaluators) set(list Value) *literalSet {
	if set, ok := e.sets.Load(list.ptr); ok {
		return set.(*literalSet)
	}
	set, _ := e.sets.LoadOrStore(list.ptr, newLiteralSet(list.elems()))
	return set.(*literalSet)
}

// Fault is one thing that is wrong with a rule.
type Fault struct {
	Path   string // from the root of the rule: ".if[0].==[1]"; empty for the root itself
	Reason string
}

// Faults are all faults of a rule, in the order of its text.
type Faults []Fault //nolint:errname // a list of what is wrong, and the error is that there is one

// Error joins all faults with "; ".
func (f Faults) Error() string {
	parts := make([]string, len(f))
	for i, fault := range f {
		parts[i] = fault.Path + ": " + fault.Reason
		if fault.Path == "" {
			parts[i] = fault.Reason
		}
	}
	return strings.Join(parts, "; ")
}

const (
	defaultMaxSteps = 250_000
	// maxNodes bounds what references can make of a short rule.
	maxNodes = 1 << 18
)

// Compile turns a rule into a Program. The error is Faults: all that is wrong, not only the first.
func Compile(rule Value, opts Options) (*Program, error) {
	if opts.MaxDepth <= 0 {
		opts.MaxDepth = 2 * MaxDepth
	}
	if opts.MaxSteps <= 0 {
		opts.MaxSteps = defaultMaxSteps
	}
	c := compiler{opts: opts, fold: machine{steps: opts.MaxSteps}}
	c.prefix = c.prefix.with(opts.FlagKey)
	root := c.rule(rule, place{})
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	if root.op == opConst && root.val.kind == kindUndefined {
		root = literal(Value{}) // {"or":[]}: the answer of a whole rule is null then
	}
	if opts.Mark != nil {
		mark(&root, opts.Mark)
	}
	p := c.program // a copy, so that the compiler can be collected
	p.root, p.maxSteps, p.constant = flattened(root), opts.MaxSteps, root.op == opConst
	return &p, nil
}

type compiler struct {
	opts    Options
	prefix  murmur
	program Program
	fold    machine // folds constants; one budget for the whole rule
	nodes   int
	faults  Faults
	path    []step
}

// step is one step of a path into a rule: an operator and, if its arguments are a list, which of them.
type step struct {
	name  string // "." and the operator, or empty in a plain array
	index int    // -1 for an argument that stands for itself
}

// place is where in a rule the compiler is.
type place struct {
	frame  frame
	depth  int
	shared bool // inside an evaluator
}

func (c *compiler) fault(format string, args ...any) node {
	// Past a hundred nobody reads on, and a hostile rule should not be answered with megabytes.
	if len(c.faults) < 100 {
		var path strings.Builder
		for _, s := range c.path {
			if path.WriteString(s.name); s.index >= 0 {
				fmt.Fprintf(&path, "[%d]", s.index)
			}
		}
		c.faults = append(c.faults, Fault{Path: path.String(), Reason: fmt.Sprintf(format, args...)})
	}
	return node{}
}

// literal is a node that returns v; undefined stands for absent arguments.
func literal(v Value) node { return node{op: opConst, val: v} }

// rule compiles anything: an operation, an array of them, or a literal.
func (c *compiler) rule(v Value, at place) node {
	if c.nodes++; c.nodes > maxNodes {
		if c.nodes == maxNodes+1 {
			c.fault("larger than %d operations, references included", maxNodes)
		}
		return node{}
	}
	if at.depth++; composite(v) && at.depth > c.opts.MaxDepth {
		return c.fault("nested deeper than %d levels", c.opts.MaxDepth)
	}
	switch {
	case v.kind == KindArray:
		return c.array(v, at)
	case v.kind == KindObject && v.Len() == 1:
		return c.operation(v.members()[0], at)
	}
	return literal(v)
}

func (c *compiler) array(v Value, at place) node {
	if !slices.ContainsFunc(v.elems(), composite) {
		return literal(v)
	}
	return c.folded(node{op: opArray, args: c.args(v, "", at, 0)})
}

// child compiles what is one step further down.
func (c *compiler) child(v Value, to step, at place) node {
	c.path = append(c.path, to)
	n := c.rule(v, at)
	c.path = c.path[:len(c.path)-1]
	return n
}

// args compiles the elements of an array, or the one argument that stands for itself; those absent up to arity are
// undefined.
func (c *compiler) args(v Value, name string, at place, arity int) []node {
	if v.kind != KindArray {
		list := make([]node, 1, max(1, arity))
		list[0] = c.child(v, step{name, -1}, at)
		return pad(list, arity)
	}
	list := make([]node, v.Len(), max(v.Len(), arity))
	for i, e := range v.elems() {
		list[i] = c.child(e, step{name, i}, at)
	}
	return pad(list, arity)
}

func pad(list []node, arity int) []node {
	for len(list) < arity {
		list = append(list, literal(undefined))
	}
	return list
}

// refName returns the name in {"$ref": name}.
func refName(v Value) (Value, bool) {
	if v.kind == KindObject && v.Len() == 1 && v.members()[0].Key == "$ref" {
		return v.members()[0].Value, true
	}
	return Value{}, false
}

// resolve replaces a reference by the rule it names.
func (c *compiler) resolve(name Value, from step, at *place) (Value, bool) {
	c.path = append(c.path, from)
	defer func() { c.path = c.path[:len(c.path)-1] }()
	switch {
	case name.kind != KindString:
		c.fault("$ref must be the name of an evaluator, not %s", name)
		return Value{}, false
	case at.shared:
		c.fault("$ref %q inside an evaluator: evaluators cannot refer to evaluators", name.Str())
		return Value{}, false
	case c.opts.Evaluators != nil:
		if rule, ok := c.opts.Evaluators.rules[name.Str()]; ok {
			at.shared = true
			return rule, true
		}
	}
	c.fault("unknown evaluator %q in $ref", name.Str())
	return Value{}, false
}

// operation compiles {"operator": arguments}.
func (c *compiler) operation(m Member, at place) node {
	if m.Key == "$ref" {
		name := step{".$ref", -1}
		rule, ok := c.resolve(m.Value, name, &at)
		if !ok {
			return node{}
		}
		return c.child(rule, name, at)
	}
	op, ok := operators[m.Key]
	if !ok {
		return c.fault("unknown operator %q", m.Key)
	}
	args, name := m.Value, op.name
	// A reference stands for text, so one in place of the arguments may bring a whole list of them.
	if ref, isRef := refName(args); isRef {
		if args, ok = c.resolve(ref, step{name, -1}, &at); !ok {
			return node{}
		}
		if args.kind == KindArray {
			name += ".$ref"
		}
	}
	return c.build(op, args, name, at)
}

// folded replaces an operation on literals by its result.
func (c *compiler) folded(n node) node {
	for i := range n.args {
		if n.args[i].op != opConst {
			return n
		}
	}
	if len(c.faults) > 0 {
		return n
	}
	v := c.fold.eval(&n)
	if c.fold.steps < 0 {
		return n
	}
	return literal(v)
}

// mark asks for the mark of every literal that can be the result of n.
func mark(n *node, f func(Value) uint32) {
	switch n.op {
	case opConst:
		n.val.mark = f(n.val)
	case opIf:
		for i := range n.args {
			if i%2 == 1 || i == len(n.args)-1 {
				mark(&n.args[i], f)
			}
		}
	case opAnd, opOr:
		for i := range n.args {
			mark(&n.args[i], f)
		}
	case opSplit:
		for parts, i := n.more.(*split).parts, 0; i < len(parts); i++ {
			parts[i].value.mark = f(parts[i].value)
		}
	case opFractional:
		for i := range n.args {
			if entry := &n.args[i]; entry.op == opArray && len(entry.args) > 0 {
				mark(&entry.args[0], f)
			}
		}
	}
}
