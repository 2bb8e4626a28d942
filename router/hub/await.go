package hub

import (
	"context"

	"github.com/holdfast-flags/holdfast/flags"
)

// Bounds of how many names of sets that are not there are awaited at a time. Each
// costs a stream of the store; who comes too late asks again by himself.
const (
	mostAwaited   = 64
	mostAwaitedBy = 16 // by one client
)

// awaited is a set that is not there yet, with those who wait for it. It is
// followed like any other, and given up when nobody waits any more.
type awaited struct {
	set    *Set
	cancel context.CancelFunc
	by     map[string]int // client -> how many waits
}

// Await follows a set that is not there from now on, on behalf of a client, by whom
// the names are counted. Once created is closed, Open returns the set. The caller must
// call leave after that, or when it does not wait any more. ok is false where no more names may be awaited.
func (h *Hub) Await(name, client string) (created <-chan struct{}, leave func(), ok bool) {
	if flags.CheckSetName(name) != nil {
		return nil, nil, false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.sets[name]; s != nil {
		return s.loaded, func() {}, true // created a moment ago
	}
	a := h.awaited[name]
	if h.closed || a == nil && len(h.awaited) >= mostAwaited || (a == nil || a.by[client] == 0) && h.awaitedBy(client) >= mostAwaitedBy {
		return nil, nil, false
	}
	if a == nil {
		ctx, cancel := context.WithCancel(h.ctx)
		a = &awaited{set: newSet(h, name), cancel: cancel, by: map[string]int{}}
		h.awaited[name] = a
		h.done.Go(func() { a.set.run(ctx) })
	}
	a.by[client]++
	return a.set.loaded, func() { h.leave(name, client, a) }, true
}

func (h *Hub) awaitedBy(client string) (n int) {
	for _, a := range h.awaited {
		if a.by[client] > 0 {
			n++
		}
	}
	return n
}

func (h *Hub) leave(name, client string, a *awaited) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.by[client]--; a.by[client] == 0 {
		delete(a.by, client)
	}
	if len(a.by) == 0 && h.awaited[name] == a {
		delete(h.awaited, name)
		a.cancel()
	}
}

// adopt makes an awaited set one that is followed for good, now that it is there.
func (h *Hub) adopt(name string) *Set {
	a := h.awaited[name]
	if a == nil {
		return nil
	}
	delete(h.awaited, name)
	h.sets[name] = a.set
	return a.set
}
