package flags

import "sync/atomic"

// Handle is a flag looked up beforehand, for the few flags that are read very
// often. It follows the client: a read compares one pointer to see whether the
// snapshot it knows the flag in is still the current one, and looks the flag up
// again only where it is not. Safe for concurrent use.
type Handle struct {
	key   string
	state *atomic.Pointer[published]
	bound atomic.Pointer[binding]
}

// binding is where a flag was found in a snapshot; node is nil if it is not there.
type binding struct {
	snap *Snapshot
	node *flagNode
}

// newHandle returns the handle of a flag as published through state.
func newHandle(state *atomic.Pointer[published], key string) *Handle {
	h := &Handle{key: key, state: state}
	h.bound.Store(&binding{})
	return h
}

// Key returns the flag's key.
func (h *Handle) Key() string { return h.key }

// node returns the current state and the flag in it; ready is false where no set
// was ever held.
func (h *Handle) node() (p *published, n *flagNode, ready bool) {
	p = h.state.Load()
	if p == nil || p.snap == nil {
		return p, nil, false
	}
	if b := h.bound.Load(); b.snap == p.snap {
		return p, b.node, true
	}
	return p, h.rebind(p.snap), true
}

// rebind is apart so that node stays small. Two goroutines may do it at once, and
// an older snapshot may be stored last: that costs the next read a lookup, not its
// correctness, since a read always compares.
func (h *Handle) rebind(s *Snapshot) *flagNode {
	n := s.flags.get(h.key)
	h.bound.Store(&binding{s, n})
	return n
}

func (h *Handle) find(ec EvaluationContext) *outcome {
	_, n, ready := h.node()
	if !ready {
		return nil
	}
	return n.find(ec)
}

func (h *Handle) resolve(ec EvaluationContext) (p *published, n *flagNode, o *outcome, reason Reason, code ErrorCode) {
	p, n, ready := h.node()
	if !ready {
		return p, nil, nil, ReasonError, p.lacking()
	}
	o, reason, code = n.resolve(ec)
	return p, n, o, reason, code
}

// Bool is [View.Bool] on the current snapshot.
func (h *Handle) Bool(ec EvaluationContext, fallback bool) bool {
	value, _ := h.find(ec).bool(fallback)
	return value
}

// BoolDetails is [View.BoolDetails] on the current snapshot.
func (h *Handle) BoolDetails(ec EvaluationContext, fallback bool) (d BoolDetails) {
	p, n, o, reason, code := h.resolve(ec)
	value, fits := o.bool(fallback)
	d.Value = value
	d.set(p, n, o, reason, code, fits)
	return d
}

// String is [View.String] on the current snapshot.
func (h *Handle) String(ec EvaluationContext, fallback string) string {
	value, _ := h.find(ec).string(fallback)
	return value
}

// StringDetails is [View.StringDetails] on the current snapshot.
func (h *Handle) StringDetails(ec EvaluationContext, fallback string) (d StringDetails) {
	p, n, o, reason, code := h.resolve(ec)
	value, fits := o.string(fallback)
	d.Value = value
	d.set(p, n, o, reason, code, fits)
	return d
}

// Int is [View.Int] on the current snapshot.
func (h *Handle) Int(ec EvaluationContext, fallback int64) int64 {
	value, _ := h.find(ec).int(fallback)
	return value
}

// IntDetails is [View.IntDetails] on the current snapshot.
func (h *Handle) IntDetails(ec EvaluationContext, fallback int64) (d IntDetails) {
	p, n, o, reason, code := h.resolve(ec)
	value, fits := o.int(fallback)
	d.Value = value
	d.set(p, n, o, reason, code, fits)
	return d
}

// Float is [View.Float] on the current snapshot.
func (h *Handle) Float(ec EvaluationContext, fallback float64) float64 {
	value, _ := h.find(ec).float(fallback)
	return value
}

// FloatDetails is [View.FloatDetails] on the current snapshot.
func (h *Handle) FloatDetails(ec EvaluationContext, fallback float64) (d FloatDetails) {
	p, n, o, reason, code := h.resolve(ec)
	value, fits := o.float(fallback)
	d.Value = value
	d.set(p, n, o, reason, code, fits)
	return d
}

// Object is [View.Object] on the current snapshot.
func (h *Handle) Object(ec EvaluationContext, fallback Value) Value {
	value, _ := h.find(ec).object(fallback)
	return value
}

// ObjectDetails is [View.ObjectDetails] on the current snapshot.
func (h *Handle) ObjectDetails(ec EvaluationContext, fallback Value) (d ValueDetails) {
	p, n, o, reason, code := h.resolve(ec)
	value, fits := o.object(fallback)
	d.Value = value
	d.set(p, n, o, reason, code, fits)
	return d
}
