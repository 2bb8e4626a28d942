package flags

import (
	"fmt"
	"slices"
)

// WithEnabled returns the definition with its state set.
func (d Definition) WithEnabled(enabled bool) Definition {
	state := "DISABLED"
	if enabled {
		state = "ENABLED"
	}
	return d.with("state", node{kind: stringNode, text: state})
}

// WithDescription returns the definition with its description set, or without
// one where text is "".
func (d Definition) WithDescription(text string) Definition {
	if text == "" {
		return d.Without("description")
	}
	return d.with("description", node{kind: stringNode, text: text})
}

// WithDefaultVariant returns the definition with its default variant set. That
// the variant exists is checked when it is written.
func (d Definition) WithDefaultVariant(name string) Definition {
	return d.with("defaultVariant", node{kind: stringNode, text: name})
}

// WithVariant returns the definition with a variant added or replaced by a JSON
// value. The error is a *ValidationError.
func (d Definition) WithVariant(name string, value []byte) (Definition, error) {
	n, err := parseField(name, value)
	if err != nil {
		return d, err
	}
	variants := d.node().member("variants")
	if variants == nil || variants.kind != objectNode {
		variants = &node{kind: objectNode}
	}
	return d.with("variants", node{kind: objectNode, kids: withKid(variants.kids, name, n)}), nil
}

// WithoutVariant returns the definition without that variant.
func (d Definition) WithoutVariant(name string) Definition {
	variants := d.node().member("variants")
	if variants == nil {
		return d
	}
	return d.with("variants", node{kind: objectNode, kids: withoutKid(variants.kids, name)})
}

// WithTargeting returns the definition with its rule replaced, or without one
// where rule is nil. The error is a *ValidationError.
func (d Definition) WithTargeting(rule []byte) (Definition, error) {
	if rule == nil {
		return d.Without("targeting"), nil
	}
	return d.WithField("targeting", rule)
}

// WithField returns the definition with a field added or replaced by a JSON
// value. The error is a *ValidationError.
func (d Definition) WithField(name string, value []byte) (Definition, error) {
	n, err := parseField(name, value)
	if err != nil {
		return d, err
	}
	return d.with(name, n), nil
}

// Without returns the definition without that field.
func (d Definition) Without(name string) Definition { return Definition{withoutKid(d.fields, name)} }

func (d Definition) with(name string, n node) Definition {
	return Definition{withKid(d.fields, name, n)}
}

func parseField(name string, value []byte) (node, error) {
	n, fault := parseTree(value)
	if fault != nil {
		return n, fmt.Errorf("%s: %w", name, faultList{*fault}.in(value))
	}
	return n, nil
}

func withKid(kids []kid, name string, n node) []kid {
	kids = slices.Clone(kids)
	for i := range kids {
		if kids[i].name == name {
			kids[i].node = n
			return kids
		}
	}
	return append(kids, kid{name: name, node: n})
}

func withoutKid(kids []kid, name string) []kid {
	return slices.DeleteFunc(slices.Clone(kids), func(k kid) bool { return k.name == name })
}
