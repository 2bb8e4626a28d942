package flags_test

import (
	"context"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

const cacheWriters = 3

// fleet is many clients of one primary, one secondary and one cache, of which some were
// there from the start and some begin while the flag is toggled.
type fleet struct {
	t                  *testing.T
	primary, secondary *fault
	cache              flags.Layer
	sabotage           func(flags.Options) flags.Options

	clients    []*flags.Client
	seen       []flags.Version
	inversions int
}

func newFleet(t *testing.T, cache flags.Layer, sabotage func(flags.Options) flags.Options) *fleet {
	f := &fleet{t: t, cache: cache, sabotage: sabotage, primary: newFault(memstore.New(nil)), secondary: newFault(memstore.New(nil))}
	t.Cleanup(func() { closed(t, f.primary.store); closed(t, f.secondary.store) })
	create(t, f.primary.store)
	mirror(t, f.primary.store, f.secondary.store)
	return f
}

// join opens a client. Its first answer is no older than what everybody else has by then.
func (f *fleet) join() {
	o := flags.Options{
		Primary: flags.Layer{Source: f.primary, Watcher: f.primary, Gate: newGate("primary", nil)}, Cache: f.cache,
		Secondary: flags.Layer{Source: f.secondary, Gate: newGate("secondary", nil)},
	}
	if len(f.clients) >= cacheWriters {
		o.Cache.Sink = nil // one who fills the cache does as well as fifty, and sooner
	}
	if f.sabotage != nil {
		o = f.sabotage(o)
	}
	var newest flags.Version
	for _, v := range f.seen {
		if newest.Before(v) {
			newest = v
		}
	}
	f.clients, f.seen = append(f.clients, open(f.t, o)), append(f.seen, newest)
}

// look reads in every process and counts what is older than before.
func (f *fleet) look() {
	for i, c := range f.clients {
		v := c.BoolDetails(f.t.Context(), "beta", anyone, false).Token().Version
		if v.Before(f.seen[i]) {
			f.inversions++
		}
		f.seen[i] = v
	}
}

func (f *fleet) converged() bool {
	head, err := f.primary.store.Head(f.t.Context(), "default")
	if err != nil {
		f.t.Fatal(err)
	}
	for _, c := range f.clients {
		if c.Token(f.t.Context()) != head.Token() {
			return false
		}
	}
	return true
}

// toggle runs the scenario: every so often the primary is away for long enough that
// all turn to the secondary, which lags; every so often a process begins cold.
func (f *fleet) toggle(clients, toggles int) {
	for range clients / 2 {
		f.join()
	}
	for i := range toggles {
		apply(f.t, f.primary.store, flags.OpChange, putFlag("beta", []string{onFlag, switchFlag}[i%2]))
		time.Sleep(time.Millisecond)
		f.look()
		if len(f.clients) < clients && i%(toggles/clients) == 0 {
			if f.sabotage == nil {
				waitFor(f.t, time.Second, "everybody at the newest", f.converged)
			}
			f.join()
			f.look()
		}
		if i%(toggles/4) == toggles/8 {
			f.outage()
		}
	}
	if f.sabotage == nil {
		waitFor(f.t, time.Second, "everybody at the newest", f.converged)
	}
}

func (f *fleet) outage() {
	f.primary.set(refuse)
	for range 10 {
		time.Sleep(time.Second)
		f.look()
	}
	f.primary.set(nil)
	waitFor(f.t, 75*time.Second, "all streams again", func() bool {
		f.look()
		for _, c := range f.clients {
			if s, _ := c.Status().ByName("primary"); s.State != "streaming" {
				return false
			}
		}
		return true
	})
}

// virtualRedis is a cache in Redis, in virtual time.
func virtualRedis(t *testing.T) cachestrategy.Strategy {
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	t.Cleanup(server.Close)
	s, err := rediscache.Open("redis://virtual", &rediscache.Options{Dial: func(context.Context, string, string) (net.Conn, error) { return server.Dial() }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNoFlipBack: one flag, toggled a thousand times, read by fifty processes through
// every layer, half of them begun in the middle of it. Nobody ever reads an older value than
// before, not while warming up either, and all have the newest within a second.
func TestNoFlipBack(t *testing.T) {
	const processes = 50
	toggles := map[string]int{"memory": 1000, "redis": 200} // miniredis runs scripts slowly
	if os.Getenv("HOLDFAST_LONG") != "" {
		toggles["redis"] = 1000
	}
	for name, build := range map[string]func(*testing.T) cachestrategy.Strategy{
		"memory": func(*testing.T) cachestrategy.Strategy { return memorycache.New(nil) },
		"redis":  virtualRedis,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := build(t)
				t.Cleanup(func() { closed(t, s) })
				layer := cachestrategy.NewLayer(s, &cachestrategy.LayerOptions{Authoritative: func(flags.Lineage) bool { return true }})
				f := newFleet(t, flags.Layer{Source: layer, Sink: layer}, nil)
				f.toggle(processes, toggles[name])
				if f.inversions > 0 || len(f.clients) != processes {
					t.Errorf("%d inversions in %d processes", f.inversions, len(f.clients))
				}
				matrix.Tally(t, "G1", processes*toggles[name], f.inversions)
				matrix.Tally(t, "G3", toggles[name], 0)
			})
		})
	}
	t.Run("without streams", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, flags.Layer{}, func(o flags.Options) flags.Options { o.Primary.Watcher = nil; return o })
			f.join()
			apply(t, f.primary.store, flags.OpChange, putFlag("beta", onFlag))
			time.Sleep(time.Second)
			if f.converged() {
				t.Error("all had the newest within a second: this test could not notice a stream that is missing")
			}
		})
	})
	t.Run("sabotaged", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, flags.Layer{}, flags.WithoutVersionGuard)
			f.toggle(10, 80)
			if f.inversions == 0 {
				t.Error("without the guard nothing went back: this test could not notice")
			}
		})
	})
}
