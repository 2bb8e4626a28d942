package flags

import (
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// TargetingKey is the name of the attribute that holds the targeting key.
const TargetingKey = "targetingKey"

var targetingKeySymbol = jsonlogic.Intern(TargetingKey)

// EvaluationContext says who a flag is read for: a targeting key (the entity: a
// tenant, a user) and attributes. It is an immutable one-word handle: build it
// once per request, and pass it to any number of reads, from any number of
// goroutines. The zero EvaluationContext is empty.
type EvaluationContext struct{ d *contextData }

type contextData struct {
	targetingKey string // of attrs
	attrs        *jsonlogic.Attributes
	foreign      Scope // in place of attrs: a context that is read where it is
}

// Attr is one attribute of an evaluation context. Its name is interned when it is
// made, so that no read compares text to find it. Attributes may be kept and used
// for many contexts.
type Attr struct{ a jsonlogic.Attribute }

func attr(name string, v jsonlogic.Value) Attr {
	return Attr{jsonlogic.Attribute{Name: jsonlogic.Intern(name), Value: v}}
}

// String returns a text attribute.
func String(name, value string) Attr { return attr(name, jsonlogic.String(value)) }

// Bool returns a boolean attribute.
func Bool(name string, value bool) Attr { return attr(name, jsonlogic.Bool(value)) }

// Int returns a number attribute. Rules see float64, which holds every integer of
// up to 2^53 either way.
func Int(name string, value int) Attr { return attr(name, jsonlogic.Number(float64(value))) }

// Float returns a number attribute.
func Float(name string, value float64) Attr { return attr(name, jsonlogic.Number(value)) }

// Time returns an attribute that holds seconds since 1970, which rules can
// compare with $flagd.timestamp.
func Time(name string, value time.Time) Attr {
	return attr(name, jsonlogic.Number(float64(value.Unix())))
}

// Strings returns an attribute that is a list of text.
func Strings(name string, values ...string) Attr {
	list := make([]jsonlogic.Value, len(values))
	for i, s := range values {
		list[i] = jsonlogic.String(s)
	}
	return attr(name, jsonlogic.Array(list...))
}

// Object returns an attribute with members: Object("geo", String("country", "NZ"))
// is what a rule reads as "geo.country". Of several members with one name the last wins.
func Object(name string, members ...Attr) Attr {
	list := make([]jsonlogic.Attribute, len(members))
	for i, m := range members {
		list[i] = m.a
	}
	return attr(name, jsonlogic.NewAttributes(list...).Object())
}

// ValueAttr returns an attribute of any JSON value.
func ValueAttr(name string, v Value) Attr { return attr(name, v.v) }

// Entity returns the context of a targeting key with attributes. Of several
// attributes with one name the last wins; the targeting key wins over an attribute
// called "targetingKey". An empty targeting key is none.
func Entity(targetingKey string, attrs ...Attr) EvaluationContext {
	if targetingKey == "" {
		return Context(attrs...)
	}
	// The targeting key stands first: it is what is asked for most.
	list := make([]jsonlogic.Attribute, 1, len(attrs)+1)
	list[0] = jsonlogic.Attribute{Name: targetingKeySymbol, Value: jsonlogic.String(targetingKey)}
	for _, a := range attrs {
		if a.a.Name != targetingKeySymbol {
			list = append(list, a.a)
		}
	}
	return EvaluationContext{&contextData{targetingKey: targetingKey, attrs: jsonlogic.NewAttributes(list...)}}
}

// Context returns a context of attributes. A text attribute called "targetingKey"
// is the targeting key.
func Context(attrs ...Attr) EvaluationContext {
	if len(attrs) == 0 {
		return EvaluationContext{}
	}
	list := make([]jsonlogic.Attribute, len(attrs))
	for i, a := range attrs {
		list[i] = a.a
	}
	return contextOf(list)
}

// contextOf keeps list.
func contextOf(list []jsonlogic.Attribute) EvaluationContext {
	d := &contextData{attrs: jsonlogic.NewAttributes(list...)}
	if v, ok := d.attrs.Lookup(targetingKeySymbol); ok {
		d.targetingKey = v.Str()
	}
	return EvaluationContext{d}
}

// FromMap returns the context of a map, as OpenFeature and JSON have it: top-level
// attributes, "targetingKey" among them. It copies the map; values are those of
// ValueOf. The error wraps ErrInvalid and names the attribute.
func FromMap(m map[string]any) (EvaluationContext, error) {
	attrs := make([]Attr, 0, len(m))
	for name, x := range m {
		v, err := ValueOf(x)
		if err != nil {
			return EvaluationContext{}, fmt.Errorf("attribute %q: %w", name, err)
		}
		attrs = append(attrs, ValueAttr(name, v))
	}
	return Context(attrs...), nil
}

// FromValue returns the context of an object; any other kind makes an empty one.
func FromValue(v Value) EvaluationContext {
	if v.Len() == 0 || v.Kind() != ValueObject {
		return EvaluationContext{}
	}
	list := make([]jsonlogic.Attribute, 0, v.Len())
	for name, m := range v.v.Members() {
		list = append(list, attr(name, m).a)
	}
	return contextOf(list)
}

// With returns a context that has the attributes of ec and those given, which win.
// A context made by InPlace is copied.
func (ec EvaluationContext) With(attrs ...Attr) EvaluationContext {
	if len(attrs) == 0 {
		return ec
	}
	if ec.d == nil {
		return Context(attrs...)
	}
	if ec.d.foreign != nil {
		return FromValue(ec.d.foreign.Value()).With(attrs...)
	}
	all := make([]Attr, 0, ec.d.attrs.Len()+len(attrs))
	for _, a := range ec.d.attrs.All() {
		all = append(all, Attr{a})
	}
	return Context(append(all, attrs...)...)
}

// TargetingKey returns the targeting key, or "" if there is none.
func (ec EvaluationContext) TargetingKey() string {
	if ec.d == nil {
		return ""
	}
	return ec.d.key()
}

func (d *contextData) key() string {
	if d.foreign == nil {
		return d.targetingKey
	}
	return d.foreignKey()
}

// foreignKey asks the foreign context. A panic in its code costs the key, not the read.
func (d *contextData) foreignKey() (key string) {
	defer func() { _ = recover() }()
	v, _ := d.foreign.Attribute(TargetingKey)
	return v.Str()
}

// Attribute returns the top-level attribute of the given name.
func (ec EvaluationContext) Attribute(name string) (Value, bool) {
	if ec.d == nil {
		return Value{}, false
	}
	if ec.d.foreign != nil {
		return ec.d.foreign.Attribute(name)
	}
	v, ok := ec.d.attrs.Lookup(jsonlogic.Intern(name))
	return Value{v}, ok
}

// Value returns the whole context as one object.
func (ec EvaluationContext) Value() Value {
	if ec.d == nil {
		return Value{(*jsonlogic.Attributes)(nil).Object()}
	}
	if ec.d.foreign != nil {
		return ec.d.foreign.Value()
	}
	return Value{ec.d.attrs.Object()}
}

// Scope is a context of somebody else's that is evaluated where it is, attribute
// by attribute as rules ask, instead of being copied first. It must not change
// while reads go on.
type Scope interface {
	// Attribute returns a top-level attribute.
	Attribute(name string) (Value, bool)
	// Value returns all attributes as one object. Only rules that ask for the
	// whole context call it.
	Value() Value
}

// InPlace returns a context that reads from s. A text attribute "targetingKey" is
// the targeting key. For contexts that live for one or two reads; Entity is faster
// to read from.
func InPlace(s Scope) EvaluationContext {
	return EvaluationContext{&contextData{foreign: s}}
}

// foreignScope is the data of a context made by InPlace as what a rule is evaluated on: a
// pointer, which is turned into an interface without memory.
type foreignScope contextData

func (f *foreignScope) Lookup(name jsonlogic.Symbol) (jsonlogic.Value, bool) {
	v, ok := f.foreign.Attribute(name.Name())
	return v.v, ok
}

func (f *foreignScope) Object() jsonlogic.Value { return f.foreign.Value().v }
