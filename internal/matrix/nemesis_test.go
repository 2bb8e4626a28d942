package matrix_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
	"github.com/holdfast-flags/holdfast/internal/sabotage"
)

var nemesisSeed = flag.Uint64("nemesis.seed", 0, "replay one seed of TestNemesis instead of those it has")

const (
	day = 24 * time.Hour
	// settles is how long after the end of all faults a client may be behind: a breaker
	// that was opened again and again waits for 66 s before its probe.
	settles = 90 * time.Second
)

// TestNemesis breaks layers at random for a day, over and over, while clients read (with
// the race detector for two hours).
// A failing seed plays the same faults again with -nemesis.seed.
func TestNemesis(t *testing.T) {
	first, seeds := uint64(1), uint64(3)
	if os.Getenv("HOLDFAST_LONG") != "" {
		seeds = manySeeds
	}
	if *nemesisSeed != 0 {
		first, seeds = *nemesisSeed, 1
	}
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNemesis(t, seed, sabotage.Guards{})
				n.rage(dayOfFaults)
				n.leave()
				t.Logf("%d faults, %d writes, %d restarts, %d reads", n.faults, n.writes, n.restarts, n.reads)
				matrix.Tally(t, "F33", n.faults, 0) // a violation fails the test, and so counts
			})
		})
	}
}

// TestNemesisSeesBackwards is the twin: a client that takes older sets too is caught.
func TestNemesisSeesBackwards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNemesis(t, 1, sabotage.Guards{Version: true})
		n.rage(day / 4)
		n.leave()
		if n.violations == 0 {
			t.Error("nobody noticed that a client went back in time")
		}
	})
}

// nemesis draws what goes wrong from one source of chance. It runs in one goroutine, so
// that a seed is a list of faults at instants.
type nemesis struct {
	*rand.Rand
	t      *testing.T
	house  *rig.House
	opts   rig.ClientOptions
	client *rig.Client
	until  map[string]time.Time // when the fault of a layer ends
	seen   flags.Token          // what the client before the last restart answered from

	faults, writes, restarts, reads, violations int
}

func newNemesis(t *testing.T, seed uint64, without sabotage.Guards) *nemesis {
	n := &nemesis{
		Rand: rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // a seed must play the same again
		t:    t, house: rig.New(t, rig.Options{}), until: map[string]time.Time{},
	}
	n.opts = rig.ClientOptions{
		Dir: t.TempDir(), Pace: time.Second, Session: true,
		Without: without, Lenient: without != sabotage.Guards{},
		NoCache: n.one(8), NoSecondary: n.one(8),
	}
	n.client = n.house.Client(n.opts)
	return n
}

func (n *nemesis) one(of int) bool { return n.IntN(of) == 0 }

// rage does one thing after another for so long, and looks now and then whether
// everything is well again once nothing is wrong.
func (n *nemesis) rage(d time.Duration) {
	acts := []func(){n.write, n.write, n.hurt, n.hurt, n.hurt, n.hurtAll, n.lag, n.spoilCache, n.restart, n.settle}
	for end := time.Now().Add(d); time.Now().Before(end); {
		acts[n.IntN(len(acts))]()
		rig.Wait(n.between(100*time.Millisecond, 30*time.Minute))
		n.heal(time.Now())
	}
	n.settle()
}

// between draws a time, each order of magnitude as likely as another.
func (n *nemesis) between(low, high time.Duration) time.Duration {
	d := low
	for d < high && !n.one(8) {
		d *= 2
	}
	return min(d+time.Duration(n.Int64N(int64(d))), high)
}

func (n *nemesis) write() {
	for range 1 + n.IntN(3) {
		n.house.Write()
		n.writes++
	}
}

func (n *nemesis) hurt() {
	layer := []string{"primary", "secondary", "cache"}[n.IntN(3)]
	n.break1(layer, n.fault(layer), n.between(100*time.Millisecond, time.Hour))
}

func (n *nemesis) break1(layer string, f rig.Fault, d time.Duration) {
	n.faults++
	n.house.Layer(layer).Set(f)
	n.until[layer] = time.Now().Add(d)
}

// hurtAll is the common cause: whatever is remote, in the same way.
func (n *nemesis) hurtAll() {
	f, d := n.network(), n.between(time.Second, 2*time.Hour)
	for _, layer := range []string{"primary", "secondary", "cache"} {
		n.break1(layer, f, d)
	}
}

