package ofrep

import (
	"math"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxClients is for how many clients of late a rate is kept, twice over. Beyond it
// those unseen for longest begin anew, with a full burst.
const maxClients = 8192

// client is whom requests are counted for: an API key, or else an address. Of IPv6 the
// network counts, as one machine may have all its addresses.
type client struct {
	key     string
	address netip.Addr
}

func addressOf(remote string) (c client) {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return c // within this process: all are one
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return c
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		network, _ := a.Prefix(64) // an IPv6 address has 64 bits
		a = network.Addr()
	}
	c.address = a
	return c
}

// limiter lets each client have so many requests a second, in bursts of up to a
// second's worth. Two maps keep it small without a clock or a list: when the young one
// is full it becomes the old one, and who comes again moves over.
type limiter struct {
	rate  rate.Limit
	burst int

	mu         sync.Mutex
	young, old map[client]*rate.Limiter
}

func newLimiter(perSecond float64) *limiter {
	if perSecond <= 0 {
		return nil
	}
	return &limiter{rate: rate.Limit(perSecond), burst: max(1, int(math.Ceil(perSecond))), young: map[client]*rate.Limiter{}}
}

// take takes one request of a client's share, or returns how long there is none.
func (l *limiter) take(c client, now time.Time) (wait time.Duration) {
	reserved := l.of(c).ReserveN(now, 1)
	if wait = reserved.DelayFrom(now); wait > 0 {
		reserved.CancelAt(now)
	}
	return wait
}

func (l *limiter) of(c client) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r, ok := l.young[c]; ok {
		return r
	}
	r, ok := l.old[c]
	if !ok {
		r = rate.NewLimiter(l.rate, l.burst)
	}
	if len(l.young) >= maxClients {
		l.old, l.young = l.young, make(map[client]*rate.Limiter, 64)
	}
	l.young[c] = r
	return r
}
