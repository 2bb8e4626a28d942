package flags

import (
	"fmt"
	"slices"
)

// Type is the type of a flag: what all its variants are.
type Type uint8

// The types. TypeUnknown is that of a flag whose variants are of none or of several.
const (
	TypeUnknown Type = iota
	TypeBoolean
	TypeString
	TypeNumber
	TypeObject
)

var typeNames = [...]string{"unknown", "boolean", "string", "number", "object"}

func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// TypeNames are the names of the types that a flag can have.
func TypeNames() []string { return slices.Clone(typeNames[TypeBoolean:]) }

// ParseType returns the type of a name; ok is false where it is none of TypeNames.
func ParseType(name string) (t Type, ok bool) {
	t = Type(max(slices.Index(typeNames[:], name), 0))
	return t, t != TypeUnknown
}

func typeOf(k nodeKind) Type {
	switch k {
	case boolNode:
		return TypeBoolean
	case stringNode:
		return TypeString
	case numberNode:
		return TypeNumber
	case objectNode:
		return TypeObject
	default:
		return TypeUnknown
	}
}

// Variant is one of the values a flag can have.
type Variant struct {
	Name  string
	Value []byte // canonical JSON
}

// Definition is one flag as flagd defines it, for reading its parts and editing
// it. It is immutable: the With methods return a changed copy. Fields that are
// not of flagd's schema (description, ...) stay as they are. The zero Definition
// is an empty object, to build a flag from.
//
// A Definition may hold faults: reading is lenient, writing is strict. It is
// what is edited and exported; evaluation uses a compiled form.
type Definition struct{ fields []kid }

// ParseDefinition reads the definition of a flag. The error is a
// *ValidationError, for text that is not strict JSON or not an object.
func ParseDefinition(data []byte) (Definition, error) {
	n, fault := parseTree(data)
	if fault == nil && n.kind != objectNode {
		fault = &Fault{Path: "$", Reason: fmt.Sprintf("a flag is a JSON object, this is %s", n.kind), Offset: n.at}
	}
	if fault != nil {
		return Definition{}, faultList{*fault}.in(data)
	}
	return Definition{n.kids}, nil
}

func (d Definition) node() *node { return &node{kind: objectNode, kids: d.fields} }

// Bytes returns the definition as canonical JSON: what an entry holds.
func (d Definition) Bytes() []byte { return d.node().canonical() }

// String returns the canonical JSON.
func (d Definition) String() string { return string(d.Bytes()) }

// Field returns a field as canonical JSON, or nil where there is none.
func (d Definition) Field(name string) []byte {
	if n := d.node().member(name); n != nil {
		return n.canonical()
	}
	return nil
}

// text returns a field that is a string.
func (d Definition) text(name string) (string, bool) {
	n := d.node().member(name)
	if n == nil || n.kind != stringNode {
		return "", false
	}
	return n.text, true
}

// Enabled reports whether the flag is evaluated: it is unless its state is
// DISABLED; a definition without a state is enabled.
func (d Definition) Enabled() bool {
	state, ok := d.text("state")
	return !ok || state != "DISABLED"
}

// Description returns the description, or "".
func (d Definition) Description() string {
	s, _ := d.text("description")
	return s
}

// DefaultVariant returns the name of the default variant. ok is false where it
// is null or absent: then the code's own default is what a flag falls to.
func (d Definition) DefaultVariant() (name string, ok bool) { return d.text("defaultVariant") }

// Type returns the type that all variants have.
func (d Definition) Type() Type {
	n := d.node().member("variants")
	if n == nil || n.kind != objectNode || len(n.kids) == 0 {
		return TypeUnknown
	}
	for i := range n.kids {
		if n.kids[i].kind != n.kids[0].kind {
			return TypeUnknown
		}
	}
	return typeOf(n.kids[0].kind)
}

// Variants returns the variants, sorted by name.
func (d Definition) Variants() []Variant {
	n := d.node().member("variants")
	if n == nil || n.kind != objectNode {
		return nil
	}
	variants := make([]Variant, 0, len(n.kids))
	for _, k := range n.sorted() {
		variants = append(variants, Variant{Name: k.name, Value: k.canonical()})
	}
	return variants
}

// Variant returns the value of a variant as canonical JSON.
func (d Definition) Variant(name string) (value []byte, ok bool) {
	variants := d.node().member("variants")
	if variants == nil {
		return nil, false
	}
	n := variants.member(name)
	if n == nil {
		return nil, false
	}
	return n.canonical(), true
}

// Targeting returns the rule as canonical JSON, or nil where there is none: an
// empty object and null are none.
func (d Definition) Targeting() []byte {
	n := d.node().member("targeting")
	if n == nil || n.kind == nullNode || n.kind == objectNode && len(n.kids) == 0 {
		return nil
	}
	return n.canonical()
}
