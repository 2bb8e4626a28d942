package standard

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
)

// leadTime is how long clients that start together wait for the first of them to
// fill the memory they share, before each asks the primary for itself.
const leadTime = 800 * time.Millisecond

// memories are the memory caches of the process. Clients that read the same things
// as the same user share one, so that ten of them load a set once.
var memories = pool{open: map[string]*sharedMemory{}}

type pool struct {
	mu   sync.Mutex
	open map[string]*sharedMemory
}

// sharedMemory is a memory cache with the number of clients that use it.
type sharedMemory struct {
	cachestrategy.Strategy
	users int

	mu      sync.Mutex
	filling map[string]chan struct{} // set -> closed once somebody has put it, or was given up
}

// shareable reports whether other clients of the process may share the memory of
// this one. A flagd file has another lineage each time it is opened, and where Dial
// leads is not known from an address.
func (c *Config) shareable(name string) bool {
	return c.Strategies[name] == nil && c.Dial == nil && !strings.HasPrefix(c.Primary, "file:") && !strings.HasPrefix(c.Secondary, "file:")
}

// memoryKey names what may share a memory: those who read the same things as the same
// user. What one may read, another may not.
func (c *Config) memoryKey() string {
	user := []string{c.APIKey, c.APIKeyFile, c.TLSCert, fmt.Sprintf("%p", c.TLS)} // a certificate is a user, too
	return strings.Join(append([]string{c.Primary, c.Secondary, c.Cache}, user...), "\n")
}

// get returns the memory of clients with this configuration.
func (p *pool) get(c *Config, url string) (*memoryUser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := c.memoryKey()
	m := p.open[key]
	if m == nil {
		cache, err := memorycache.Open(url)
		if err != nil {
			return nil, err
		}
		m = newSharedMemory(cache)
		p.open[key] = m
	}
	m.users++
	return &memoryUser{sharedMemory: m, leave: sync.OnceValue(func() error { return p.leave(key, m) })}, nil
}

func (p *pool) leave(key string, m *sharedMemory) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.users--; m.users > 0 {
		return nil
	}
	delete(p.open, key)
	return m.Close()
}

func newSharedMemory(s cachestrategy.Strategy) *sharedMemory {
	return &sharedMemory{Strategy: s, filling: map[string]chan struct{}{}}
}

// memoryUser is the part of a shared memory that one client has.
type memoryUser struct {
	*sharedMemory
	leave func() error
}

// Close gives up this client's part; the last one frees the memory.
func (u *memoryUser) Close() error { return u.leave() }

// near returns the memory as a tier below another: who finds nothing in it does not
// wait for somebody to fill it.
func (u *memoryUser) near() cachestrategy.Strategy { return nearUser{u.Strategy, u.leave} }

type nearUser struct {
	cachestrategy.Strategy
	leave func() error
}

// Close gives up this client's part.
func (u nearUser) Close() error { return u.leave() }

// Get waits, where nobody has the set but a client before this one is loading it.
func (m *sharedMemory) Get(ctx context.Context, q cachestrategy.Query) (cachestrategy.Entry, error) {
	e, err := m.Strategy.Get(ctx, q)
	if !missed(err) {
		return e, err
	}
	filled := m.lead(q.Set)
	if filled == nil {
		return e, err // this client is the first
	}
	select {
	case <-filled:
		return m.Strategy.Get(ctx, q)
	case <-ctx.Done():
		return e, err
	}
}

// lead makes the caller the one who fills a set, and returns nil; or it returns
// what to wait for. Nobody leads for longer than leadTime.
func (m *sharedMemory) lead(set string) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if filled := m.filling[set]; filled != nil {
		return filled
	}
	filled := make(chan struct{})
	m.filling[set] = filled
	time.AfterFunc(leadTime, func() { m.done(set, filled) })
	return nil
}

func (m *sharedMemory) done(set string, filled chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.filling[set] == filled {
		delete(m.filling, set)
		close(filled)
	}
}

// Put tells those who wait.
func (m *sharedMemory) Put(ctx context.Context, o cachestrategy.Offer) (cachestrategy.Outcome, error) {
	outcome, err := m.Strategy.Put(ctx, o)
	m.mu.Lock()
	filled := m.filling[o.Head.Set]
	m.mu.Unlock()
	if filled != nil {
		m.done(o.Head.Set, filled)
	}
	return outcome, err
}
