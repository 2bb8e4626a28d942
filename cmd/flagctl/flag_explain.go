package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// stepView is one thing that was looked at on the way to a value.
type stepView struct {
	Step       string          `json:"step"` // state, override, rule 1, else, default
	Result     string          `json:"result"`
	When       string          `json:"when,omitempty"`
	Serve      string          `json:"serve,omitempty"`
	Conditions []conditionView `json:"conditions,omitempty"`
}

// conditionView is a condition, or a part of one, with the values it saw.
type conditionView struct {
	When   string                     `json:"when"`
	Result string                     `json:"result"`           // true, false, error, or not reached
	Values map[string]json.RawMessage `json:"values,omitempty"` // null: the context has no such attribute
	Parts  []conditionView            `json:"parts,omitempty"`
}

// Results of steps and conditions.
const (
	resultTrue       = "true"
	resultFalse      = "false"
	resultError      = "error"
	resultNotReached = "not reached"
)

// explainer says how a flag came to its value. Each part of the rule is evaluated by
// the engine itself, as the rule of a flag of the same key: nothing here knows
// what an operator means, except and, or, not and if, which decide what is reached.
type explainer struct {
	key      string
	shared   []flags.Entry // the segments
	segments map[string]any
	ec       flags.EvaluationContext
}

func newExplainer(c entries, key string, ec flags.EvaluationContext) *explainer {
	x := &explainer{key: key, ec: ec, segments: map[string]any{}}
	for e := range c.All() {
		if e.Key.Kind == flags.KindEvaluator {
			x.shared = append(x.shared, e)
			x.segments[e.Key.Name] = termOf(e.Bytes)
		}
	}
	return x
}

// termOf reads a rule, so that numbers keep their writing.
func termOf(rule []byte) any {
	d := json.NewDecoder(strings.NewReader(string(rule)))
	d.UseNumber()
	var term any
	if d.Decode(&term) != nil {
		return nil
	}
	return term
}

// steps returns the path to the value, as far as it went.
func (x *explainer) steps(d flags.Definition, override []byte) []stepView {
	if !d.Enabled() {
		return []stepView{{Step: "state", Result: "DISABLED: the caller's own default"}}
	}
	steps := []stepView{{Step: "state", Result: "ENABLED"}}
	if override != nil {
		return append(steps, stepView{Step: "override", Result: resultTrue, Serve: flags.OverrideVariant(override)})
	}
	if x.ec.TargetingKey() != "" {
		steps = append(steps, stepView{Step: "override", Result: "none for " + x.ec.TargetingKey()})
	}
	if rule := d.Targeting(); rule != nil {
		return append(steps, x.rule(termOf(rule), defaultText(d))...)
	}
	return append(steps, stepView{Step: "default", Result: resultTrue, Serve: defaultText(d)})
}

// rule follows a chain of conditions.
func (x *explainer) rule(term any, byDefault string) []stepView {
	op, arg := operation(term)
	chain, isList := arg.([]any)
	if op != "if" || !isList {
		return []stepView{{Step: "rule", Result: resultTrue, Serve: serveText(term)}}
	}
	var steps []stepView
	reached := true
	for n := 1; len(chain) > 1; n++ {
		s := stepView{Step: fmt.Sprintf("rule %d", n), When: conditionText(chain[0]), Serve: serveText(chain[1]), Result: resultNotReached}
		if reached {
			top := x.condition(chain[0])
			if s.Result = top.Result; s.Result != resultFalse {
				reached = false
			}
			if s.Conditions = top.Parts; len(top.Parts) == 0 {
				s.Conditions = []conditionView{top}
			}
		}
		steps, chain = append(steps, s), chain[2:]
	}
	last := stepView{Step: "default", Serve: byDefault, Result: resultNotReached}
	if len(chain) > 0 && chain[0] != nil {
		last = stepView{Step: "else", Serve: serveText(chain[0]), Result: resultNotReached}
	}
	if reached {
		last.Result = resultTrue
	}
	return append(steps, last)
}

// condition evaluates a condition and, where it has any, its parts.
func (x *explainer) condition(term any) conditionView {
	v := conditionView{When: conditionText(term), Result: x.truth(term)}
	op, arg := operation(term)
	parts, isList := arg.([]any)
	switch {
	case (op == "and" || op == "or") && isList:
		decided := false
		for _, part := range parts {
			if decided {
				v.Parts = append(v.Parts, conditionView{When: conditionText(part), Result: resultNotReached})
				continue
			}
			p := x.condition(part)
			v.Parts = append(v.Parts, p)
			decided = op == "and" && p.Result == resultFalse || op == "or" && p.Result == resultTrue
		}
	case op == "!":
		if isList && len(parts) == 1 {
			arg = parts[0]
		}
		v.Parts = []conditionView{x.condition(arg)}
	case op == "$ref":
		if name, ok := arg.(string); ok && x.segments[name] != nil {
			v.Parts = []conditionView{x.condition(x.segments[name])}
		}
	default:
		v.Values = x.values(term)
	}
	return v
}

// truth asks the engine.
func (x *explainer) truth(term any) string {
	rule, err := json.Marshal(map[string]any{"if": []any{term, resultTrue, resultFalse}})
	if err != nil {
		return resultError
	}
	d, err := flags.ParseDefinition([]byte(`{"state":"ENABLED","variants":{"true":true,"false":false},"defaultVariant":"false"}`))
	if err != nil {
		return resultError
	}
	if d, err = d.WithTargeting(rule); err != nil {
		return resultError
	}
	asked := slices.Concat([]flags.Entry{{Key: flags.FlagKey(x.key), Bytes: d.Bytes()}}, x.shared)
	details := flags.NewSnapshot(&flags.Checkpoint{Entries: asked}).View().BoolDetails(x.key, x.ec, false)
	if details.ErrorCode != flags.ErrorNone {
		return resultError
	}
	return strconv.FormatBool(details.Value)
}

// values returns what the context has of the attributes that a condition reads.
func (x *explainer) values(term any) map[string]json.RawMessage {
	values := map[string]json.RawMessage{}
	for _, name := range variables(term, nil) {
		value := x.ec.Value()
		ok := true
		for part := range strings.SplitSeq(name, ".") {
			if value, ok = value.Get(part); !ok {
				break
			}
		}
		switch {
		case ok:
			values[name] = value.AppendJSON(nil)
		case name == "$flagd.flagKey":
			values[name] = flags.StringValue(x.key).AppendJSON(nil)
		default:
			values[name] = nil
		}
	}
	if len(values) == 0 {
		return nil
	}
	return values
}

func variables(term any, names []string) []string {
	switch v := term.(type) {
	case []any:
		for _, part := range v {
			names = variables(part, names)
		}
	case map[string]any:
		for op, arg := range v {
			if list, ok := arg.([]any); ok && op == "var" && len(list) > 0 {
				arg = list[0]
			}
			if name, ok := arg.(string); ok && op == "var" {
				names = append(names, name)
				continue
			}
			names = variables(arg, names)
		}
	}
	return names
}

// operation takes a JsonLogic operation apart; name is "" for anything else.
func operation(term any) (name string, arg any) {
	if m, ok := term.(map[string]any); ok && len(m) == 1 {
		for name, arg = range m {
			return name, arg
		}
	}
	return "", nil
}
