package flags

import "sync"

// State says how well a client can answer, in one word.
type State uint8

// The states.
const (
	// StateEmpty: there is no set to answer from, and reads give their defaults: none has come yet, or
	// Options.Strict is set and the one that is held is past MaxStaleness.
	StateEmpty State = iota
	// StateFresh: reads are answered from what the origin has confirmed within the bound.
	StateFresh
	// StateStale: reads are answered from the last known set, which its origin has not confirmed lately.
	StateStale
)

var stateNames = [...]string{"empty", "fresh", "stale"}

// String returns "empty", "fresh" or "stale".
func (s State) String() string { return stateNames[min(int(s), len(stateNames)-1)] }

func stateOf(p *published) State {
	switch {
	case p.snap == nil:
		return StateEmpty
	case p.freshness == FreshnessFresh:
		return StateFresh
	default:
		return StateStale
	}
}

// State returns how well the client can answer now.
func (c *Client) State() State { return stateOf(c.current.Load()) }

// OnState calls fn after the client's State has changed, with the newest. It returns a function
// that ends the subscription. Calls come one at a time on a goroutine of the subscription's
// own; states that come and go while fn runs are skipped. fn may use the client; it should not block for ever.
// Neither the end of the subscription nor Close waits for a call that has begun.
func (c *Client) OnState(fn func(State)) (unsubscribe func()) { return c.keeper.states.add(fn) }

// stateWatches are the subscriptions of OnState.
type stateWatches struct {
	mu    sync.Mutex
	ended bool
	all   map[*stateWatch]struct{}
}

func (s *stateWatches) add(fn func(State)) func() {
	w := &stateWatch{fn: fn}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*stateWatch]struct{}{}
	}
	s.all[w] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, w)
		w.end()
	}
}

func (s *stateWatches) tell(now State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	for w := range s.all {
		w.take(now)
	}
}

func (s *stateWatches) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for w := range s.all {
		w.end()
	}
}

// stateWatch hands the newest state to its function, on a goroutine that lives
// while there is something to hand over.
type stateWatch struct {
	fn func(State)

	mu      sync.Mutex
	now     State
	waiting bool
	running bool
	ended   bool
}

func (w *stateWatch) take(now State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now, w.waiting = now, true
	if !w.running && !w.ended {
		w.running = true
		go w.deliver()
	}
}

func (w *stateWatch) deliver() {
	for {
		w.mu.Lock()
		if !w.waiting || w.ended {
			w.running = false
			w.mu.Unlock()
			return
		}
		now := w.now
		w.waiting = false
		w.mu.Unlock()
		w.fn(now)
	}
}

func (w *stateWatch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}
