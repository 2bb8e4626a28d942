package openfeature

import (
	"context"
	"slices"
	"sync"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/holdfast-flags/holdfast/flags"
)

const (
	// gather is how long changes are collected for one event: those of one commit are told one by one.
	gather = 5 * time.Millisecond
	// deniedEvery is how often a client without a set is asked why it has none, which nobody tells.
	deniedEvery = time.Second
)

// settle is when the state is said again after Init, if it is not the one that Init has led to. The SDK sets that state after Init
// has returned, and so over an event that came between: there is no telling when.
var settle = [...]time.Duration{10 * time.Millisecond, time.Second}

// run is the time between Init and Shutdown: one goroutine that turns what the client does into events.
type run struct {
	p           *Provider
	events      chan of.Event
	inits       chan condition // what the SDK is about to be told by the end of an Init
	wake        chan struct{}  // the state or flags have changed
	stop        chan struct{}
	ended       chan struct{}
	unsubscribe []func()

	mu    sync.Mutex
	keys  map[string]struct{} // of changed flags
	whole bool                // any flag may have changed
	to    flags.Token         // the newest version of these
	since flags.Token         // what the first Init ended with
}

func newRun(p *Provider) *run {
	r := &run{
		p: p, events: p.events, inits: make(chan condition), wake: make(chan struct{}, 1),
		stop: make(chan struct{}), ended: make(chan struct{}), keys: map[string]struct{}{},
	}
	r.unsubscribe = []func(){
		p.client.OnState(func(flags.State) { r.kick() }),
		p.client.OnChange("", r.changed),
	}
	go r.loop()
	return r
}

// end stops the goroutine and waits for it: it never blocks for longer than a select.
func (r *run) end() {
	for _, unsubscribe := range r.unsubscribe {
		unsubscribe()
	}
	close(r.stop)
	<-r.ended
}

func (r *run) kick() {
	select {
	case r.wake <- struct{}{}:
	default: // it is to wake up already
	}
}

func (r *run) changed(c flags.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.To.Lineage == r.since.Lineage && c.To.Compare(r.since.Version) <= 0 {
		return
	}
	if r.p.opts.lossy && len(r.keys) > 0 {
		return
	}
	if c.Key == "" {
		r.whole = true
	} else {
		r.keys[c.Key] = struct{}{}
	}
	r.to = c.To
	r.kick()
}

// loop emits what there is to say once the first Init has ended. Whoever does not listen holds
// it up, and hears the newest state, and all changes in one event, when he does.
func (r *run) loop() {
	defer close(r.ended)
	defer close(r.events)
	var told, initial condition // what was said last, and by the last Init
	var settling <-chan time.Time
	var left []time.Duration
	for {
		var look <-chan time.Time
		if told == conditionError {
			look = time.After(deniedEvery)
		}
		again := false
		select {
		case <-r.stop:
			return
		case initial = <-r.inits:
			if told == conditionNone {
				r.begin()
			}
			told, settling, left = initial, time.After(settle[0]), settle[1:]
		case <-settling:
			again, settling = true, nil
			if len(left) > 0 {
				settling, left = time.After(left[0]), left[1:]
			}
		case <-r.wake:
			if !r.pause(gather) {
				return
			}
		case <-look:
		}
		if told == conditionNone {
			continue
		}
		if now := r.p.condition(); now != told || again && now != initial {
			told = now
			if !r.emit(stateEvent(now)) {
				return
			}
		}
		if e, ok := r.take(); ok && !r.emit(e) {
			return
		}
	}
}

// begin forgets the changes up to what reads see now: who waits for Init knows nothing older.
func (r *run) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since = r.p.client.View(context.Background()).Token()
	r.keys, r.whole = map[string]struct{}{}, false
}

func (r *run) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.stop:
		return false
	}
}

func (r *run) emit(e of.Event) bool {
	select {
	case r.events <- e:
		return true
	case <-r.stop:
		return false
	}
}

func stateEvent(c condition) of.Event {
	e := of.Event{ProviderName: Name}
	switch c {
	case conditionReady:
		e.EventType, e.Message = of.ProviderReady, "the flag set is confirmed by its origin"
	case conditionStale:
		e.EventType, e.Message = of.ProviderStale, "the last known flag set is served"
	case conditionFatal:
		e.EventType, e.Message, e.ErrorCode = of.ProviderError, "credentials were denied and no flag set is held", of.ProviderFatalCode
	default:
		e.EventType, e.Message, e.ErrorCode = of.ProviderError, "no flag set is held", of.ProviderNotReadyCode
	}
	return e
}

// take returns the changes collected, as an event, and begins anew.
func (r *run) take() (e of.Event, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.keys) == 0 && !r.whole {
		return of.Event{}, false
	}
	e = of.Event{ProviderName: Name, EventType: of.ProviderConfigChange}
	e.Message = "flags have changed"
	e.EventMetadata = map[string]any{MetadataRevision: r.to.String()}
	if !r.whole {
		for key := range r.keys {
			e.FlagChanges = append(e.FlagChanges, key)
		}
		slices.Sort(e.FlagChanges)
	}
	r.keys, r.whole = map[string]struct{}{}, false
	return e, true
}