func (n *nemesis) fault(layer string) rig.Fault {
	if n.one(2) {
		return n.network()
	}
	switch {
	case layer == "cache":
		said := []string{"LOADING", "READONLY", "OOM", "BUSY", "MISCONF", "CLUSTERDOWN", "MASTERDOWN", "NOAUTH", "ERR"}
		return rig.Replies(said[n.IntN(len(said))] + " as told")
	case n.one(2):
		codes := []codes.Code{codes.Unavailable, codes.Internal, codes.Unknown, codes.ResourceExhausted, codes.DeadlineExceeded,
			codes.Aborted, codes.DataLoss, codes.Unimplemented, codes.Unauthenticated, codes.PermissionDenied, codes.NotFound}
		return rig.Says(codes[n.IntN(len(codes))])
	default:
		return rig.Fault{Wait: n.between(time.Millisecond, 3*time.Second), Between: n.between(time.Millisecond, 20*time.Second)}
	}
}

func (n *nemesis) network() rig.Fault {
	switch n.IntN(7) {
	case 0:
		return rig.Refused
	case 1:
		return rig.Hanging
	case 2:
		return rig.Reset
	case 3:
		return rig.Deaf
	case 4:
		return rig.Mute
	case 5:
		return rig.CutAfter(1 + n.Int64N(4096))
	default:
		slow := faultnet.Path{Delay: n.between(time.Millisecond, 2*time.Second), Jitter: n.between(time.Millisecond, time.Second)}
		return rig.Fault{Net: faultnet.Faults{Up: slow, Down: slow}}
	}
}

// lag keeps the secondary behind until everything settles, or lets it catch up.
func (n *nemesis) lag() {
	n.faults++
	hold := n.one(2)
	n.house.Secondary.Hold(hold)
	if !hold {
		n.house.Feed()
	}
}

// spoilCache does to Redis what operators and other programs do.
func (n *nemesis) spoilCache() {
	n.faults++
	server := n.house.Cache.Miniredis
	switch n.IntN(3) {
	case 0:
		server.FlushAll()
	case 1:
		keys := server.Keys()
		if len(keys) > 0 {
			server.Del(keys[n.IntN(len(keys))])
		}
	default:
		for _, key := range server.Keys() {
			server.Del(key)
			_ = server.Set(key, "not ours") // the key is free
		}
	}
}

// restart ends the client and starts it again. Whoever restarts cleanly does not go back.
func (n *nemesis) restart() {
	n.leave()
	n.restarts++
	n.client = n.house.Client(n.opts)
	if got := n.client.Token(context.Background()); got.Before(n.seen.Version) && !n.opts.Lenient {
		n.t.Errorf("after a restart %v, %v before", got, n.seen)
	}
}

func (n *nemesis) leave() {
	n.seen = n.client.Token(context.Background())
	n.client.Stop()
	r := n.client.Report()
	n.reads += r.Reads
	n.violations += r.Violations()
	if r.Defaults > 0 && n.restarts > 0 {
		n.t.Errorf("%d reads got their defaults though there is a file", r.Defaults)
	}
}

// heal ends the faults whose time has come.
func (n *nemesis) heal(now time.Time) {
	for layer, until := range n.until {
		if !now.Before(until) {
			n.house.Layer(layer).Set(rig.Healthy)
			delete(n.until, layer)
		}
	}
}

// settle ends all faults, and waits for the client to be what it is on a good day.
func (n *nemesis) settle() {
	n.house.SetAll(rig.Healthy)
	clear(n.until)
	n.house.Secondary.Hold(false)
	n.house.Feed()
	n.house.Write()
	n.writes++
	began := time.Now()
	for !(n.client.Current() && n.client.Streaming() && n.client.From("primary")) {
		if time.Since(began) > settles {
			n.t.Errorf("not settled %v after all faults, newest is %v: %s", settles, n.house.Newest(), describe(n.client))
			return
		}
		rig.Wait(100 * time.Millisecond)
	}
}

func describe(c *rig.Client) string {
	s := c.Status()
	var text strings.Builder
	fmt.Fprintf(&text, "%v from %s, %v", s.Token, s.Layer, s.Freshness)
	for _, l := range s.Layers {
		fmt.Fprintf(&text, "; %s: %s, breaker %v for %v, %s", l.Name, l.State, l.Breaker, l.NextTry, l.LastError)
	}
	return text.String()
}
