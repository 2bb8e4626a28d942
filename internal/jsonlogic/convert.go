package jsonlogic

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// ErrUnsupported is returned by FromAny for a Go value that has no JSON form or is too deep or too large.
var ErrUnsupported = errors.New("jsonlogic: unsupported Go value")

// maxConverted bounds how many elements FromAny makes: a slice that contains itself would otherwise never end.
const maxConverted = 1 << 20

// FromAny converts a Go value: nil, booleans, numbers, strings, time.Time (RFC 3339 text), Value, and slices, arrays,
// string-keyed maps and pointers of these. Numbers become float64. Anything else, more than MaxDepth levels or
// a million elements gives ErrUnsupported with the path of the offender.
func FromAny(x any) (Value, error) {
	c := converter{}
	v, err := c.value(x, 0)
	if err != nil {
		return Value{}, err
	}
	return v, nil
}

type converter struct{ count int }

func (c *converter) value(x any, depth int) (Value, error) {
	if c.count++; depth > MaxDepth || c.count > maxConverted {
		return Value{}, fmt.Errorf("%w: deeper than %d levels or larger than %d elements", ErrUnsupported, MaxDepth, maxConverted)
	}
	switch x := x.(type) {
	case nil:
		return Value{}, nil
	case Value:
		return x, nil
	case bool:
		return Bool(x), nil
	case string:
		return String(x), nil
	case float64:
		return Number(x), nil
	case int:
		return Number(float64(x)), nil
	case int64:
		return Number(float64(x)), nil
	case json.Number:
		f, err := x.Float64()
		if err != nil {
			return Value{}, fmt.Errorf("%w: number %q", ErrUnsupported, x)
		}
		return Number(f), nil
	case time.Time:
		return String(x.Format(time.RFC3339Nano)), nil
	case []any:
		elems := make([]Value, len(x))
		for i, e := range x {
			v, err := c.value(e, depth+1)
			if err != nil {
				return Value{}, fmt.Errorf("[%d]: %w", i, err)
			}
			elems[i] = v
		}
		return Array(elems...), nil
	case map[string]any:
		members := make([]Member, 0, len(x))
		for k, e := range x {
			v, err := c.value(e, depth+1)
			if err != nil {
				return Value{}, fmt.Errorf("%q: %w", k, err)
			}
			members = append(members, Member{k, v})
		}
		return Object(members...)
	}
	return c.reflected(reflect.ValueOf(x), depth)
}

// reflected handles named types, typed slices and maps, and pointers.
func (c *converter) reflected(r reflect.Value, depth int) (Value, error) {
	switch r.Kind() {
	case reflect.Bool:
		return Bool(r.Bool()), nil
	case reflect.String:
		return String(r.String()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Number(float64(r.Int())), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return Number(float64(r.Uint())), nil
	case reflect.Float32, reflect.Float64:
		return Number(r.Float()), nil
	case reflect.Pointer:
		if r.IsNil() {
			return Value{}, nil
		}
		return c.value(r.Elem().Interface(), depth+1)
	case reflect.Slice, reflect.Array:
		elems := make([]Value, r.Len())
		for i := range elems {
			v, err := c.value(r.Index(i).Interface(), depth+1)
			if err != nil {
				return Value{}, fmt.Errorf("[%d]: %w", i, err)
			}
			elems[i] = v
		}
		return Array(elems...), nil
	case reflect.Map:
		if r.Type().Key().Kind() != reflect.String {
			break
		}
		members := make([]Member, 0, r.Len())
		for it := r.MapRange(); it.Next(); {
			v, err := c.value(it.Value().Interface(), depth+1)
			if err != nil {
				return Value{}, fmt.Errorf("%q: %w", it.Key(), err)
			}
			members = append(members, Member{it.Key().String(), v})
		}
		return Object(members...)
	}
	return Value{}, fmt.Errorf("%w: %s", ErrUnsupported, r.Type())
}

// ToAny returns v as encoding/json would decode it: nil, bool, float64, string, []any or map[string]any, freshly made.
func (v Value) ToAny() any {
	switch v.kind {
	case KindBool:
		return v.Bool()
	case KindNumber:
		return v.Float()
	case KindString:
		return v.Str()
	case KindArray:
		list := make([]any, v.Len())
		for i, e := range v.elems() {
			list[i] = e.ToAny()
		}
		return list
	case KindObject:
		object := make(map[string]any, v.Len())
		for _, m := range v.members() {
			object[m.Key] = m.Value.ToAny()
		}
		return object
	}
	return nil
}
