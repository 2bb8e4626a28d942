package flags

import (
	"sync"
	"time"
)

// ClientStatus is a picture of a client for people and health checks.
type ClientStatus struct {
	Token     Token         // what reads are answered from; zero: nothing yet
	Layer     string        // that delivered or last confirmed it
	Freshness Freshness     // what reads report
	Age       time.Duration // since the origin was known to be at Token; 0 where that is unknown
	Lineage   Lineage       // fixed by the first answer of the primary or secondary; "" until then
	Layers    []LayerStatus // the layers there are, best first
	// Unmet counts the reads whose demand could not be met, by what they wanted: "version", "another
	// lineage", "the primary's word", "age". Nil: none.
	Unmet map[string]uint64
}

// ByName returns the status of the layer with the given name, or false.
func (s ClientStatus) ByName(name string) (LayerStatus, bool) {
	for _, l := range s.Layers {
		if l.Name == name {
			return l, true
		}
	}
	return LayerStatus{}, false
}

// LayerStatus is a picture of one layer. Counters run since the client was made.
type LayerStatus struct {
	Name    string
	State   string        // idle, ok, streaming, failing, absent (it has no such set) or denied
	Breaker GateState     // of its gate
	NextTry time.Duration // for how long the gate is sure to refuse calls

	Hits           uint64            // updates installed or confirmed
	Misses         uint64            // answers that there is no such set
	Stale          uint64            // answers that were behind what is held
	RefusedOlder   uint64            // updates refused because a newer version is held
	RefusedLineage uint64            // updates refused because they are of another history
	RefusedDigest  uint64            // updates refused because they do not add up
	RefusedFormat  uint64            // updates refused because they are damaged, with a gap, of a newer format, or beyond a limit
	Drift          uint64            // same version, other digest: the layer holds something else
	Written        uint64            // sets taken by its sink
	Errors         map[string]uint64 // by class
	LastError      string            // "" after a success
	Latency        time.Duration     // of the last call
	Head           Token             // newest version seen in it
	Lag            uint64            // revisions it was behind what is held, when last compared
}

// layerStats counts what a layer does.
type layerStats struct {
	mu sync.Mutex
	s  LayerStatus
	by [ClassCanceled + 1]uint64
}

func (st *layerStats) update(fn func(*LayerStatus)) {
	st.mu.Lock()
	defer st.mu.Unlock()
	fn(&st.s)
}

// answered counts the end of a call.
func (st *layerStats) answered(took time.Duration, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s.Latency = took
	if err == nil {
		st.s.LastError, st.s.State = "", "ok"
		return
	}
	class := min(ClassOf(err), ClassCanceled)
	if class == ClassNotFound {
		st.s.Misses++
		st.s.LastError, st.s.State = err.Error(), "absent"
		return
	}
	st.by[class]++
	switch class {
	case ClassCanceled: // our own doing; says nothing about the layer
	case ClassDenied:
		st.s.LastError, st.s.State = err.Error(), "denied"
	default:
		st.s.LastError, st.s.State = err.Error(), "failing"
	}
}

// recovered notes that the layer serves, though the last call of it failed: its stream
// brings something.
func (st *layerStats) recovered() {
	st.update(func(s *LayerStatus) { s.LastError, s.State = "", "ok" })
}

func (st *layerStats) saw(h Head) {
	st.update(func(s *LayerStatus) { s.Head = h.Token() })
}

// newest returns the head that the layer spoke of last.
func (st *layerStats) newest() Token {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.s.Head
}

// status completes the picture with what the gate says.
func (l *layer) status() LayerStatus {
	l.stats.mu.Lock()
	defer l.stats.mu.Unlock()
	s := l.stats.s
	s.Name = l.Name
	switch {
	case s.State == "":
		s.State = "idle"
	case s.State == "ok" && l.streaming.Load():
		s.State = "streaming"
	}
	s.Breaker, s.NextTry = l.Gate.State()
	s.Errors = map[string]uint64{}
	for class, n := range l.stats.by {
		if n > 0 {
			s.Errors[Class(class).String()] = n
		}
	}
	return s
}

// Status returns a picture of the client and its layers.
func (c *Client) Status() ClientStatus {
	p := c.current.Load()
	s := ClientStatus{Layer: p.layer, Freshness: p.freshness, Lineage: c.keeper.knownLineage(), Unmet: c.unmetReads.status()}
	s.Token = View{p}.Token()
	if !p.asOf.IsZero() {
		s.Age = time.Since(p.asOf)
	}
	for _, l := range c.layers() {
		if !l.absent() {
			s.Layers = append(s.Layers, l.status())
		}
	}
	return s
}
