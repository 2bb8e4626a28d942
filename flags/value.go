package flags

import (
	"fmt"
	"iter"
	"math"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// ValueKind is the JSON type of a [Value].
type ValueKind uint8

// The JSON types. The zero Value is null.
const (
	ValueNull ValueKind = iota
	ValueBool
	ValueNumber
	ValueString
	ValueArray
	ValueObject
)

var valueKindNames = [...]string{"null", "boolean", "number", "string", "array", "object"}

// String returns the JSON name of the type.
func (k ValueKind) String() string {
	if int(k) < len(valueKindNames) {
		return valueKindNames[k]
	}
	return fmt.Sprintf("valuekind(%d)", uint8(k))
}

// maxSafeInteger is the largest integer up to which a float64 holds every one.
const maxSafeInteger = 1<<53 - 1

// Value is an immutable JSON value: what an object flag resolves to and what an
// evaluation context is made of. It is safe to share and costs no allocation to
// pass on. The zero Value is null. Compare with Equal, not with ==.
type Value struct{ v jsonlogic.Value }

// BoolValue returns a boolean value.
func BoolValue(b bool) Value { return Value{jsonlogic.Bool(b)} }

// NumberValue returns a number value. All numbers are float64, as in JSON.
func NumberValue(f float64) Value { return Value{jsonlogic.Number(f)} }

// StringValue returns a string value.
func StringValue(s string) Value { return Value{jsonlogic.String(s)} }

// ArrayValue returns an array of the elements given.
func ArrayValue(elems ...Value) Value {
	list := make([]jsonlogic.Value, len(elems))
	for i, e := range elems {
		list[i] = e.v
	}
	return Value{jsonlogic.Array(list...)}
}

// ValueOf converts a Go value: nil, booleans, numbers, strings, time.Time (to
// RFC 3339 text), Value, and slices, string-keyed maps and pointers of these. It
// copies what it is given. The error wraps ErrInvalid.
func ValueOf(x any) (Value, error) {
	if v, ok := x.(Value); ok {
		return v, nil
	}
	v, err := jsonlogic.FromAny(x)
	if err != nil {
		return Value{}, fmt.Errorf("%w value: %w", ErrInvalid, err)
	}
	return Value{v}, nil
}

// ParseValue reads one JSON document. Strict: no repeated keys, no text after the
// document, at most 64 levels. The error wraps ErrInvalid and names line and column.
func ParseValue(text []byte) (Value, error) {
	// The parsed strings alias what they were read from, so it must be ours.
	v, err := jsonlogic.ParseJSON(append([]byte(nil), text...))
	if err != nil {
		return Value{}, fmt.Errorf("%w JSON: %w", ErrInvalid, err)
	}
	return Value{v}, nil
}

// Kind returns the JSON type.
func (v Value) Kind() ValueKind { return ValueKind(v.v.Kind()) }

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.v.IsNull() }

// Bool returns the boolean, or false for any other kind.
func (v Value) Bool() bool { return v.v.Bool() }

// Float returns the number, or 0 for any other kind.
func (v Value) Float() float64 { return v.v.Float() }

// Str returns the string, or "" for any other kind. (String returns JSON text.)
func (v Value) Str() string { return v.v.Str() }

// Int returns the number if it is an integer of at most 2^53-1 either way, so
// that nothing is lost; ok is false otherwise.
func (v Value) Int() (n int64, ok bool) {
	f := v.v.Float()
	// The bound comes first: converting a float64 beyond int64 is undefined.
	if v.v.Kind() != jsonlogic.KindNumber || !(math.Abs(f) <= maxSafeInteger) {
		return 0, false
	}
	n = int64(f)
	return n, float64(n) == f
}

// Len returns the number of elements of an array or members of an object, the
// length in bytes of a string, else 0.
func (v Value) Len() int { return v.v.Len() }

// Index returns element i of an array, or null where there is none.
func (v Value) Index(i int) Value { return Value{v.v.Index(i)} }

// Get returns the member of an object with the given key.
func (v Value) Get(key string) (Value, bool) {
	m, ok := v.v.Get(key)
	return Value{m}, ok
}

// Elements iterates over an array; over nothing for any other kind.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		for i, e := range v.v.All() {
			if !yield(i, Value{e}) {
				return
			}
		}
	}
}

// Members iterates over an object in the order of its keys; over nothing for any
// other kind.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for k, m := range v.v.Members() {
			if !yield(k, Value{m}) {
				return
			}
		}
	}
}

// Equal reports whether v and w are the same JSON value. NaN equals nothing.
func (v Value) Equal(w Value) bool { return v.v.Equal(w.v) }

// Any returns v as encoding/json would decode it into an any: nil, bool, float64,
// string, []any or map[string]any. The result is freshly made and the caller's.
func (v Value) Any() any { return v.v.ToAny() }

// String returns v as JSON text.
func (v Value) String() string { return v.v.String() }

// AppendJSON appends v as compact JSON with sorted keys.
func (v Value) AppendJSON(dst []byte) []byte { return v.v.AppendJSON(dst) }

// MarshalJSON returns v as compact JSON with sorted keys.
func (v Value) MarshalJSON() ([]byte, error) { return v.v.AppendJSON(nil), nil }

// UnmarshalJSON reads what ParseValue reads.
func (v *Value) UnmarshalJSON(text []byte) error {
	w, err := ParseValue(text)
	if err == nil {
		*v = w
	}
	return err
}
