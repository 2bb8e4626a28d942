package flags

import "github.com/holdfast-flags/holdfast/internal/jsonlogic"

// resultChecker finds the results that a rule can have, as far as they stand in
// its text, and reports those that name no variant.
type resultChecker struct {
	report     func(at *node, path, format string, args ...any)
	variants   *variantSet
	seen       map[string]bool // evaluators looked at: each is, once a flag
	evaluators func(name string) *node
	// via is the reference through which an evaluator is looked at: a fault in
	// its results is one of the flag that uses it.
	via *reference
}

type reference struct {
	node *node
	path string
	name string
}

func (c *resultChecker) fail(n *node, path, format string, args ...any) {
	if c.via != nil {
		n, path = c.via.node, c.via.path
		format, args = "evaluator %s: "+format, append([]any{quoted(shorten(c.via.name))}, args...)
	}
	c.report(n, path, format, args...)
}

func (c *resultChecker) result(n *node, path string) {
	op, arg, ok := n.operation()
	switch {
	case n.kind == nullNode || n.kind == objectNode && len(n.kids) == 0: // falls to the default
	case n.kind == arrayNode:
		c.fail(n, path, "an array names no variant")
	case n.kind != objectNode:
		c.literal(n, path)
	case ok:
		c.operation(n, op, arg, path)
	}
}

func (c *resultChecker) literal(n *node, path string) {
	name := resultText(n)
	if !c.variants.has(name) {
		c.fail(n, path, "%s is no variant; %s", quoted(shorten(name)), knownNames("known:", name, c.variants.sorted))
	}
}

// resultText is the text by which a literal result is looked up among the variants.
func resultText(n *node) string {
	if n.kind != numberNode {
		return n.text
	}
	v, err := jsonlogic.ParseJSON([]byte(n.text))
	if err != nil {
		return n.text
	}
	return v.String()
}

func (c *resultChecker) operation(n *node, op string, arg *node, path string) {
	path += stepName(op)
	if inner, _, ok := arg.operation(); ok && inner == "$ref" {
		return // stands for arguments that are not here
	}
	args, steps := arg.args()
	last := len(args) - 1
	switch op {
	case "if", "?:":
		for i, a := range args {
			if i%2 == 1 || i == last && i > 0 {
				c.result(a, path+steps[i])
			}
		}
	case "and", "or":
		if last >= 0 {
			c.result(args[last], path+steps[last])
		}
	case "fractional":
		for i, a := range args {
			if a.kind == arrayNode && len(a.kids) > 0 {
				c.result(&a.kids[0].node, path+steps[i]+step(0))
			}
		}
	case "$ref":
		c.reference(arg, path)
	case "==", "===", "!=", "!==", "!", "!!", "<", "<=", ">", ">=", "in", "all", "none", "some", "starts_with", "ends_with", "sem_ver":
		if !c.variants.has("true") && !c.variants.has("false") {
			c.fail(n, path, `%s answers true or false, which are no variants; write {"if": [..., "variant", "other"]} around it`, op)
		}
	case "map", "filter", "merge", "missing", "missing_some":
		c.fail(n, path, "%s answers an array, which names no variant", op)
	}
}

func (c *resultChecker) reference(name *node, path string) {
	if c.via != nil || name.kind != stringNode || c.seen[name.text] {
		return
	}
	c.seen[name.text] = true
	if rule := c.evaluators(name.text); rule != nil {
		inner := *c
		inner.via = &reference{name, path, name.text}
		inner.result(rule, path)
	}
}
