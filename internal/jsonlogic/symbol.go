package jsonlogic

import "unique"

// Symbol is an interned attribute name: two of the same name are the same pointer, so looking one up never compares text.
type Symbol struct{ h unique.Handle[string] }

// Intern returns the symbol of a name. It costs a hash of the name, so do it once, when a rule is compiled or a context built.
func Intern(name string) Symbol { return Symbol{unique.Make(name)} }

// Name returns the interned name, or "" for the zero Symbol.
func (s Symbol) Name() string {
	if s == (Symbol{}) {
		return ""
	}
	return s.h.Value()
}
