package openfeature

import (
	"encoding/json"
	"fmt"
	"sync"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/holdfast-flags/holdfast/flags"
)

// scope is OpenFeature's flattened context, read where it is.
type scope struct {
	flat of.FlattenedContext
	err  error // the first attribute asked for that is no value

	ec flags.EvaluationContext // that reads from this scope
}

// scopes are lent to one read after another: a context made by flags.InPlace asks its scope
// anew each time, so it need not be made anew.
var scopes = sync.Pool{New: func() any { return newScope(nil) }}

func newScope(flat of.FlattenedContext) *scope {
	s := &scope{flat: flat}
	s.ec = flags.InPlace(s)
	return s
}

// borrow returns a scope for one read, after which giveBack must be called.
func borrow(flat of.FlattenedContext) *scope {
	s := scopes.Get().(*scope)
	s.flat = flat
	return s
}

// giveBack ends the use of the scope and returns what was wrong with its context.
func (s *scope) giveBack() error {
	err := s.err
	s.flat, s.err = nil, nil
	scopes.Put(s)
	return err
}

// Attribute returns a top-level attribute.
func (s *scope) Attribute(name string) (flags.Value, bool) {
	x, ok := s.flat[name]
	if !ok {
		return flags.Value{}, false
	}
	switch x := x.(type) { // what nearly all attributes are, without the way through any
	case string:
		return flags.StringValue(x), true
	case bool:
		return flags.BoolValue(x), true
	case int:
		return flags.NumberValue(float64(x)), true
	case int64:
		return flags.NumberValue(float64(x)), true
	case float64:
		return flags.NumberValue(x), true
	}
	v, err := valueOf(x)
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("attribute %q: %w", name, err)
	}
	return v, true
}

// Value returns all attributes as one object.
func (s *scope) Value() flags.Value {
	attrs := make([]flags.Attr, 0, len(s.flat))
	for name := range s.flat {
		v, _ := s.Attribute(name)
		attrs = append(attrs, flags.ValueAttr(name, v))
	}
	return flags.Context(attrs...).Value()
}

// valueOf converts what package flags knows how to, and the rest as encoding/json would.
func valueOf(x any) (flags.Value, error) {
	v, err := flags.ValueOf(x)
	if err == nil {
		return v, nil
	}
	text, failed := json.Marshal(x)
	if failed != nil {
		return flags.Value{}, err // what ValueOf says is about x, not about an encoder
	}
	return flags.ParseValue(text)
}
