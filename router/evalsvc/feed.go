package evalsvc

import (
	"context"
	"sync"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// feed tells the event streams of a set which flags have changed. It lives as long as
// the service, whose clients come back.
type feed struct {
	client *flags.Client

	mu      sync.Mutex
	streams map[*subscriber]struct{}
	last    *flags.Snapshot     // what was told of last led here
	pending map[string]struct{} // keys to tell of; "": all
	telling bool
}

// feedOf returns the feed of a call's set.
func (s *Service) feedOf(call *evaluator.Call) *feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.feeds[call.Set]
	if f == nil {
		f = &feed{client: call.Client, streams: map[*subscriber]struct{}{}, pending: map[string]struct{}{}, last: call.View.Snapshot()}
		f.client.OnChange("", f.changed)
		s.feeds[call.Set] = f
	}
	return f
}

// changed is told of one flag at a time.
func (f *feed) changed(c flags.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending[c.Key] = struct{}{}
	if !f.telling {
		f.telling = true
		go f.tell()
	}
}

// tell runs while there is something to tell, so that a set at rest costs no
// goroutine. What changes meanwhile is told together.
func (f *feed) tell() {
	for {
		f.mu.Lock()
		if len(f.pending) == 0 {
			f.telling = false
			f.mu.Unlock()
			return
		}
		keys, old, now := f.pending, f.last, f.client.View(context.Background()).Snapshot()
		f.pending, f.last = map[string]struct{}{}, now
		streams := make([]*subscriber, 0, len(f.streams))
		for sub := range f.streams {
			streams = append(streams, sub)
		}
		f.mu.Unlock()
		if len(streams) == 0 {
			continue
		}
		n := newsOf(keys, old, now)
		for _, sub := range streams {
			sub.give(n)
		}
	}
}

func (f *feed) subscribe() *subscriber {
	sub := &subscriber{wake: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.streams[sub] = struct{}{}
	return sub
}

func (f *feed) unsubscribe(sub *subscriber) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.streams, sub)
}

// subscriber is one event stream. News that it does not take in time become one: it
// holds no queue, and the last change is never lost.
type subscriber struct {
	wake chan struct{} // holds a token while there are news

	mu   sync.Mutex
	news *news
}

func (s *subscriber) give(n *news) {
	s.mu.Lock()
	s.news = s.news.and(n)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns the news since the last time, nil if there are none.
func (s *subscriber) take() (n *news) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, s.news = s.news, nil
	return n
}
