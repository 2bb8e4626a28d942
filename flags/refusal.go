package flags

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// refusals tells, at most once in ten seconds for each reason, that something which
// a layer delivered was not taken over.
type refusals struct {
	logger *slog.Logger
	mu     sync.Mutex
	told   map[string]time.Time
}

// refusalOf says why something was refused; "" where err is no refusal but a
// failure to deliver.
func refusalOf(err error) string {
	for _, r := range []struct {
		err    error
		reason string
	}{
		{errOlder, "older"}, {ErrLineage, "another lineage"}, {ErrDigest, "digest"},
		{ErrGap, "gap"}, {ErrTooLarge, "too large"}, {ErrFormat, "malformed"},
	} {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return ""
}

// refused counts and tells that h, or whatever came in its place, was not to be had; a
// head that was only looked at, or what was delivered.
func (l *layer) refused(h, held Head, err error, delivered bool) {
	l.stats.update(func(s *LayerStatus) { countRefused(s, h, held, err, delivered) })
	if l.observe.Refused != nil {
		l.observe.Refused(l.Name, err)
	}
	l.refusals.tell(l, held, err)
}

func (r *refusals) tell(l *layer, held Head, err error) {
	reason := refusalOf(err)
	if reason == "" {
		return
	}
	r.mu.Lock()
	if r.told == nil {
		r.told = map[string]time.Time{}
	}
	last, before := r.told[reason]
	tell := !before || time.Since(last) >= warnEvery
	if tell {
		r.told[reason] = time.Now()
	}
	r.mu.Unlock()
	if tell {
		r.logger.WarnContext(context.Background(), "flags: refused what a layer delivered",
			"set", l.set, "layer", l.Name, "reason", reason, "cause", err, "held", held.Token().String())
	}
}

// countRefused counts a head that was not to be had, and why.
func countRefused(s *LayerStatus, h, held Head, err error, delivered bool) {
	s.LastError = err.Error()
	switch refusalOf(err) {
	case "older":
		if delivered {
			s.RefusedOlder++
		} else {
			s.Stale++
		}
		s.Lag = lag(h, held)
	case "another lineage":
		s.RefusedLineage++
	case "digest":
		s.RefusedDigest++
		if !h.IsZero() && held.drifted(h) {
			s.Drift++
		}
	case "gap", "too large", "malformed":
		s.RefusedFormat++
	default:
	}
}

// lag counts the revisions that h is behind held; across epochs at least one.
func lag(h, held Head) uint64 {
	switch {
	case !h.Version.Before(held.Version):
		return 0
	case h.Epoch == held.Epoch:
		return held.Revision - h.Revision
	default:
		return max(1, held.Revision)
	}
}
