package flags

import "time"

// published is the state that a client's reads are answered from. The client
// builds one whole and publishes it by one atomic store; it is never changed
// afterwards, so a read needs no more than the pointer.
type published struct {
	snap      *Snapshot // nil: no set was ever held
	layer     string    // that delivered the newest commit of snap, e.g. "primary"
	asOf      time.Time // when the origin was known to be at snap's version; zero: unknown
	expires   time.Time // when the answer stops being served without a word; zero: never
	freshness Freshness
	aged      time.Duration // how long after asOf this was published: flags with a bound up to that are stale
	miss      *shortfall    // the demand of a read that this does not meet; nil: none
}

// View reads flags from one snapshot: two reads of one view never see different
// versions. It is a one-word value; keep it as long as a request, not longer. Reads
// take no lock, no clock and no memory. The zero View holds no set: every read
// answers PROVIDER_NOT_READY.
type View struct{ p *published }

// Token returns the revision token of what the view reads from, the zero Token if
// it holds no set.
func (v View) Token() Token {
	if s := v.Snapshot(); s != nil {
		return s.Token()
	}
	return Token{}
}

// Snapshot returns what the view reads from, or nil.
func (v View) Snapshot() *Snapshot {
	if v.p == nil {
		return nil
	}
	return v.p.snap
}

// Freshness says how far the view can be trusted to be the newest.
func (v View) Freshness() Freshness {
	if v.p == nil {
		return FreshnessNotFresh
	}
	return v.p.freshness
}

// resolve answers a flag by its key.
func (v View) resolve(key string, ec EvaluationContext) (*flagNode, *outcome, Reason, ErrorCode) {
	if v.p == nil || v.p.snap == nil {
		return nil, nil, ReasonError, v.p.lacking()
	}
	n := v.p.snap.flags.get(key)
	o, reason, code := n.resolve(ec)
	return n, o, reason, code
}

// lacking is the error code of reads that have no set to answer from.
func (p *published) lacking() ErrorCode {
	if p != nil && p.miss != nil {
		return ErrorGeneral // OpenFeature has no code of its own for "too old"
	}
	return ErrorProviderNotReady
}

// find returns the variant of a flag, nil where the fallback is to be used.
func (v View) find(key string, ec EvaluationContext) *outcome {
	if v.p == nil || v.p.snap == nil {
		return nil
	}
	return v.p.snap.flags.get(key).find(ec)
}

// Bool returns the value of a boolean flag, or fallback where there is none.
func (v View) Bool(key string, ec EvaluationContext, fallback bool) bool {
	value, _ := v.find(key, ec).bool(fallback)
	return value
}

// String returns the value of a string flag, or fallback where there is none.
func (v View) String(key string, ec EvaluationContext, fallback string) string {
	value, _ := v.find(key, ec).string(fallback)
	return value
}

// Int returns the value of a number flag, or fallback where there is none or
// it is not an integer of at most 2^53-1 either way.
func (v View) Int(key string, ec EvaluationContext, fallback int64) int64 {
	value, _ := v.find(key, ec).int(fallback)
	return value
}

// Float returns the value of a number flag, or fallback where there is none.
func (v View) Float(key string, ec EvaluationContext, fallback float64) float64 {
	value, _ := v.find(key, ec).float(fallback)
	return value
}

// Object returns the value of an object flag, or fallback where there is none.
func (v View) Object(key string, ec EvaluationContext, fallback Value) Value {
	value, _ := v.find(key, ec).object(fallback)
	return value
}

// Value returns the value of a flag of any type, or fallback where there is none.
func (v View) Value(key string, ec EvaluationContext, fallback Value) Value {
	return v.find(key, ec).any(fallback)
}
