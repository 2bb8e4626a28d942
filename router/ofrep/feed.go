package ofrep

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/holdfast-flags/holdfast/flags"
)

// feeds has a feed for each set that somebody streams.
type feeds struct {
	mu  sync.Mutex
	all map[*flags.Client]*feed
}

// feed tells the streams of one set that it changed. However many they are, the set
// is subscribed to once and an event is encoded once. Nothing queues: a stream that
// was busy sees the newest and no more.
type feed struct {
	streams     int // guarded by feeds.mu
	unsubscribe func()
	newest      atomic.Pointer[news]
}

// news is that a set is at a revision.
type news struct {
	revision string
	event    []byte
	outdated chan struct{} // closed when there is other news
}

func newNews(token flags.Token) *news {
	n := &news{revision: token.String(), outdated: make(chan struct{})}
	n.event = append(append(n.event, "id: "...), n.revision...)
	n.event = append(n.event, "\nevent: message\ndata: {\"type\":\"refetchEvaluation\",\"etag\":"...)
	n.event = append(appendText(n.event, n.revision), "}\n\n"...)
	return n
}

// join returns the feed of a client's set. Leave it in the end.
func (f *feeds) join(ctx context.Context, c *flags.Client) *feed {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fd := f.all[c]; fd != nil {
		fd.streams++
		return fd
	}
	fd, nothing := &feed{streams: 1}, newNews(flags.Token{})
	fd.newest.Store(nothing)
	fd.unsubscribe = c.OnChange("", func(ch flags.Change) { fd.publish(ch.To) })
	// Where the set was before, nobody tells. Whatever was told meanwhile is newer.
	fd.newest.CompareAndSwap(nothing, newNews(c.Token(ctx)))
	if f.all == nil {
		f.all = map[*flags.Client]*feed{}
	}
	f.all[c] = fd
	return fd
}

func (f *feeds) leave(c *flags.Client, fd *feed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fd.streams--; fd.streams == 0 {
		fd.unsubscribe()
		delete(f.all, c)
	}
}

// publish tells all streams of a revision, unless that is no news: a change of a
// thousand flags is told of a thousand times.
func (fd *feed) publish(token flags.Token) {
	text := token.String()
	for {
		old := fd.newest.Load()
		if old.revision == text {
			return
		}
		if fd.newest.CompareAndSwap(old, newNews(token)) {
			close(old.outdated)
			return
		}
	}
}
