package jsonlogic

import (
	"errors"
	"time"
)

// ErrBudget is returned by Eval when a rule takes more than Options.MaxSteps.
var ErrBudget = errors.New("jsonlogic: rule takes too many steps")

// Program is a compiled rule.
type Program struct {
	root      node
	maxSteps  int
	constant  bool
	timestamp bool
	splits    bool
	iterates  bool
}

// Env is what a rule may ask for besides the context.
type Env struct {
	// Now returns the time as Unix seconds, for $flagd.timestamp. It is called only if the rule reads it.
	// Default: the system clock.
	Now func() int64
}

// UsesTimestamp reports whether the rule can read the clock.
func (p *Program) UsesTimestamp() bool { return p.timestamp }

// UsesFractional reports whether the rule can bucket.
func (p *Program) UsesFractional() bool { return p.splits }

// UsesIteration reports whether the rule walks arrays with map, filter, reduce, all, none or some.
func (p *Program) UsesIteration() bool { return p.iterates }

// Constant returns the result of a rule that does not depend on the context.
func (p *Program) Constant() (Value, bool) { return p.root.val, p.constant }

// Eval evaluates the rule on a scope. *Attributes is the scope that is read fastest; a nil scope is an empty context.
// The only error is ErrBudget. Nothing is allocated unless the rule makes text, arrays or objects.
func (p *Program) Eval(scope Scope, env Env) (Value, error) {
	if p.constant {
		return p.root.val, nil
	}
	m := machine{steps: p.maxSteps, now: env.Now, scope: scope}
	if m.attrs, _ = scope.(*Attributes); m.attrs != nil && m.attrs.index == nil {
		m.list = m.attrs.list
	}
	v := m.eval(&p.root)
	if composite(v) {
		m.measure(v, 0)
	}
	if m.steps < 0 {
		return Value{}, ErrBudget
	}
	if v.kind == kindUndefined {
		return Value{}, nil
	}
	return v, nil
}

// machine is the state of one evaluation. It must stay on the stack: never hand its address to an interface or a
// function value.
type machine struct {
	list  []Attribute // the attributes, if they are few enough to compare in a row
	attrs *Attributes // the scope, if it is the fast one
	scope Scope
	now   func() int64
	steps int
	cur   Value // the element, in the body of an iteration
	acc   Value // the accumulator, in the body of reduce
}

// maxValueDepth bounds the nesting of values that iteration makes.
const maxValueDepth = 1000

// charge takes n steps off the budget and reports whether any are left. Only work that the length of the rule does
// not bound is charged: iteration, and the making and reading of long values.
func (m *machine) charge(n int) bool {
	m.steps -= n
	return m.steps >= 0
}

// read charges for the reading of a long string.
func (m *machine) read(v Value) {
	if v.kind == KindString && v.bits > 256 {
		m.charge(int(v.bits >> 6))
	}
}

// measure charges for a result as large as it would be when written out: shared parts count each time.
func (m *machine) measure(v Value, depth int) {
	if depth > maxValueDepth {
		m.steps = -1
	}
	for _, e := range v.elems() {
		if m.charge(1); m.steps < 0 {
			return
		}
		m.measure(e, depth+1)
	}
	for _, e := range v.members() {
		if m.charge(1); m.steps < 0 {
			return
		}
		m.measure(e.Value, depth+1)
	}
}

func (m *machine) lookup(name Symbol) (Value, bool) {
	if m.attrs != nil {
		return m.attrs.Lookup(name)
	}
	if m.scope == nil {
		return Value{}, false
	}
	return m.scope.Lookup(name)
}

func (m *machine) timestamp() Value {
	if m.now != nil {
		return Number(float64(m.now()))
	}
	return Number(float64(time.Now().Unix()))
}
