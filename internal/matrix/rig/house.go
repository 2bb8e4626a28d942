package rig

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
)

// Set is the flag set of a house.
const Set = "default"

// Options describe a house. The zero value has every layer, and one small set.
type Options struct {
	// Primary is the protocol of the primary: grpc or rest. Default grpc.
	Primary string
	// Bytes is added to the set, in flags of a megabyte that do not compress.
	Bytes int
}

// House is the layers that clients are in front of. Its methods are safe for
// concurrent use, but New is called inside the bubble.
type House struct {
	Primary, Secondary *Router
	Cache              *Redis

	tb      testing.TB
	primary string            // URL
	cache   string            // URL
	base    map[string]string // goroutines of the house itself
	clients atomic.Int32      // that are open

	mu        sync.Mutex
	committed map[flags.Version]int64 // what was written with each commit
	newest    flags.Token
	n         int64
}

// Redis is a cache server, and the way there.
type Redis struct {
	*miniredis.Miniredis
	Link *faultnet.Proxy

	tb    testing.TB
	fault atomic.Pointer[Fault]
}

// Set replaces what is wrong with Redis.
func (r *Redis) Set(f Fault) {
	r.tb.Helper()
	r.fault.Store(&f)
	r.SetError(f.Reply)
	setLink(r.tb, r.Link, f.Net)
}

// Stamp makes the entry of the set one that was written as of an instant, as by a
// machine with another clock.
func (r *Redis) Stamp(asOf time.Time) {
	r.tb.Helper()
	for _, key := range r.Keys() {
		if strings.HasSuffix(key, ":entry") {
			r.HSet(key, "asof", strconv.FormatInt(asOf.UnixMicro(), 10), "end", strconv.FormatInt(asOf.Add(time.Minute).UnixMicro(), 10))
			return
		}
	}
	r.tb.Error("rig: there is no entry to stamp")
}

var houses atomic.Int64

// New returns a house in good health, with a set that has been written once.
func New(tb testing.TB, o Options) *House {
	tb.Helper()
	quieten()
	h := &House{tb: tb, Primary: newRouter(tb), Secondary: newRouter(tb), committed: map[flags.Version]int64{}}
	// Clients of a process share a memory below the same Redis: those of two houses must not, whose times differ.
	h.cache = fmt.Sprintf("redis://cache:6379?prefix=house%d", houses.Add(1))
	switch o.Primary {
	case "", "grpc":
		h.primary = "grpc://primary:8015"
		h.Primary.serveGRPC()
	case "rest":
		h.primary = "rest+http://primary:8016"
		h.Primary.serveREST()
	default:
		tb.Fatalf("rig: no primary over %q", o.Primary)
	}
	h.Secondary.serveGRPC()
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	h.Cache = &Redis{Miniredis: server, tb: tb, Link: faultnet.Wrap(func(context.Context) (net.Conn, error) { return server.Dial() })}
	h.Cache.fault.Store(&Fault{})
	tb.Cleanup(func() {
		_ = h.Cache.Link.Close() // nothing can be wrong with closing pipes
		server.Close()
	})
	h.commit(flags.OpCreate, filling(o.Bytes)...)
	for _, r := range []*Router{h.Primary, h.Secondary} { // what routers start once is not a client's
		if _, err := r.hub.Open(context.Background(), Set); err != nil {
			tb.Fatal(err)
		}
	}
	h.base = goroutines()
	return h
}

// filling is flags of so many bytes.
func filling(size int) (changes []flags.Mutation) {
	for i := 0; size > 0; i++ {
		random := make([]byte, min(size, 1_000_000)/2)
		_, _ = rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)}).Read(random) // never fails
		text := fmt.Appendf(nil, `{"defaultVariant":"v","description":"%x","state":"ENABLED","variants":{"v":1}}`, random)
		changes = append(changes, flags.Mutation{Key: flags.FlagKey(fmt.Sprintf("fill%d", i)), Bytes: text})
		size -= 1_000_000
	}
	return changes
}

// Write writes a value that was never there before, as one commit that changes two
// flags, and brings it to the secondary unless that is held. It returns the commit's token.
func (h *House) Write() flags.Token {
	h.tb.Helper()
	return h.commit(flags.OpChange)
}

func (h *House) commit(op flags.Op, more ...flags.Mutation) flags.Token {
	h.tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.n++
	text := value(h.n)
	changes := append(slices.Clone(more), flags.Mutation{Key: flags.FlagKey(left), Bytes: text}, flags.Mutation{Key: flags.FlagKey(right), Bytes: text})
	return h.apply(flags.Commit{Set: Set, ID: flags.NewCommitID(), Op: op, Changes: changes}, h.n)
}

// value is a flag that is n.
func value(n int64) []byte {
	return fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, n)
}

// apply commits what makes both flags n. The caller holds the lock.
func (h *House) apply(c flags.Commit, n int64) flags.Token {
	h.tb.Helper()
	c, err := h.Primary.Store.Apply(context.Background(), c)
	if err != nil {
		h.tb.Fatal(err)
	}
	h.committed[c.Version] = n
	h.newest = c.Head().Token()
	if !h.Secondary.held.Load() {
		h.Secondary.feed(h.Primary.Store)
	}
	return h.newest
}

// Restore ends the epoch of the set and begins the next with what its first version
// had, as a restore from a backup does. It returns the token of the new epoch.
func (h *House) Restore() flags.Token {
	h.tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.apply(flags.Commit{Set: Set, ID: flags.NewCommitID(), Op: flags.OpSeal}, h.n) // what there is stays until the next epoch
	text := value(1)
	return h.apply(flags.Commit{Set: Set, ID: flags.NewCommitID(), Op: flags.OpCreate, Changes: []flags.Mutation{
		{Key: flags.FlagKey(left), Bytes: text}, {Key: flags.FlagKey(right), Bytes: text},
	}}, 1)
}

// Feed brings the secondary up to the primary.
func (h *House) Feed() {
	h.tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Secondary.feed(h.Primary.Store)
}

// Newest returns the token of the newest commit.
func (h *House) Newest() flags.Token {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.newest
}

// value returns what was written with the commit at a version.
func (h *House) value(v flags.Version) (int64, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, ok := h.committed[v]
	return n, ok
}

// SetAll replaces what is wrong with every layer but the disk.
func (h *House) SetAll(f Fault) {
	h.tb.Helper()
	h.Primary.Set(f)
	h.Secondary.Set(f)
	h.Cache.Set(f)
}

// Layer returns the layer of a name, for scenarios that draw one.
func (h *House) Layer(name string) interface{ Set(Fault) } {
	switch name {
	case "primary":
		return h.Primary
	case "secondary":
		return h.Secondary
	case "cache":
		return h.Cache
	default:
		h.tb.Fatalf("rig: no layer %q", name)
		return nil
	}
}

// dial is the network of the house.
func (h *House) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, _, _ := strings.Cut(address, ":")
	switch host {
	case "primary":
		return h.Primary.Link.Dial(ctx)
	case "secondary":
		return h.Secondary.Link.Dial(ctx)
	case "cache":
		return h.Cache.Link.Dial(ctx)
	default:
		return nil, &net.DNSError{Err: errNoHost.Error(), Name: host, IsNotFound: true}
	}
}

var errNoHost = errors.New("no such host in this house")

// Wait lets so much time pass.
func Wait(d time.Duration) { <-time.After(d) }
