package evalsvc

import (
	"context"
	"maps"
	"net/http"
	"sync"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
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

// listen subscribes a stream to the feed of the set it named. One that named none hears
// of all sets that anybody asks about here and that it may read: flagd's provider for
// JavaScript says its selector with every question but not when it opens the stream, and
// what it keeps is only let go of by these events. stop ends it.
func (s *Service) listen(ctx context.Context, call *evaluator.Call, header http.Header) (sub *subscriber, stop func()) {
	sub = &subscriber{wake: make(chan struct{}, 1), may: func(set string) bool {
		return s.opts.Evaluator.Permit(ctx, header, authz.Evaluate, set) == nil
	}, forgetful: s.opts.sabotage.forgetful}
	s.mu.Lock()
	defer s.mu.Unlock()
	if call.Client != nil {
		s.feedOf(call).add(sub)
	}
	if call.Selector.Key == "" {
		s.wide[sub] = struct{}{}
		for set, f := range *s.feeds.Load() {
			if sub.may(set) {
				f.add(sub)
			}
		}
	}
	return sub, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.wide, sub)
		for _, f := range *s.feeds.Load() {
			f.remove(sub)
		}
	}
}

// heed makes sure that changes of a set that was asked about are told.
func (s *Service) heed(call *evaluator.Call) {
	if (*s.feeds.Load())[call.Set] != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feedOf(call)
}

// feedOf returns the feed of a call's set. Call it with s.mu held.
func (s *Service) feedOf(call *evaluator.Call) *feed {
	old := *s.feeds.Load()
	f := old[call.Set]
	if f != nil {
		return f
	}
	f = &feed{client: call.Client, streams: map[*subscriber]struct{}{}, pending: map[string]struct{}{}, last: call.View.Snapshot()}
	f.client.OnChange("", f.changed)
	feeds := maps.Clone(old)
	feeds[call.Set] = f
	s.feeds.Store(&feeds)
	for sub := range s.wide {
		if sub.may(call.Set) {
			f.add(sub)
		}
	}
	if f.held() != f.last {
		f.changed(flags.Change{}) // between the call's look and now, of which nobody is told
	}
	return f
}

func (f *feed) held() *flags.Snapshot { return f.client.View(context.Background()).Snapshot() }

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
		keys, old, now := f.pending, f.last, f.held()
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

func (f *feed) add(sub *subscriber) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.streams[sub] = struct{}{}
}

func (f *feed) remove(sub *subscriber) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.streams, sub)
}

// subscriber is one event stream. News that it does not take in time become one: it
// holds no queue, and the last change is never lost.
type subscriber struct {
	wake chan struct{} // holds a token while there are news
	// may reports whether who opened the stream may hear of a set. It is asked on
	// behalf of others' requests, which say nothing about him.
	may func(set string) bool

	forgetful bool // sabotage

	mu   sync.Mutex
	news *news
}

func (s *subscriber) give(n *news) {
	s.mu.Lock()
	if s.news == nil || !s.forgetful {
		s.news = s.news.and(n)
	}
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
