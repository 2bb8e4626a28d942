package flags

import (
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// Details is a flag's value with how it came about. It holds pointers into the
// snapshot it was read from, so making one allocates nothing; what costs something
// is a method.
type Details[T any] struct {
	Value     T         // the caller's fallback where there is no variant
	Variant   string    // name of the variant, "" where there is none
	Reason    Reason    // why this value
	ErrorCode ErrorCode // ErrorNone unless Reason is ReasonError
	Freshness Freshness // beside the reason, never instead of it

	state *published
	node  *flagNode
}

// The details of each type of flag.
type (
	BoolDetails   = Details[bool]
	StringDetails = Details[string]
	IntDetails    = Details[int64]
	FloatDetails  = Details[float64]
	ValueDetails  = Details[Value]
)

// FlagDetails are the details of one of several flags, of any type.
type FlagDetails struct {
	Key string
	ValueDetails
}

// set fills in all but the value. It writes field by field into the caller's
// result: copying a struct of small fields stalls the processor for longer than
// the whole evaluation takes.
func (d *Details[T]) set(p *published, n *flagNode, o *outcome, reason Reason, code ErrorCode, fits bool) {
	d.state, d.node, d.Reason, d.ErrorCode, d.Freshness = p, n, reason, code, FreshnessNotFresh
	if p != nil {
		d.Freshness = p.freshness
		if n != nil && n.maxAge != 0 && n.maxAge <= p.aged && p.freshness == FreshnessFresh {
			d.Freshness = FreshnessStale
		}
	}
	switch {
	case !fits:
		d.Reason, d.ErrorCode = ReasonError, ErrorTypeMismatch
	case o != nil:
		d.Variant = o.name
	}
}

// Metadata returns the flag's metadata merged over that of its set, an object. Of
// a flag that was not found it is the set's alone.
func (d Details[T]) Metadata() Value {
	if d.state == nil || d.state.snap == nil {
		return Value{}
	}
	set := d.state.snap.Metadata()
	if d.node == nil || d.node.metadata.Len() == 0 {
		return set
	}
	if set.Len() == 0 {
		return Value{d.node.metadata}
	}
	members := make([]jsonlogic.Member, 0, set.Len()+d.node.metadata.Len())
	for key, v := range set.v.Members() {
		if _, own := d.node.metadata.Get(key); !own {
			members = append(members, jsonlogic.Member{Key: key, Value: v})
		}
	}
	for key, v := range d.node.metadata.Members() {
		members = append(members, jsonlogic.Member{Key: key, Value: v})
	}
	merged, err := jsonlogic.Object(members...)
	if err != nil {
		return set // keys are distinct by construction
	}
	return Value{merged}
}

// ErrorMessage says in words what ErrorCode says, with what is known about the
// cause, or "" where there was no error.
func (d Details[T]) ErrorMessage() string {
	if d.unmet() {
		return d.state.miss.Error()
	}
	switch d.ErrorCode {
	case ErrorNone:
		return ""
	case ErrorProviderNotReady:
		return "no flag set is held yet"
	case ErrorFlagNotFound:
		return "there is no such flag"
	case ErrorParse:
		return fmt.Sprintf("flag %q is broken: %s", d.node.key, d.node.fault)
	case ErrorTypeMismatch:
		return fmt.Sprintf("flag %q has a value of another type", d.node.key)
	default:
		return fmt.Sprintf("the rule of flag %q failed or chose a variant that the flag does not have", d.node.key)
	}
}

// unmet reports whether the default was given because the read demanded more than there was.
func (d Details[T]) unmet() bool { return d.state != nil && d.state.snap == nil && d.state.miss != nil }

// Err returns nil where ErrorCode is ErrorNone, else an error with ErrorMessage. It wraps
// [ErrNotFresh] where the default was given because a strict read's demand could not be met.
func (d Details[T]) Err() error {
	switch {
	case d.unmet():
		return d.state.miss
	case d.ErrorCode == ErrorNone:
		return nil
	default:
		return fmt.Errorf("flags: %s: %s", d.ErrorCode, d.ErrorMessage())
	}
}

// Token returns the revision token of the set that the value is from: zero if no
// set was held.
func (d Details[T]) Token() Token {
	if d.state == nil || d.state.snap == nil {
		return Token{}
	}
	return d.state.snap.Token()
}

// Layer returns the name of the layer that delivered the set, or "".
func (d Details[T]) Layer() string {
	if d.state == nil {
		return ""
	}
	return d.state.layer
}

// Age returns how long ago the origin was known to be at the version that the
// value is from, or -1 where that is not known. It reads the clock.
func (d Details[T]) Age() time.Duration {
	if d.state == nil || d.state.asOf.IsZero() {
		return -1
	}
	return time.Since(d.state.asOf)
}

// ExpiresAt returns when the value reaches the age that the flag's maxAge or the client's
// MaxStaleness allow, whichever is sooner, or the zero time where neither is set.
func (d Details[T]) ExpiresAt() time.Time {
	if d.state == nil {
		return time.Time{}
	}
	at := d.state.expires
	if d.node != nil && d.node.maxAge != 0 && !d.state.asOf.IsZero() {
		if own := d.state.asOf.Add(d.node.maxAge); at.IsZero() || own.Before(at) {
			at = own
		}
	}
	return at
}
