package flags

import (
	"maps"
	"math"
	"slices"
	"strconv"
)

// arity is how many arguments an operator takes; most 0 means any number.
type arity struct{ least, most int }

// operators are all that a rule may use, with the numbers of arguments that make
// sense. More is evaluated than is accepted here: a rule that is certain to be a
// mistake is refused when it is written, not when it answers.
var operators = map[string]arity{
	"var": {0, 2}, "missing": {0, 0}, "missing_some": {2, 2},
	"if": {2, 0}, "?:": {3, 3}, "and": {1, 0}, "or": {1, 0}, "!": {1, 1}, "!!": {1, 1},
	"==": {2, 2}, "===": {2, 2}, "!=": {2, 2}, "!==": {2, 2},
	">": {2, 2}, ">=": {2, 2}, "<": {2, 3}, "<=": {2, 3},
	"max": {1, 0}, "min": {1, 0}, "+": {1, 0}, "-": {1, 2}, "*": {1, 0}, "/": {2, 2}, "%": {2, 2},
	"map": {2, 2}, "filter": {2, 2}, "reduce": {2, 3}, "all": {2, 2}, "none": {2, 2}, "some": {2, 2},
	"merge": {0, 0}, "in": {2, 2}, "cat": {0, 0}, "substr": {2, 3},
	"fractional": {1, 0}, "sem_ver": {3, 3}, "starts_with": {2, 2}, "ends_with": {2, 2},
}

