package adminweb

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
)

// resolved is what somebody gets of a flag, and why.
type resolved struct {
	Value, Variant, Reason, Problem string
	Own                             bool // there is no value: the caller's own default applies
}

func (c *catalog) resolve(key string, ec flags.EvaluationContext) resolved {
	d := c.View().ValueDetails(key, ec, flags.Value{})
	r := resolved{Variant: d.Variant, Reason: d.Reason.String(), Problem: d.ErrorMessage()}
	if d.ErrorCode != flags.ErrorNone {
		r.Problem = d.ErrorCode.String() + ": " + r.Problem
	}
	if r.Own = d.Variant == "" && d.Value.IsNull(); !r.Own {
		r.Value = string(d.Value.AppendJSON(nil))
	}
	return r
}

// maxContext bounds the context that a page evaluates.
const maxContext = 64 << 10

// evaluationContext reads a context that was typed as JSON, with the targeting key
// on top. Its problem is told at the field "context".
func (f *form) evaluationContext(id string) flags.EvaluationContext {
	text := strings.TrimSpace(f.Value("context"))
	members := map[string]any{}
	if len(text) > maxContext {
		f.refuse("context", "This is too long: %d bytes, at most %d.", len(text), maxContext)
		return flags.EvaluationContext{}
	}
	if text != "" {
		if !strings.HasPrefix(text, "{") { // no place in it would say more
			f.refuse("context", "A context is a JSON object, such as {\"plan\": \"pro\"}.")
			return flags.EvaluationContext{}
		}
		if _, err := flags.Canonical([]byte(text)); err != nil {
			f.refuse("context", "%s", faultText(err))
			return flags.EvaluationContext{}
		}
		if err := json.Unmarshal([]byte(text), &members); err != nil {
			f.refuse("context", "%v", err)
			return flags.EvaluationContext{}
		}
	}
	if id != "" {
		members["targetingKey"] = id
	}
	ec, err := flags.FromMap(members)
	if err != nil {
		f.refuse("context", "%v", err)
	}
	return ec
}

// step is one question on the way to an answer.
type step struct {
	Asks, Answer string
	Serves       string
	Yes          bool
	Saw          []string // values of the context that it looked at
}

// path returns the questions that led to the answer for ec, in the order in which
// they are asked; the last one decided.
func (c *catalog) path(key string, ec flags.EvaluationContext) []step {
	e, ok := c.Get(flags.FlagKey(key))
	if !ok {
		return nil
	}
	d, err := flags.ParseDefinition(e.Bytes)
	if err != nil {
		return nil
	}
	if !d.Enabled() {
		return []step{{Asks: "Is the flag enabled?", Answer: "no: the caller’s own default applies"}}
	}
	steps := []step{{Asks: "Is the flag enabled?", Answer: "yes", Yes: true}}
	if id := ec.TargetingKey(); id != "" {
		o, ok := c.Get(flags.OverrideKey(key, id))
		if ok {
			return append(steps, step{Asks: "Has " + id + " an override?", Answer: "yes", Yes: true, Serves: flags.OverrideVariant(o.Bytes)})
		}
		steps = append(steps, step{Asks: "Has " + id + " an override?", Answer: "no"})
	}
	t, ok := expression.ShowTargeting(d.Targeting())
	if !ok {
		return append(steps, step{Asks: "What does the rule say?", Answer: "see the answer above; it is written in JSON, which is not taken apart here", Saw: saw(d.Targeting(), ec)})
	}
	for _, rule := range t.Rules {
		compiled, err := expression.Compile(rule.When)
		if err != nil {
			return steps
		}
		s := step{Asks: rule.When, Answer: "no", Saw: saw(c.unfold(compiled), ec)}
		if s.Yes = c.holds(key, compiled, ec); s.Yes {
			s.Answer, s.Serves = "yes", rule.Serve.String()
			return append(steps, s)
		}
		steps = append(steps, s)
	}
	if serves := t.Else.String(); serves != "" {
		return append(steps, step{Asks: "Otherwise", Answer: "by rule", Yes: true, Serves: serves})
	}
	byDefault, ok := d.DefaultVariant()
	if !ok {
		return append(steps, step{Asks: "Otherwise", Answer: "the caller’s own default: the flag has none"})
	}
	return append(steps, step{Asks: "Otherwise", Answer: "the default", Yes: true, Serves: byDefault})
}

// holds reports whether a condition is true for ec, with the segments of the set.
// It is evaluated as a flag of the same key is: percentages depend on it.
func (c *catalog) holds(key string, condition []byte, ec flags.EvaluationContext) bool {
	def, err := flags.Definition{}.WithEnabled(true).WithDefaultVariant("no").WithVariant("no", []byte("false"))
	if err == nil {
		def, err = def.WithVariant("yes", []byte("true"))
	}
	if err == nil {
		def, err = def.WithTargeting(slices.Concat([]byte(`{"if":[`), condition, []byte(`,"yes","no"]}`)))
	}
	if err != nil {
		return false
	}
	cp := &flags.Checkpoint{Head: c.Head(), Entries: append(c.entries(flags.KindEvaluator, nil), flags.Entry{Key: flags.FlagKey(key), Bytes: def.Bytes(), Revision: 1})}
	return flags.NewSnapshot(cp).View().Bool(key, ec, false)
}

// unfold puts the segments that a condition refers to beside it, so that what they
// look at is seen.
func (c *catalog) unfold(condition []byte) []byte {
	parts := [][]byte{condition}
	for _, name := range expression.Segments(condition) {
		if e, ok := c.Get(segmentKey(name)); ok {
			parts = append(parts, e.Bytes)
		}
	}
	return slices.Concat([]byte("["), slices.Concat(joined(parts)...), []byte("]"))
}

func joined(parts [][]byte) [][]byte {
	var out [][]byte
	for i, p := range parts {
		if i > 0 {
			out = append(out, []byte(","))
		}
		out = append(out, p)
	}
	return out
}

// saw returns the values of the context that a rule looks at.
func saw(rule []byte, ec flags.EvaluationContext) []string {
	var tree any
	if json.Unmarshal(rule, &tree) != nil {
		return nil
	}
	names := map[string]bool{}
	attributes(tree, names)
	var out []string
	for name := range names {
		out = append(out, name+" = "+attributeText(ec, name))
	}
	slices.Sort(out)
	return out
}

func attributes(tree any, names map[string]bool) {
	switch t := tree.(type) {
	case []any:
		for _, e := range t {
			attributes(e, names)
		}
	case map[string]any:
		for op, arg := range t {
			if list, ok := arg.([]any); ok && op == "var" && len(list) > 0 {
				arg = list[0]
			}
			if name, ok := arg.(string); ok && op == "var" {
				names[name] = true
				continue
			}
			attributes(arg, names)
		}
	}
}

func attributeText(ec flags.EvaluationContext, name string) string {
	if name == "targetingKey" {
		if id := ec.TargetingKey(); id != "" {
			return strconv.Quote(id)
		}
		return "missing"
	}
	first, rest, nested := strings.Cut(name, ".")
	v, ok := ec.Attribute(first)
	for ok && nested {
		first, rest, nested = strings.Cut(rest, ".")
		v, ok = v.Get(first)
	}
	if !ok {
		return "missing"
	}
	return v.String()
}
