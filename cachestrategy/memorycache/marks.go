package memorycache

import (
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// marks remembers the newest version that the cache had of each set, for longer
// than the set itself: without it, a slow writer could bring back an old version
// after the newer one was dropped.
type marks struct {
	keep time.Duration

	mu    sync.Mutex
	heads map[string]mark
	sweep int // size from which to look for forgettable ones
}

type mark struct {
	head   flags.Head
	raised time.Time
}

func (m *marks) get(set string) flags.Head {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.heads[set].head
}

// raise is called under the lock of the set's key, after the guard.
func (m *marks) raise(h flags.Head) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.heads == nil {
		m.heads = map[string]mark{}
	}
	m.heads[h.Set] = mark{h, now}
	if len(m.heads) < max(m.sweep, 1024) {
		return
	}
	for set, k := range m.heads {
		if now.Sub(k.raised) > m.keep {
			delete(m.heads, set)
		}
	}
	m.sweep = 2 * len(m.heads) // a sweep costs what grew since the last one
}
