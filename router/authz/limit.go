package authz

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of failed logins: from one address so many at once, and then one each pause.
const (
	failedBurst = 10
	failedPause = 6 * time.Second
	failedMost  = 4096 // addresses that are told apart
)

// failures limits failed logins by address. Good credentials are not held up by the bad
// ones of a neighbour: a limit that locks out is an attack of its own.
type failures struct {
	mu    sync.Mutex
	by    map[netip.Prefix]*rate.Limiter
	other *rate.Limiter // of all addresses that are too many to tell apart
	swept time.Time     // so that who comes from everywhere cannot make this busy
}

func newFailures() *failures {
	return &failures{by: map[netip.Prefix]*rate.Limiter{}, other: newFailureLimit()}
}

func newFailureLimit() *rate.Limiter { return rate.NewLimiter(rate.Every(failedPause), failedBurst) }

// failed counts a failed login and returns err, or a LimitError instead where there were
// too many. An attacker has a whole network of IPv6 addresses, so that counts as one.
func (f *failures) failed(address string, err error) error {
	from, ok := origin(address)
	if !ok {
		return err // within this process
	}
	if after := take(f.of(from)); after > 0 {
		return &LimitError{What: "failed logins from this address", After: after}
	}
	return err
}

func origin(address string) (netip.Prefix, bool) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Prefix{}, false
	}
	ip := at.Addr().Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	return p, err == nil
}

func (f *failures) of(from netip.Prefix) *rate.Limiter {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l := f.by[from]; l != nil {
		return l
	}
	if now := time.Now(); len(f.by) >= failedMost && now.Sub(f.swept) > failedPause {
		f.swept = now
		for p, l := range f.by {
			if l.Tokens() >= failedBurst {
				delete(f.by, p) // as good as new
			}
		}
	}
	if len(f.by) >= failedMost {
		return f.other
	}
	l := newFailureLimit()
	f.by[from] = l
	return l
}

// take takes one from a limit, or returns how long until there is one.
func take(l *rate.Limiter) time.Duration {
	if l == nil || l.Allow() {
		return 0
	}
	r := l.Reserve()
	defer r.Cancel()
	return max(r.Delay(), time.Millisecond)
}
