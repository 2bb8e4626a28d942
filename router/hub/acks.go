package hub

import (
	"context"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// ackPause lets the word of many clients, which comes at once, become one message.
const ackPause = 5 * time.Millisecond

// acknowledge tells the origin behind the store what it is sure to have reached, until
// ctx ends. So whoever waits there for its clients waits for those of this router, too, and for
// those of routers behind it.
func (s *Set) acknowledge(ctx context.Context, stream flags.Stream) {
	told, first := flags.Head{}, true
	for {
		if head, ok := s.applied(); ok && (first || head != told) {
			_ = stream.Applied(flags.Ack{Head: head}) // Next reports a stream that is lost
			told, first = head, false
		}
		select {
		case <-s.moved:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(ackPause):
		case <-ctx.Done():
			return
		}
	}
}

// applied returns the oldest head that the hub and all clients of the set are at or past;
// the zero head where one has not said yet.
func (s *Set) applied() (oldest flags.Head, ok bool) {
	if !s.isLoaded() {
		return flags.Head{}, false
	}
	oldest = s.Head()
	lineage := oldest.Lineage
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.members {
		at := m.appliedHead()
		if at.Lineage != lineage {
			return flags.Head{Set: s.name}, true
		}
		if at.Version.Before(oldest.Version) {
			oldest = at
		}
	}
	return oldest, true
}

// move has acknowledge look again.
func (s *Set) move() {
	select {
	case s.moved <- struct{}{}:
	default:
	}
}
