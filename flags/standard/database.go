package standard

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/redact"
	"github.com/holdfast-flags/holdfast/store"
)

// databases are those that the process reads from, primary or secondary alike.
var databases = databasePool{open: map[string]*database{}, slots: map[string]*slots{}}

// databasePool shares what stands before a database between the clients of the
// process: connections and coalesced calls where they read with the same URL, and
// the bulkhead where it is the same server, whoever they are to it.
type databasePool struct {
	mu    sync.Mutex
	open  map[string]*database // by URL and budget
	slots map[string]*slots    // by URL without credentials
}

type slots struct {
	*store.Slots
	users int
}

// database is one that clients share, coalesced, behind its bulkhead. The first of
// them opens it while the others wait.
type database struct {
	users  int // guarded by the pool
	opened sync.Once
	err    error
	origin
	guarded flags.Source
}

// databaseUser is the part of a shared database that one client has.
type databaseUser struct {
	*database
	leave func() error
}

func (u *databaseUser) Head(ctx context.Context, set string) (flags.Head, error) {
	return u.guarded.Head(ctx, set)
}

func (u *databaseUser) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	return u.guarded.Fetch(ctx, set, have)
}

// Close gives up this client's part; the last one closes the connections.
func (u *databaseUser) Close() error { return u.leave() }

func (p *databasePool) get(url string, timeout time.Duration, open func() (origin, error)) (*databaseUser, error) {
	key, address := fmt.Sprint(url, "\n", timeout), redact.URL(url)
	d, slots := p.join(key, address)
	d.opened.Do(func() { // not under the pool's lock: the DNS may take seconds over a name
		if d.origin, d.err = open(); d.err == nil {
			d.guarded = store.Coalesce(store.Bulkhead(d.origin, slots), nil)
		}
	})
	if d.err != nil {
		p.drop(key, address)
		return nil, d.err
	}
	return &databaseUser{database: d, leave: sync.OnceValue(func() error { return p.leave(key, address) })}, nil
}

// join adds a user to a database, and returns the bulkhead that stands before it.
func (p *databasePool) join(key, address string) (*database, *store.Slots) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.slots[address]
	if s == nil {
		s = &slots{Slots: store.NewSlots(nil)}
		p.slots[address] = s
	}
	d := p.open[key]
	if d == nil {
		d = &database{}
		p.open[key] = d
		s.users++
	}
	d.users++
	return d, s.Slots
}

func (p *databasePool) leave(key, address string) error {
	if d := p.drop(key, address); d != nil {
		return d.Close()
	}
	return nil
}

// drop takes one user away. It returns what nobody uses any more.
func (p *databasePool) drop(key, address string) *database {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.open[key]
	if d.users--; d.users > 0 {
		return nil
	}
	delete(p.open, key)
	if s := p.slots[address]; s.users > 1 {
		s.users--
	} else {
		delete(p.slots, address)
	}
	return d
}
