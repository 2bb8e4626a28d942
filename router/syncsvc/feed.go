package syncsvc

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
)

// feed is the newest document of a set, for all clients that follow it.
type feed struct {
	svc    *Service
	set    string
	client *flags.Client
	bytes  atomic.Int64 // of the newest message that was encoded; 0: none was
	times  atomic.Int64 // that one was encoded

	mu      sync.Mutex
	doc     *document
	changed chan struct{} // closed when there is a newer one

	encoding sync.Mutex // of what follows
	exporter exporter
	large    bool
}

// document is one snapshot, encoded when the first client is to be sent it.
type document struct {
	feed    *feed
	snap    *flags.Snapshot
	message func() (*wire.Shared, error)
}

// feedOf returns the feed of a set, which lasts as long as the client that holds it.
func (s *Service) feedOf(set string, client *flags.Client) *feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.feeds[set]
	if f == nil || f.client != client {
		f = &feed{svc: s, set: set, client: client, changed: make(chan struct{})}
		s.feeds[set] = f
		client.OnChange("", f.notice)
	}
	return f
}

// notice is told of each flag that has changed, after what holds them has.
func (f *feed) notice(flags.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.doc != nil && f.doc.snap != f.held() {
		f.doc = nil
		close(f.changed)
		f.changed = make(chan struct{})
	}
}

func (f *feed) held() *flags.Snapshot { return f.client.View(context.Background()).Snapshot() }

// newest returns the newest document, and what is closed when there is a newer one.
// The client never goes back, and it is looked at under the lock: nor do documents.
func (f *feed) newest() (*document, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if snap := f.held(); f.doc == nil || f.doc.snap != snap {
		doc := &document{feed: f, snap: snap}
		doc.message = sync.OnceValues(doc.encode)
		if f.doc != nil { // clients that have seen it are told, whoever looked first
			close(f.changed)
			f.changed = make(chan struct{})
		}
		f.doc = doc
	}
	return f.doc, f.changed
}

// encode makes the one message that all clients are sent.
func (d *document) encode() (*wire.Shared, error) {
	f := d.feed
	f.encoding.Lock()
	defer f.encoding.Unlock()
	text := f.exporter.document(d.snap)
	m, err := wire.NewShared(&pb.SyncFlagsResponse{FlagConfiguration: string(text), SyncContext: f.svc.context})
	if err != nil {
		return nil, wire.FromError(err)
	}
	f.bytes.Store(int64(m.Len()))
	f.times.Add(1)
	f.warn(m.Len())
	return m, nil
}

// warn says once that a set has become too large for clients as they come, and once
// that it has not been so any more.
func (f *feed) warn(size int) {
	if large := size > MaxClientBytes; large != f.large {
		f.large = large
		log := f.svc.opts.Logger.With(slog.String("set", f.set), slog.Int("bytes", size), slog.Int("limit", MaxClientBytes))
		if large {
			log.Warn("a set is too large for sync clients that were not told to take more; raise their limit or divide the set")
			return
		}
		log.Info("a set is small enough for all sync clients again")
	}
}

// Size is what clients of a set are sent with each change.
type Size struct {
	Set   string
	Bytes int // of the last message
	// Oversize: more than MaxClientBytes, so that clients must be told to take it.
	Oversize bool
	// Encodings is how many messages were encoded so far, for any number of clients.
	Encodings int
}

// Sizes returns the size of each set that was served, in no order.
func (s *Service) Sizes() []Size {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Size, 0, len(s.feeds))
	for set, f := range s.feeds {
		if n := int(f.bytes.Load()); n > 0 {
			out = append(out, Size{Set: set, Bytes: n, Oversize: n > MaxClientBytes, Encodings: int(f.times.Load())})
		}
	}
	return out
}
