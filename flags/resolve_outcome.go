package flags

import "github.com/holdfast-flags/holdfast/internal/jsonlogic"

// Each method returns the outcome's value as one type. The value is fallback where
// there is no outcome (o is nil), which is no misfit, and where the outcome is of
// another type, which is: then fits is false.

func (o *outcome) bool(fallback bool) (value, fits bool) {
	if o == nil {
		return fallback, true
	}
	if o.value.Kind() != jsonlogic.KindBool {
		return fallback, false
	}
	return o.value.Bool(), true
}

func (o *outcome) string(fallback string) (value string, fits bool) {
	if o == nil {
		return fallback, true
	}
	if o.value.Kind() != jsonlogic.KindString {
		return fallback, false
	}
	return o.value.Str(), true
}

// int refuses what would lose anything: fractions, and integers beyond 2^53-1.
func (o *outcome) int(fallback int64) (value int64, fits bool) {
	if o == nil {
		return fallback, true
	}
	if n, ok := (Value{o.value}).Int(); ok {
		return n, true
	}
	return fallback, false
}

func (o *outcome) float(fallback float64) (value float64, fits bool) {
	if o == nil {
		return fallback, true
	}
	if o.value.Kind() != jsonlogic.KindNumber {
		return fallback, false
	}
	return o.value.Float(), true
}

// object takes arrays too: to whom asks for a structure, they are one.
func (o *outcome) object(fallback Value) (value Value, fits bool) {
	if o == nil {
		return fallback, true
	}
	if k := o.value.Kind(); k != jsonlogic.KindObject && k != jsonlogic.KindArray {
		return fallback, false
	}
	return Value{o.value}, true
}

// any fits whatever there is.
func (o *outcome) any(fallback Value) Value {
	if o == nil {
		return fallback
	}
	return Value{o.value}
}
