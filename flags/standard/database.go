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

// database is an opened one: coalesced, behind its bulkhead.
type database struct {
	origin
	guarded flags.Source
	users   int
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
	p.mu.Lock()
	defer p.mu.Unlock()
	key, address := fmt.Sprint(url, "\n", timeout), redact.URL(url)
	d := p.open[key]
	if d == nil {
		o, err := open()
		if err != nil {
			return nil, err
		}
		s := p.slots[address]
		if s == nil {
			s = &slots{Slots: store.NewSlots(nil)}
			p.slots[address] = s
		}
		s.users++
		d = &database{origin: o, guarded: store.Coalesce(store.Bulkhead(o, s.Slots), nil)}
		p.open[key] = d
	}
	d.users++
	return &databaseUser{database: d, leave: sync.OnceValue(func() error { return p.leave(key, address) })}, nil
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
