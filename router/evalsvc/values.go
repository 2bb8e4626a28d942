package evalsvc

import (
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/holdfast-flags/holdfast/flags"
)

// scope is the evaluation context of a request, read where it was decoded.
type scope structpb.Struct

// scopeOf returns nil where there is no context.
func scopeOf(s *structpb.Struct) flags.Scope {
	if s == nil {
		return nil
	}
	return (*scope)(s)
}

// Attribute is flags.Scope's.
func (s *scope) Attribute(name string) (flags.Value, bool) {
	v, ok := s.Fields[name]
	return fromValue(v), ok
}

// Value is flags.Scope's.
func (s *scope) Value() flags.Value { return fromFields(s.Fields) }

// fromValue converts what a rule asks for; scalars cost nothing. What is no value is null.
func fromValue(v *structpb.Value) flags.Value {
	switch k := v.GetKind().(type) {
	case *structpb.Value_BoolValue:
		return flags.BoolValue(k.BoolValue)
	case *structpb.Value_NumberValue:
		return flags.NumberValue(k.NumberValue)
	case *structpb.Value_StringValue:
		return flags.StringValue(k.StringValue)
	case *structpb.Value_StructValue:
		return fromFields(k.StructValue.GetFields())
	case *structpb.Value_ListValue:
		elems := make([]flags.Value, len(k.ListValue.GetValues()))
		for i, e := range k.ListValue.GetValues() {
			elems[i] = fromValue(e)
		}
		return flags.ArrayValue(elems...)
	default:
		return flags.Value{}
	}
}

func fromFields(fields map[string]*structpb.Value) flags.Value {
	attrs := make([]flags.Attr, 0, len(fields))
	for name, v := range fields {
		attrs = append(attrs, flags.ValueAttr(name, fromValue(v)))
	}
	return flags.Context(attrs...).Value()
}

// toStruct converts an object; any other kind makes an empty one. Numbers are the
// same float64 on both sides, so none is changed.
func toStruct(v flags.Value) *structpb.Struct {
	s := &structpb.Struct{Fields: make(map[string]*structpb.Value, v.Len())}
	for name, m := range v.Members() {
		s.Fields[name] = toValue(m)
	}
	return s
}

func toValue(v flags.Value) *structpb.Value {
	switch v.Kind() {
	case flags.ValueBool:
		return structpb.NewBoolValue(v.Bool())
	case flags.ValueNumber:
		return structpb.NewNumberValue(v.Float())
	case flags.ValueString:
		return structpb.NewStringValue(v.Str())
	case flags.ValueArray:
		list := &structpb.ListValue{Values: make([]*structpb.Value, 0, v.Len())}
		for _, e := range v.Elements() {
			list.Values = append(list.Values, toValue(e))
		}
		return structpb.NewListValue(list)
	case flags.ValueObject:
		return structpb.NewStructValue(toStruct(v))
	default:
		return structpb.NewNullValue()
	}
}
