package evaluator

import (
	"maps"
	"net/http"

	"github.com/holdfast-flags/holdfast/flags"
)

// Context lays what the router knows over a request's own context: headers win over
// the static context, which wins over the request. Where neither is configured the
// request's own is read where it is. own may be nil; it must not change while the
// result is used.
func (e *Evaluator) Context(own flags.Scope, header http.Header) flags.EvaluationContext {
	over := e.over(header)
	switch {
	case len(over) > 0:
		return flags.InPlace(&layers{own, over})
	case own == nil:
		return flags.EvaluationContext{}
	default:
		return flags.InPlace(own)
	}
}

// StaticContext returns the static context, a copy; nil where there is none.
func (e *Evaluator) StaticContext() map[string]flags.Value { return maps.Clone(e.opts.Context) }

// over returns what is laid over a request, to be read only.
func (e *Evaluator) over(header http.Header) map[string]flags.Value {
	over, shared := e.opts.Context, true
	for name, key := range e.opts.HeaderContext {
		values := header[name]
		if len(values) == 0 {
			continue
		}
		if shared {
			over, shared = maps.Clone(over), false
			if over == nil {
				over = map[string]flags.Value{}
			}
		}
		over[key] = flags.StringValue(values[0])
	}
	return over
}

// layers is a context with another laid over it.
type layers struct {
	own  flags.Scope // nil: none
	over map[string]flags.Value
}

// Attribute is flags.Scope's.
func (l *layers) Attribute(name string) (flags.Value, bool) {
	if v, ok := l.over[name]; ok || l.own == nil {
		return v, ok
	}
	return l.own.Attribute(name)
}

// Value is flags.Scope's.
func (l *layers) Value() flags.Value {
	attrs := make([]flags.Attr, 0, len(l.over))
	for name, v := range l.over {
		attrs = append(attrs, flags.ValueAttr(name, v))
	}
	if l.own == nil {
		return flags.Context(attrs...).Value()
	}
	return flags.FromValue(l.own.Value()).With(attrs...).Value()
}
