package ofrep

import (
	"net/http"

	"github.com/holdfast-flags/holdfast/flags"
)

// scope is the context of a request as rules read it: the object of the body itself.
type scope struct{ object flags.Value }

var _ flags.Scope = scope{}

var noAttributes = flags.EvaluationContext{}.Value()

// Attribute returns a member of the context.
func (s scope) Attribute(name string) (flags.Value, bool) { return s.object.Get(name) }

// Value returns the context.
func (s scope) Value() flags.Value { return s.object }

// scope takes the body in and returns its context. The error is a *refusal.
func (b *buffer) scope(r *http.Request) (scope, error) {
	if err := b.read(r); err != nil {
		return scope{}, err
	}
	return decode(b.in)
}

// decode reads {"context": {...}}. No body, no context and null are an empty one;
// other members are none of ours. The error is a *refusal.
func decode(body []byte) (scope, error) {
	empty := scope{noAttributes}
	if blank(body) {
		return empty, nil
	}
	doc, err := flags.ParseValue(body)
	if err != nil {
		return empty, invalidContext("the body is not JSON: " + reason(err))
	}
	if doc.IsNull() {
		return empty, nil
	}
	if doc.Kind() != flags.ValueObject {
		return empty, invalidContext(`the body is of type ` + doc.Kind().String() + `; want an object like {"context": {"targetingKey": "..."}}`)
	}
	switch ctx, _ := doc.Get("context"); ctx.Kind() {
	case flags.ValueNull:
		return empty, nil
	case flags.ValueObject:
		return scope{ctx}, nil
	default:
		return empty, invalidContext(`"context" is of type ` + ctx.Kind().String() + "; want an object")
	}
}

func blank(text []byte) bool {
	for _, c := range text {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// reason is the innermost message: place and fault, without whose JSON it is.
func reason(err error) string {
	for {
		// An error of ParseValue wraps the class first and the cause last.
		many, ok := err.(interface{ Unwrap() []error })
		if !ok {
			return err.Error()
		}
		all := many.Unwrap()
		err = all[len(all)-1]
	}
}

func invalidContext(details string) error {
	return &refusal{status: http.StatusBadRequest, code: codeInvalidContext, details: details}
}

var errTooLarge = &refusal{status: http.StatusRequestEntityTooLarge, details: "request body too large"}

// The error codes that are not those of an evaluation.
const (
	codeGeneral        = "GENERAL"
	codeInvalidContext = "INVALID_CONTEXT"
	codeNotFound       = "FLAG_NOT_FOUND"
)

// refusal is an error that says how it is answered.
type refusal struct {
	status   int
	code     string // "" where the protocol has none for the status
	details  string
	selected []byte // metadata: the selector of a set that is not there
}

func (r *refusal) Error() string { return r.details }