// operatorNames begins with those that are used most, as messages list only a few.
var operatorNames = func() []string {
	names := []string{"if", "==", "in", "and", "or", "fractional", "starts_with", "sem_ver"}
	for _, name := range slices.Sorted(maps.Keys(operators)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}()

// ruleChecker finds what is certainly wrong with one rule.
type ruleChecker struct {
	report func(at *node, path, format string, args ...any)
	// unknown says what is wrong with a reference to an evaluator, "" for nothing.
	unknown func(name string) string
}

// operation returns the operator and the argument of {"operator": argument}.
func (n *node) operation() (op string, arg *node, ok bool) {
	if n.kind != objectNode || len(n.kids) != 1 {
		return "", nil, false
	}
	return n.kids[0].name, &n.kids[0].node, true
}

// args returns the arguments with the step to each: an array's elements, or the
// one that stands for itself.
func (n *node) args() (list []*node, steps []string) {
	if n.kind != arrayNode {
		return []*node{n}, []string{""}
	}
	for i := range n.kids {
		list, steps = append(list, &n.kids[i].node), append(steps, step(i))
	}
	return list, steps
}

func (c *ruleChecker) rule(n *node, path string) {
	op, arg, ok := n.operation()
	switch {
	case n.kind == arrayNode:
		for i := range n.kids {
			c.rule(&n.kids[i].node, path+step(i))
		}
	case n.kind == objectNode && len(n.kids) > 1:
		c.report(n, path, "an operation is an object with one operator, this one has %d: %s", len(n.kids), listNames(sortedNames(n)))
	case !ok:
	case op == "$ref":
		c.reference(arg, path+stepName(op))
	default:
		c.operator(n, op, arg, path)
	}
}

func (c *ruleChecker) reference(name *node, path string) {
	if name.kind != stringNode {
		c.report(name, path, "$ref takes the name of an evaluator, this is %s", name.kind)
		return
	}
	if reason := c.unknown(name.text); reason != "" {
		c.report(name, path, "%s", reason)
	}
}

func (c *ruleChecker) operator(n *node, op string, arg *node, path string) {
	want, known := operators[op]
	if !known {
		c.report(n, path, "unknown operator %s; %s", quoted(shorten(op)), knownNames("there are", op, operatorNames))
		return
	}
	path += stepName(op)
	// A reference in place of the arguments may bring a whole list of them.
	if ref, name, ok := arg.operation(); ok && ref == "$ref" {
		c.reference(name, path+stepName(ref))
		return
	}
	args, steps := arg.args()
	if len(args) < want.least || want.most > 0 && len(args) > want.most {
		c.report(arg, path, "%s takes %s, not %d", op, want, len(args))
	}
	c.arguments(op, args, steps, path)
	for i, a := range args {
		c.rule(a, path+steps[i])
	}
}

func (a arity) String() string {
	s := strconv.Itoa(a.least)
	switch {
	case a.most == 0:
		s = "at least " + s
	case a.most > a.least:
		s += " to " + strconv.Itoa(a.most)
	}
	if s == "1" || s == "at least 1" {
		return s + " argument"
	}
	return s + " arguments"
}

// arguments checks literals that an operator can do nothing with.
func (c *ruleChecker) arguments(op string, args []*node, steps []string, path string) {
	for i, a := range args {
		where := path + steps[i]
		literal := a.kind != objectNode
		switch {
		case op == "var" && i == 0 && a.kind == stringNode:
			c.variable(a, where)
		case (op == "starts_with" || op == "ends_with") && literal && a.kind != stringNode:
			c.report(a, where, "%s compares strings, %s never matches; quote it", op, a.kind)
		case op == "in" && i == 1 && literal && a.kind != arrayNode && a.kind != stringNode:
			c.report(a, where, "in looks into an array or a string, not %s", a.kind)
		case op == "sem_ver" && i == 1 && literal && !slices.Contains(semverOperators, a.text):
			c.report(a, where, "unknown comparison %s; %s", quoted(shorten(a.text)), knownNames("sem_ver has", a.text, semverOperators))
		}
	}
	if op == "fractional" {
		c.fractional(args, steps, path)
	}
}

var (
	semverOperators = []string{"=", "!=", "<", "<=", ">", ">=", "~", "^"}
	flagdVariables  = []string{"$flagd.flagKey", "$flagd.timestamp"}
)

func (c *ruleChecker) variable(n *node, path string) {
	const reserved = "$flagd."
	if len(n.text) > len(reserved) && n.text[:len(reserved)] == reserved && !slices.Contains(flagdVariables, n.text) {
		c.report(n, path, "unknown variable %s; %s", quoted(shorten(n.text)), knownNames("there are", n.text, flagdVariables))
	}
}

// fractional checks [bucketing value, [variant, weight], ...], of which the
// bucketing value and the weights may be left out.
func (c *ruleChecker) fractional(args []*node, steps []string, path string) {
	first := 0
	if len(args) > 0 && args[0].kind != arrayNode {
		first = 1
		if k := args[0].kind; k == numberNode || k == boolNode {
			c.report(args[0], path+steps[0], "fractional buckets by a string, not %s", k)
		}
	}
	if len(args) == first {
		if first == 0 {
			return // its arity has been reported
		}
		c.report(args[0], path, "fractional without entries; add [variant, weight] for each variant")
		return
	}
	sum := 0.0
	for i := first; i < len(args); i++ {
		entry, where := args[i], path+steps[i]
		switch {
		case entry.kind == objectNode:
		case entry.kind != arrayNode || len(entry.kids) < 1 || len(entry.kids) > 2:
			c.report(entry, where, "an entry of fractional is [variant] or [variant, weight]")
		case len(entry.kids) == 1:
			sum++
		default:
			sum += c.weight(&entry.kids[1].node, where+step(1))
		}
	}
	if sum > math.MaxInt32 {
		c.report(args[0], path, "weights add up to %.0f, at most %d", sum, math.MaxInt32)
	}
}

func (c *ruleChecker) weight(n *node, path string) float64 {
	if n.kind == objectNode {
		return 0
	}
	w, err := strconv.ParseFloat(n.text, 64)
	if n.kind != numberNode || err != nil || w != math.Trunc(w) || w > math.MaxInt32 {
		c.report(n, path, "a weight is a whole number up to %d", math.MaxInt32)
		return 0
	}
	return max(w, 0) // a negative weight counts as none
}
