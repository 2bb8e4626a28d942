package breaker

import "time"

// State says what the breaker would do with a call.
type State uint8

// The three states.
const (
	Closed   State = iota // calls go through
	Open                  // calls are refused until the cooldown ends
	HalfOpen              // the cooldown is over: one call is let through as the probe, or already is on its way
)

// String returns "closed", "open" or "half-open".
func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case Open:
		return "open"
	default:
		return "half-open"
	}
}

// Status is a picture of a breaker for people and metrics. Successes, Failures and Ignored count since the state
// last changed; Trips and Refused since the breaker was made.
type Status struct {
	Name       string
	State      State
	RetryAfter time.Duration // see Breaker.RetryAfter
	Cooldown   time.Duration // the current or last one, jitter included; 0 if it never tripped
	OpenSince  time.Time     // the trip that began this outage; zero while closed
	InARow     int           // failures since the last success
	Last       error         // the last failure, nil if there never was one
	Successes  uint32
	Failures   uint32
	Ignored    uint32
	Trips      uint64 // transitions to open, failed probes included
	Refused    uint64 // calls that were not sent
}

// Name returns the name given in [Options].
func (b *Breaker) Name() string { return b.gate.opts.Name }

// State returns the current state. Asking changes nothing: it never takes the probe's slot.
func (b *Breaker) State() State {
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	return b.gate.state(time.Now())
}

// RetryAfter returns how long calls are sure to be refused: 0 while closed or when a probe is due, else what is left
// of the cooldown or, while a probe is out, of its budget.
func (b *Breaker) RetryAfter() time.Duration {
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	return b.gate.wait(time.Now())
}

// Status returns a picture of the breaker. Like [Breaker.State] it changes nothing.
func (b *Breaker) Status() Status {
	counts := b.inner.Counts()
	g := &b.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	s := Status{
		Name:       g.opts.Name,
		State:      g.state(now),
		RetryAfter: g.wait(now),
		Cooldown:   g.cooldown,
		InARow:     int(counts.ConsecutiveFailures),
		Last:       g.last,
		Successes:  counts.TotalSuccesses,
		Failures:   counts.TotalFailures,
		Ignored:    counts.TotalExclusions,
		Trips:      g.trips,
		Refused:    b.refused.Load(),
	}
	if s.State != Closed {
		s.OpenSince, s.InARow = g.since, g.run
	}
	return s
}

// refuse counts a refused call and returns its error.
func (b *Breaker) refuse() error {
	b.refused.Add(1)
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	return &OpenError{Name: b.gate.opts.Name, RetryAfter: b.gate.wait(time.Now()), Last: b.gate.last}
}

func (g *gate) state(now time.Time) State {
	switch {
	case !g.tripped.Load():
		return Closed
	case now.Before(g.notBefore):
		return Open
	default:
		return HalfOpen
	}
}

func (g *gate) wait(now time.Time) time.Duration {
	switch g.state(now) {
	case Open:
		return g.notBefore.Sub(now)
	case HalfOpen:
		return max(0, g.probeUntil.Sub(now))
	default:
		return 0
	}
}
