package flags

import (
	"context"
	"errors"
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
	Standby   Load          // on the secondary while the primary cannot serve
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

// Load is what a process asks of a layer, whatever the number of flag reads.
type Load struct {
	ReadsPerSecond  float64 // heads
	BytesPerRefresh uint64  // of the whole set, which a process without it, or far behind, reads once; else it is what changed
}

// LayerStatus is a picture of one layer. Counters run since the client was made.
type LayerStatus struct {
	Name    string
	State   string        // idle, ok, streaming, failing, absent (it has no such set) or denied
	Breaker GateState     // of its gate
	NextTry time.Duration // for how long the gate is sure to refuse calls

	Hits           uint64            // updates installed or confirmed
	Misses         uint64            // answers that there is no such set
	Stale          uint64            // heads that were behind what is held, so that nothing more was asked for
	RefusedOlder   uint64            // updates refused because a newer version had come meanwhile
	RefusedLineage uint64            // updates refused because they are of another history
	RefusedDigest  uint64            // updates refused because they do not add up
	RefusedFormat  uint64            // updates refused because they are damaged, with a gap, of a newer format, or beyond a limit
	Drift          uint64            // same version, other digest: the layer holds something else
	Written        uint64            // sets taken by its sink
	Errors         map[string]uint64 // by class
	Unclassified   uint64            // errors among them that the driver has not classified: a fault of the driver
	Reads          uint64            // heads and sets asked for
	Bytes          uint64            // of the entries and changes that it delivered, decoded
	LastError      string            // "" after a success
	Latency        time.Duration     // of the last call
	Head           Token             // newest version seen in it
	Lag            uint64            // revisions it was behind what is held, when last compared
}

// layerStats counts what a layer does.
type layerStats struct {
	mu   sync.Mutex
	s    LayerStatus
	by   [ClassRefused + 1]uint64
	sent time.Time // the last head was asked for
}

func (st *layerStats) update(fn func(*LayerStatus)) {
	st.mu.Lock()
	defer st.mu.Unlock()
	fn(&st.s)
}

// answered counts the end of a call. It reports whether its error was classified.
func (st *layerStats) answered(took time.Duration, err error) (classified bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s.Latency = took
	if err == nil {
		st.s.LastError, st.s.State = "", "ok"
		return true
	}
	if classified = isClassified(err); !classified {
		st.s.Unclassified++
	}
	class := min(ClassOf(err), ClassRefused)
	if class == ClassNotFound {
		st.absentLocked(err)
		return classified
	}
	st.by[class]++
	switch class {
	case ClassCanceled, ClassRefused: // our own doing; says nothing about the layer
	case ClassDenied:
		st.s.LastError, st.s.State = err.Error(), "denied"
	default:
		st.s.LastError, st.s.State = err.Error(), "failing"
	}
	return classified
}

func isClassified(err error) bool {
	var se *SourceError
	return errors.As(err, &se) || errors.Is(err, context.Canceled)
}

// asked notes when a head was asked for.
func (st *layerStats) asked(sent time.Time) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s.Reads++
	st.sent = sent
}

// due returns when the next head may be asked for by who only wants to keep up: the
// cadence of one process, whatever it is that makes it ask.
func (st *layerStats) due() time.Duration {
	st.mu.Lock()
	defer st.mu.Unlock()
	return time.Until(st.sent.Add(pollEvery))
}

// took counts what an update brought that was asked for.
func (st *layerStats) took(u *Update) {
	st.brought(u)
	st.update(func(s *LayerStatus) { s.Reads++ })
}

// brought counts what an update brought, whoever began.
func (st *layerStats) brought(u *Update) {
	n := uint64(u.size())
	st.update(func(s *LayerStatus) { s.Head, s.Bytes = u.Head.Token(), s.Bytes+n })
}

func (u *Update) size() (n int) {
	if u.Checkpoint != nil {
		for i := range u.Checkpoint.Entries {
			n += sizeOf(u.Checkpoint.Entries[i].Key, u.Checkpoint.Entries[i].Bytes)
		}
	}
	for i := range u.Commits {
		for _, m := range u.Commits[i].Changes {
			n += sizeOf(m.Key, m.Bytes)
		}
	}
	return n
}

// absent notes that the layer has no such set.
func (st *layerStats) absent(err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.absentLocked(err)
}

func (st *layerStats) absentLocked(err error) {
	st.s.Misses++
	st.s.LastError, st.s.State = err.Error(), "absent"
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
	if c.secondary.readable() {
		s.Standby = c.standby(p.snap)
	}
	for _, l := range c.layers() {
		if !l.absent() {
			s.Layers = append(s.Layers, l.status())
		}
	}
	return s
}

func (c *Client) standby(held *Snapshot) Load {
	l := Load{ReadsPerSecond: 1 / pollEvery.Seconds()}
	if held != nil {
		for e := range held.Entries() {
			l.BytesPerRefresh += uint64(sizeOf(e.Key, e.Bytes))
		}
	}
	return l
}
