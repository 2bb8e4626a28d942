// Package hub keeps the flag sets of a router's store at hand, in the order of
// their revisions, for whoever follows them: client streams, mirrors, caches.
//
// Each set has one follower, which reads the store's watch stream, checks every
// commit against the digest and appends it to a store.Feed. Readers of the feed
// share its encoded bytes and hold no queue, so a slow one delays nobody.
package hub

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/holdfast-flags/holdfast/flags"
)

// Store is what a hub follows.
type Store interface {
	flags.Source
	flags.Watcher
}

// Hub follows the sets of a store. Make one with New.
type Hub struct {
	store  Store
	log    *slog.Logger
	cancel context.CancelFunc
	done   sync.WaitGroup
	nextID atomic.Uint64

	mu      sync.Mutex
	ctx     context.Context // of the followers; ends with the hub
	closed  bool
	sets    map[string]*Set
	awaited map[string]*awaited
}

var errClosed = &flags.SourceError{Class: flags.ClassTransient, Op: "hub", Err: errors.New("router is shutting down")}

// New returns a hub over st; log may be nil. It follows a set once somebody asks for it.
func New(st Store, log *slog.Logger) *Hub {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Hub{store: st, log: log, ctx: ctx, cancel: cancel, sets: map[string]*Set{}, awaited: map[string]*awaited{}}
}

// Open returns a set, following it from now on. It waits until the set is
// loaded or ctx ends. The error is the store's where there is no such set.
func (h *Hub) Open(ctx context.Context, name string) (*Set, error) {
	s, ok := h.find(name)
	if !ok {
		// Only sets that exist are followed, so that made-up names cost nothing.
		if _, err := h.store.Head(ctx, name); err != nil {
			return nil, err
		}
		if s = h.follow(name); s == nil {
			return nil, errClosed
		}
	}
	select {
	case <-s.loaded:
		return s, nil
	case <-ctx.Done():
		return nil, &flags.SourceError{Class: flags.ClassTransient, Op: "hub: open " + name, Err: context.Cause(ctx)}
	case <-h.ctx.Done():
		return nil, errClosed
	}
}

func (h *Hub) find(name string) (*Set, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.sets[name]
	return s, ok
}

func (h *Hub) follow(name string) *Set {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	if s := h.sets[name]; s != nil {
		return s
	}
	if s := h.adopt(name); s != nil {
		return s
	}
	s := newSet(h, name)
	h.sets[name] = s
	h.done.Go(func() { s.run(h.ctx) })
	return s
}

// spawn runs f in a goroutine that Close waits for; false once closed.
func (h *Hub) spawn(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.done.Go(f)
	return true
}

// Sets returns the sets followed now, by name, loaded ones only.
func (h *Hub) Sets() []*Set {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*Set, 0, len(h.sets))
	for _, s := range h.sets {
		if s.isLoaded() {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *Set) int { return strings.Compare(a.name, b.name) })
	return out
}

// Close stops following and ends what reads from the feeds. It is idempotent.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.cancel()
	h.done.Wait()
}
