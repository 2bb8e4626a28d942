package breaker

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// gate stands in front of gobreaker, which knows one fixed cooldown and calls back under its lock. The gate holds the
// growing cooldown, and queues the callbacks until the lock is released.
//
// Lock order: gobreaker's, then mu. Nothing here calls gobreaker while it holds mu.
type gate struct {
	opts    Options
	tripped atomic.Bool  // true from trip to close; lets calls through a closed breaker skip mu and the clock
	queued  atomic.Int64 // len(events), readable without mu

	mu         sync.Mutex
	level      int           // failed probes of this outage
	cooldown   time.Duration // the current one, jitter included
	notBefore  time.Time     // earliest probe
	probeUntil time.Time     // budget of the probe that is out; zero if none is
	since      time.Time     // the trip that began this outage
	last       error         // the last failure
	run        int           // failures in a row when the breaker opened, failed probes added
	trips      uint64
	events     []func()
	delivering bool
}

// successful is gobreaker's IsSuccessful, asked under its lock just before a possible transition, so what it notes is
// there when changed needs it.
func (g *gate) successful(err error) bool {
	if err == nil {
		return true
	}
	g.mu.Lock()
	g.last = err
	g.mu.Unlock()
	return false
}

// changed is gobreaker's OnStateChange. It is called under gobreaker's lock, so transitions arrive in order.
func (g *gate) changed(_ string, from, to gobreaker.State) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	switch {
	case to == gobreaker.StateOpen && from == gobreaker.StateClosed:
		g.level, g.run, g.since = 0, g.opts.Failures, now
		g.open(now, false)
	case to == gobreaker.StateOpen:
		g.level++
		g.run++
		g.open(now, true)
	case to == gobreaker.StateClosed:
		g.tripped.Store(false)
		closing := Closing{Name: g.opts.Name, OpenFor: now.Sub(g.since), Probes: g.level + 1}
		g.queue(g.opts.OnClose != nil, func() { g.opts.OnClose(closing) })
	}
}

func (g *gate) open(now time.Time, probe bool) {
	g.cooldown = cooldown(g.opts, g.level)
	g.notBefore = now.Add(g.cooldown)
	g.trips++
	g.tripped.Store(true)
	trip := Trip{Name: g.opts.Name, Err: g.last, Failures: g.run, Cooldown: g.cooldown, Probe: probe}
	g.queue(g.opts.OnTrip != nil, func() { g.opts.OnTrip(trip) })
}

// cooldown is the first one doubled level times, at most the maximum, plus jitter. Jitter is only added, so that the
// configured time is a floor; it keeps clients that tripped together from probing together.
func cooldown(o Options, level int) time.Duration {
	d := o.Cooldown
	for ; level > 0 && d < o.MaxCooldown; level-- {
		d += min(d, o.MaxCooldown-d) // doubled, without overflow
	}
	return d + time.Duration(rand.Float64()*o.Jitter*float64(d))
}

// due reports whether a call may ask for the probe's slot now.
func (g *gate) due() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.free()
}

// begin marks the probe as out. It asks again whether it is due, because another probe may have failed since the
// caller looked.
func (g *gate) begin(until time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.free() {
		return false
	}
	g.probeUntil = until
	return true
}

func (g *gate) free() bool {
	return g.opts.sabotage.noGate || g.state(time.Now()) == HalfOpen && g.probeUntil.IsZero()
}

func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.probeUntil = time.Time{}
}

func (g *gate) queue(wanted bool, event func()) {
	if wanted {
		g.events = append(g.events, event)
		g.queued.Add(1)
	}
}

// deliver runs queued callbacks, if any.
func (g *gate) deliver() {
	if g.queued.Load() > 0 {
		g.drain()
	}
}

// drain runs the callbacks one at a time and in order. Only one goroutine delivers; another one, or a callback that
// itself caused a transition, leaves its event to that one.
func (g *gate) drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.delivering {
		return
	}
	g.delivering = true
	defer func() { g.delivering = false }()
	for len(g.events) > 0 {
		event := g.events[0]
		g.events = g.events[1:]
		g.queued.Add(-1)
		g.call(event)
	}
}

// call runs event without mu and takes it again even if event panics.
func (g *gate) call(event func()) {
	g.mu.Unlock()
	defer g.mu.Lock()
	event()
}
