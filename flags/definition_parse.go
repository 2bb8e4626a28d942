package flags

import "fmt"

// ParseVariant reads the text of a variant as a flag's type says: a string is taken
// as it is, without quotes, all others are JSON. TypeUnknown takes any JSON but an
// array or null. The error is a *ValidationError or wraps ErrInvalid.
func ParseVariant(t Type, text string) ([]byte, error) {
	if t == TypeString {
		n := node{kind: stringNode, text: text}
		return Canonical(n.canonical())
	}
	n, fault := parseTree([]byte(text))
	if fault != nil {
		return nil, faultList{*fault}.in([]byte(text))
	}
	got := typeOf(n.kind)
	if got == TypeUnknown || t != TypeUnknown && got != t {
		return nil, fmt.Errorf("%w value: want %s, this is %s", ErrInvalid, t.article(), n.kind)
	}
	return n.canonical(), nil
}

func (t Type) article() string {
	switch t {
	case TypeUnknown:
		return "a boolean, a string, a number or an object"
	case TypeObject:
		return "an object"
	default:
		return "a " + t.String()
	}
}
