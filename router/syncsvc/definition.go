package syncsvc

import (
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
)

// unreadable stands for a flag that cannot be evaluated: flagd would refuse the
// whole document for some of them. Its operator is unknown to everybody.
const unreadable = `{"state":"ENABLED","targeting":{"unreadable definition":[]},"variants":{"unreadable":false}}`

// Readers of other languages take up to 64 levels of JSON, ours too; three are
// those of the document, of its flags and of the flag.
const (
	maxFieldDepth = flags.MaxDepth - 3
	maxRuleDepth  = maxFieldDepth - 2 // the rest is for overrides
)

// definition returns what is served for a flag: the fields that evaluators read.
func (x *exporter) definition(p *piece) []byte {
	v, err := flags.ParseValue(p.definition)
	if err != nil || v.Kind() != flags.ValueObject {
		return []byte(unreadable)
	}
	variants, _ := v.Get("variants")
	sound := variants.Kind() == flags.ValueObject && variants.Len() > 0 && depth(variants) <= maxFieldDepth
	standard, _ := v.Get("defaultVariant")
	_, known := variants.Get(standard.Str())
	state, _ := v.Get("state")
	disabled := state.Str() == "DISABLED"
	if !disabled && (!sound || !standard.IsNull() && (standard.Kind() != flags.ValueString || !known)) {
		return []byte(unreadable)
	}
	out := []byte{'{'}
	if known && standard.Kind() == flags.ValueString {
		out = append(appendMember(out, "defaultVariant", standard), ',')
	}
	out = appendOwnMetadata(out, v)
	if disabled {
		// Off is off: whatever else is wrong with the flag, and without a rule to carry along.
		out = append(out, `"state":"DISABLED"`...)
	} else {
		out = append(out, `"state":"ENABLED"`...)
		var ok bool
		if out, ok = x.appendTargeting(out, v, p.overrides); !ok {
			return []byte(unreadable)
		}
	}
	if !sound {
		return append(out, `,"variants":{"unreadable":false}}`...)
	}
	return append(appendMember(append(out, ','), "variants", variants), '}')
}

func appendOwnMetadata(out []byte, definition flags.Value) []byte {
	metadata, _ := definition.Get("metadata")
	begin := len(out)
	for key, v := range metadata.Members() {
		if scalar(v) {
			out = append(appendMember(out, key, v), ',')
		}
	}
	if len(out) == begin {
		return out
	}
	out = slices.Insert(out, begin, []byte(`"metadata":{`)...)
	out[len(out)-1] = '}'
	return append(out, ',')
}

// appendTargeting appends the rule with its references replaced and the overrides
// around it. It returns false where that is too deep for readers.
func (x *exporter) appendTargeting(out []byte, definition flags.Value, overrides []flags.Entry) ([]byte, bool) {
	rule, targeted := definition.Get("targeting")
	if rule.Kind() == flags.ValueObject && rule.Len() == 0 {
		targeted = false
	}
	if !targeted && len(overrides) == 0 {
		return out, true
	}
	out = append(out, `,"targeting":`...)
	if len(overrides) == 0 {
		begin := len(out)
		out, ok := x.appendRule(out, rule, maxRuleDepth)
		if string(out[begin:]) == "{}" {
			// Of an empty evaluator. An empty rule would be none, and STATIC.
			out = append(out[:begin], `{"if":[true,{}]}`...)
		}
		return out, ok
	}
	out = appendOverrides(out, overrides)
	ok := true
	if targeted {
		out, ok = x.appendRule(append(out, ','), rule, maxRuleDepth)
	}
	return append(out, `]}`...), ok
}

// appendOverrides begins a conditional: a list of entities for each variant, which
// evaluators look a targeting key up in faster than they try conditions one by one. Whatever
// follows as the last branch is for everybody else; without any they get the default variant. That there is a
// rule at all keeps answers from being STATIC, which providers keep for all contexts.
func appendOverrides(out []byte, overrides []flags.Entry) []byte {
	entities := map[string][]string{}
	byText := map[string]string{} // of overrides' contents, of which there are few
	for _, e := range overrides {
		variant, ok := byText[string(e.Bytes)]
		if !ok {
			v, _ := flags.ParseValue(e.Bytes) // what cannot be read names no variant, here as everywhere
			named, _ := v.Get("variant")
			variant = named.Str()
			byText[string(e.Bytes)] = variant
		}
		list := entities[variant]
		if e.Key.Entity != "" && utf8.ValidString(e.Key.Entity) {
			list = append(list, e.Key.Entity) // other keys no context can have
		}
		entities[variant] = list
	}
	out = append(out, `{"if":[`...)
	for i, variant := range slices.Sorted(maps.Keys(entities)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"in":[{"var":"targetingKey"},[`...)
		slices.Sort(entities[variant])
		for j, entity := range entities[variant] {
			if j > 0 {
				out = append(out, ',')
			}
			out = flags.StringValue(entity).AppendJSON(out)
		}
		out = append(out, `]]},`...)
		out = flags.StringValue(variant).AppendJSON(out)
	}
	return out
}

// appendRule appends a rule with the evaluators in place of the references to
// them. Those to none stay, and fail wherever the rule is read. Only operations have references: an
// object of several members is a literal, in which nothing is replaced. left is how many levels there may be.
func (x *exporter) appendRule(out []byte, rule flags.Value, left int) ([]byte, bool) {
	if rule.Kind() == flags.ValueArray {
		if left == 0 {
			return out, false
		}
		out = append(out, '[')
		ok := true
		for i, e := range rule.Elements() {
			if i > 0 {
				out = append(out, ',')
			}
			var fits bool
			out, fits = x.appendRule(out, e, left-1)
			ok = ok && fits
		}
		return append(out, ']'), ok
	}
	if rule.Kind() != flags.ValueObject || rule.Len() != 1 {
		return rule.AppendJSON(out), depth(rule) <= left
	}
	var ok bool
	for op, args := range rule.Members() {
		if e, known := x.evaluators[args.Str()]; op == "$ref" && args.Kind() == flags.ValueString && known && !x.refer {
			return e.rule.AppendJSON(out), depth(e.rule) <= left
		}
		if left == 0 {
			return out, false
		}
		out = append(flags.StringValue(op).AppendJSON(append(out, '{')), ':')
		out, ok = x.appendRule(out, args, left-1)
	}
	return append(out, '}'), ok
}

// depth returns how many arrays and objects are nested in v.
func depth(v flags.Value) int {
	deepest := -1
	for _, e := range v.Elements() {
		deepest = max(deepest, depth(e))
	}
	for _, m := range v.Members() {
		deepest = max(deepest, depth(m))
	}
	if k := v.Kind(); k == flags.ValueArray || k == flags.ValueObject {
		return max(deepest, 0) + 1
	}
	return 0
}
