package router

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/webhook"
)

// Pauses of publishers.
const (
	firstRetry   = 200 * time.Millisecond
	longestRetry = 5 * time.Second
	renewEvery   = 20 * time.Second // a place that nothing changes in is confirmed this often
	attemptLimit = 30 * time.Second
)

// patience is how long commits are kept for a mirror that cannot be reached.
const patience = 7 * 24 * time.Hour

// place is somewhere else that every version of every set is brought to.
type place interface {
	// locate returns where the place stands; the zero head: it has nothing, or
	// does not tell.
	locate(ctx context.Context, set string) (flags.Head, error)
	// bring takes the place from at to the set's newest head and returns that.
	bring(ctx context.Context, set *hub.Set, at flags.Head) (flags.Head, error)
}

// publisher keeps one place current, each set on its own. It reads the feeds as
// a client does, so an outage of the place costs the writers nothing.
type publisher struct {
	name    string // without credentials
	place   place
	log     *slog.Logger
	longest time.Duration // pause between attempts

	mu   sync.Mutex
	sets map[string]*progress
}

// progress is how one set fares at a place.
type progress struct {
	set     *hub.Set
	at      flags.Head
	err     error
	since   time.Time // of err
	lastOK  time.Time
	next    time.Time // of the next attempt, after a failure
	retries uint64
}

func newPublisher(name string, p place, log *slog.Logger) *publisher {
	return &publisher{name: name, place: p, log: log.With("place", name), longest: longestRetry, sets: map[string]*progress{}}
}

// run publishes one set until ctx ends or the feed does.
func (p *publisher) run(ctx context.Context, set *hub.Set) {
	p.note(set, func(s *progress) { s.lastOK = time.Now() })
	renew := time.NewTicker(renewEvery)
	defer renew.Stop()
	pause, known, due := firstRetry, false, true
	var at flags.Head
	for ctx.Err() == nil {
		lead := set.Lead(at)
		if lead.Closed {
			return
		}
		if due || lead.Moves() {
			next, err := p.attempt(ctx, set, at, known)
			p.noteAttempt(set, next, err)
			if err != nil {
				known = false // whether it arrived is for the place to say
				wait := pauseAfter(err, pause/2+rand.N(pause))
				p.note(set, func(s *progress) { s.next = time.Now().Add(wait) })
				if !sleep(ctx, wait) {
					return
				}
				pause = min(2*pause, p.longest)
				continue
			}
			at, known, due, pause = next, true, false, firstRetry
			continue
		}
		select {
		case <-lead.Changed:
		case <-renew.C:
			due = true
		case <-ctx.Done():
		}
	}
}

func (p *publisher) attempt(ctx context.Context, set *hub.Set, at flags.Head, known bool) (flags.Head, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	if !known {
		var err error
		if at, err = p.place.locate(ctx, set.Name()); err != nil {
			return flags.Head{}, err
		}
	}
	return p.place.bring(ctx, set, at)
}

func (p *publisher) note(set *hub.Set, change func(*progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sets[set.Name()]
	if s == nil {
		s = &progress{set: set}
		p.sets[set.Name()] = s
	}
	change(s)
}

// noteAttempt logs the first failure and the recovery, not what lies between.
func (p *publisher) noteAttempt(set *hub.Set, at flags.Head, err error) {
	p.note(set, func(s *progress) {
		switch {
		case err == nil && s.err != nil:
			p.log.Info("publishing again", "set", set.Name(), "token", at.Token().String(), "down", time.Since(s.since).Round(time.Millisecond))
		case err != nil && s.err == nil:
			s.since = time.Now()
			p.log.Warn("cannot publish", "set", set.Name(), "err", err)
		}
		s.err = err
		if err != nil {
			s.retries++
			return
		}
		s.at, s.lastOK = at, time.Now()
	})
}

// needs returns the version from which on the place still needs the commits of a set, and
// whether it counts. A router that has only just started has not begun with the set yet.
func (p *publisher) needs(set string) (flags.Version, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sets[set]
	switch {
	case s != nil && time.Since(s.lastOK) > patience:
		return flags.Version{}, false
	case s == nil, s.at.Version.IsZero():
		return flags.Version{Revision: 1}, true
	}
	return s.at.Version, true
}

// pauseAfter returns a pause that is as long as the place has asked for, at least.
func pauseAfter(err error, pause time.Duration) time.Duration {
	later := new(webhook.LaterError)
	if errors.As(err, &later) {
		return max(pause, time.Until(later.Until))
	}
	return pause
}

// SinkStatus is how one set fares at one mirror, cache or webhook.
type SinkStatus struct {
	Name    string // without credentials
	Set     string
	Version flags.Version // the newest known to have arrived
	Lag     uint64        // revisions behind the head
	Errors  uint64        // failed attempts so far
	Err     error         // of the last attempt; nil when it succeeded
	LastOK  time.Time     // of the last success, or since when it is tried
	NextTry time.Time     // after a failure
	// Delivery is what a webhook answered last.
	Delivery webhook.Delivery
}

func (p *publisher) status() []SinkStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]SinkStatus, 0, len(p.sets))
	for name, s := range p.sets {
		st := SinkStatus{
			Name: p.name, Set: name, Version: s.at.Version, Errors: s.retries, Err: s.err, LastOK: s.lastOK,
			Lag: hub.Lag(s.at.Version, s.set.Head().Version),
		}
		if s.err != nil {
			st.NextTry = s.next
		}
		if h, ok := p.place.(hook); ok {
			st.Delivery = h.Last(name)
		}
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b SinkStatus) int { return cmp.Compare(a.Set, b.Set) })
	return out
}

// sleep returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
