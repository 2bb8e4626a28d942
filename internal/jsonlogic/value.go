package jsonlogic

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"unsafe"
)

// Kind is the JSON type of a Value.
type Kind uint8

// The JSON types. The zero Value is null.
const (
	KindNull Kind = iota
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject

	// kindUndefined is JavaScript's undefined: what an absent argument is. It exists during evaluation only.
	kindUndefined
)

var kindNames = [...]string{"null", "boolean", "number", "string", "array", "object", "undefined"}

// String returns the JSON name of the type: "null", "boolean", "number", "string", "array" or "object".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Value is an immutable JSON value of 24 bytes. Making a null, boolean, number or string allocates nothing. The zero
// Value is null. Values are compared with Equal, never with ==.
//
// It has four fields because the compiler keeps structs of up to four in registers: a fifth, even of no size, makes
// evaluation several times slower.
type Value struct {
	ptr  unsafe.Pointer // string bytes, first element of an array, first Member of an object
	bits uint64         // boolean 0 or 1, float64 bits, or length
	kind Kind
	mark uint32 // see Options.Mark; fits in what would be padding
}

// Member is one entry of an object.
type Member struct {
	Key   string
	Value Value
}

// ErrDuplicateKey is returned by Object for members that repeat a key.
var ErrDuplicateKey = errors.New("jsonlogic: duplicate object key")

var undefined = Value{kind: kindUndefined}

// Null returns the null value, which is also the zero Value.
func Null() Value { return Value{} }

// Bool returns a boolean value.
func Bool(b bool) Value {
	if b {
		return Value{kind: KindBool, bits: 1}
	}
	return Value{kind: KindBool}
}

// Number returns a number value.
func Number(f float64) Value { return Value{kind: KindNumber, bits: math.Float64bits(f)} }

// String returns a string value that shares the bytes of s.
func String(s string) Value {
	return Value{kind: KindString, ptr: unsafe.Pointer(unsafe.StringData(s)), bits: uint64(len(s))}
}

// Array returns an array value. It keeps elems, which must not be changed afterwards.
func Array(elems ...Value) Value {
	return Value{kind: KindArray, ptr: unsafe.Pointer(unsafe.SliceData(elems)), bits: uint64(len(elems))}
}

// Object returns an object value. It keeps members, sorts them by key in place, and refuses a repeated key with
// ErrDuplicateKey.
func Object(members ...Member) (Value, error) {
	if dup, ok := sortMembers(members); ok {
		return Value{}, fmt.Errorf("%w %q", ErrDuplicateKey, dup)
	}
	return objectOf(members), nil
}

// objectOf wraps members that are sorted and distinct already.
func objectOf(members []Member) Value {
	return Value{kind: KindObject, ptr: unsafe.Pointer(unsafe.SliceData(members)), bits: uint64(len(members))}
}

// sortMembers sorts by key and returns a repeated key if there is one. Canonical documents come sorted: one pass.
func sortMembers(members []Member) (dup string, found bool) {
	byKey := func(a, b Member) int { return strings.Compare(a.Key, b.Key) }
	if !slices.IsSortedFunc(members, byKey) {
		slices.SortFunc(members, byKey)
	}
	for i := 1; i < len(members); i++ {
		if members[i].Key == members[i-1].Key {
			return members[i].Key, true
		}
	}
	return "", false
}

// Kind returns the JSON type of v.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Bool returns the boolean, or false for any other kind.
func (v Value) Bool() bool { return v.kind == KindBool && v.bits != 0 }

// Float returns the number, or 0 for any other kind.
func (v Value) Float() float64 {
	if v.kind != KindNumber {
		return 0
	}
	return math.Float64frombits(v.bits)
}

// Str returns the string, or "" for any other kind.
func (v Value) Str() string {
	if v.kind != KindString {
		return ""
	}
	return unsafe.String((*byte)(v.ptr), int(v.bits))
}

// Mark returns what Options.Mark gave to the literal of the rule that v is, or 0 for a value that was computed.
func (v Value) Mark() uint32 { return v.mark }

// Len returns the number of elements of an array or members of an object, the length in bytes of a string, else 0.
func (v Value) Len() int {
	switch v.kind {
	case KindString, KindArray, KindObject:
		return int(v.bits)
	}
	return 0
}

// Index returns element i of an array, or null when v is no array or i is out of range.
func (v Value) Index(i int) Value {
	if elems := v.elems(); i >= 0 && i < len(elems) {
		return elems[i]
	}
	return Value{}
}

// Get returns the member of an object with the given key.
func (v Value) Get(key string) (Value, bool) {
	members := v.members()
	// A handful of keys is read faster in a row than by bisection.
	if len(members) <= 8 {
		for i := range members {
			if members[i].Key == key {
				return members[i].Value, true
			}
		}
		return Value{}, false
	}
	i, ok := slices.BinarySearchFunc(members, key, func(m Member, k string) int { return strings.Compare(m.Key, k) })
	if !ok {
		return Value{}, false
	}
	return members[i].Value, true
}

// All iterates over the elements of an array, in order, or nothing for any other kind.
func (v Value) All() iter.Seq2[int, Value] { return slices.All(v.elems()) }

// Members iterates over an object in the order of its keys, or nothing for any other kind.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for _, m := range v.members() {
			if !yield(m.Key, m.Value) {
				return
			}
		}
	}
}

// Equal reports whether v and w are the same JSON value. NaN equals nothing; marks are not compared.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case KindBool:
		return v.bits == w.bits
	case KindNumber:
		return v.Float() == w.Float()
	case KindString:
		return v.Str() == w.Str()
	case KindArray:
		return slices.EqualFunc(v.elems(), w.elems(), Value.Equal)
	case KindObject:
		return slices.EqualFunc(v.members(), w.members(), func(a, b Member) bool {
			return a.Key == b.Key && a.Value.Equal(b.Value)
		})
	}
	return true
}

// String returns v as JSON text, for messages.
func (v Value) String() string { return string(v.AppendJSON(nil)) }

func (v Value) elems() []Value {
	if v.kind != KindArray {
		return nil
	}
	return unsafe.Slice((*Value)(v.ptr), int(v.bits))
}

func (v Value) members() []Member {
	if v.kind != KindObject {
		return nil
	}
	return unsafe.Slice((*Member)(v.ptr), int(v.bits))
}
