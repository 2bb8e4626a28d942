package matrix_test

import (
	"context"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
)

var long = os.Getenv("HOLDFAST_LONG") != ""

// manyTimes is how often a primary stumbles, or answers no in each way.
func manyTimes() int {
	if long {
		return 1000
	}
	return 200
}

// protocol is how clients talk to the primary.
type protocol struct {
	name   string
	budget time.Duration // to the first answer
}

var protocols = []protocol{{"grpc", time.Second}, {"rest", 5 * time.Second}}

// house builds one whose primary speaks p.
func (p protocol) house(t *testing.T) *rig.House { return rig.New(t, rig.Options{Primary: p.name}) }

// A scenario returns how many faults it tried.
type scenario func(*testing.T, protocol) int

// TestPrimary is what may happen to the primary, over each protocol.
func TestPrimary(t *testing.T) {
	for id, run := range map[string]scenario{
		"F1": refuses, "F2": hangs, "F3": cuts, "F4": slow, "F5": stumbles, "F6": callersLeave, "F7": answersNo, "F8": downForLong,
		"F9": probeHangs, "F10": comesBack, "F30": flaps, "F31": hasNoSet, "F32": denies,
	} {
		for _, p := range protocols {
			t.Run(id+"/"+p.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { matrix.Tally(t, id, run(t, p), 0) })
			})
		}
	}
}

// warm opens a client that has been in good health for a while, so that the secondary has been tried out.
func warm(h *rig.House, o rig.ClientOptions) *rig.Client {
	c := h.Client(o)
	rig.Wait(time.Minute)
	return c
}

func refuses(t *testing.T, p protocol) int {
	h := p.house(t)
	c := warm(h, rig.ClientOptions{Dir: t.TempDir(), Readers: 3})
	began, dials := time.Now(), h.Primary.Link.Stats().Dials
	h.Primary.Set(rig.Refused)
	h.Write()
	c.Await(12*time.Second, "the new value through the secondary", c.Current)
	rig.Wait(time.Until(began.Add(15 * time.Second)))
	wantOpened(t, c, "primary", 4)
	if n := c.Calls("primary", "", began); n != 4 {
		t.Errorf("%d calls of the primary in 15 s, want 4", n)
	}
	if n := h.Primary.Link.Stats().Dials - dials; n > 14 {
		t.Errorf("%d dials in 15 s", n)
	}
	began = time.Now()
	cold := h.Client(rig.ClientOptions{NoCache: true})
	cold.Await(1200*time.Millisecond-time.Since(began), "the secondary", func() bool { return cold.From("secondary") && cold.Current() })
	return 2
}

// wantOpened: the breaker of a layer opened once, after so many failures in a row.
func wantOpened(t *testing.T, c *rig.Client, layer string, failures int) {
	t.Helper()
	trips := c.Trips(layer)
	if len(trips) == 0 || trips[0].Failures != failures {
		t.Errorf("%s: trips %+v, want one after %d failures", layer, trips, failures)
	}
}

func hangs(t *testing.T, p protocol) int {
	h := p.house(t)
	h.Primary.Set(rig.Hanging)
	began := time.Now()
	c := h.Client(rig.ClientOptions{NoCache: true})
	c.Await(p.budget+200*time.Millisecond, "the secondary", func() bool { return c.From("secondary") })
	rig.Wait(time.Until(began.Add(4*p.budget + 10*time.Second)))
	wantOpened(t, c, "primary", 4)
	calls := c.CallsTo("primary")
	if len(calls) != 4 {
		t.Errorf("%d calls, want 4", len(calls))
	}
	for _, call := range calls { // less where gRPC has given up the connection by itself
		if call.Took > p.budget+50*time.Millisecond {
			t.Errorf("%s cut after %v", call.Op, call.Took)
		}
	}
	c.Stop()

	h = p.house(t)
	c = warm(h, rig.ClientOptions{})
	began = time.Now()
	h.Primary.Set(rig.Fault{Wait: time.Hour, Only: "Head"}) // the connection is good
	for len(c.Trips("primary")) == 0 {
		c.View(flags.Fresh(t.Context()))
		rig.Wait(p.budget)
	}
	if n := c.Calls("primary", "head", began); n != 4 {
		t.Errorf("tripped after %d calls, want 4", n)
	}
	for _, call := range c.CallsTo("primary") {
		if d := call.Took - p.budget; call.Op == "head" && !call.At.Before(began) && d.Abs() > 50*time.Millisecond {
			t.Errorf("%s cut after %v", call.Op, call.Took)
		}
	}
	return 2
}

func cuts(t *testing.T, p protocol) int {
	h := p.house(t)
	h.Write()
	before := h.Primary.Link.Stats().Down
	h.Client(rig.ClientOptions{NoCache: true, NoSecondary: true}).Stop()
	total := h.Primary.Link.Stats().Down - before
	step := int64(1)
	if !long {
		step = 1 + total/97
	}
	tried := 0
	for at := int64(1); at <= total; at += step {
		h.Primary.Set(rig.CutAfter(at))
		c := h.Client(rig.ClientOptions{NoCache: true, NoSecondary: true})
		h.Primary.Set(rig.Reset)
		h.Primary.Set(rig.Healthy)
		c.Await(70*time.Second, "the set", c.Current)
		c.Stop()
		tried++
	}
	return tried
}

func slow(t *testing.T, p protocol) int {
	h := p.house(t)
	h.Primary.Set(rig.Slow(p.budget - 100*time.Millisecond))
	c := h.Client(rig.ClientOptions{NoCache: true, NoSecondary: true, Pace: time.Second})
	c.Await(time.Minute, "the set", c.Current)
	began := time.Now()
	for c.Calls("primary", "head", began) < 1000 {
		c.View(flags.Fresh(t.Context()))
	}
	if n := len(c.Trips("primary")); n != 0 {
		t.Errorf("tripped %d times", n)
	}
	// A router ends a stream now and then. One that is opened again counts as a success, so the
	// four heads come right after one.
	watches := c.Calls("primary", "watch", time.Time{})
	c.Await(10*time.Minute, "next stream", func() bool { return c.Calls("primary", "watch", time.Time{}) > watches })
	h.Primary.Set(rig.Fault{Wait: p.budget + 100*time.Millisecond, Only: "Head"})
	began = time.Now()
	for len(c.Trips("primary")) == 0 {
		c.View(flags.Fresh(t.Context()))
	}
	if n := c.Calls("primary", "head", began); n != 4 {
		t.Errorf("tripped after %d calls, want 4", n)
	}
	return 1004
}

// heads asks the primary for its head so often, which is one call each.
func heads(t *testing.T, c *rig.Client, n int) {
	t.Helper()
	before := c.Calls("primary", "head", time.Time{})
	for range n {
		c.View(flags.Fresh(t.Context()))
	}
	if got := c.Calls("primary", "head", time.Time{}) - before; got != n {
		t.Fatalf("%d heads read, want %d", got, n)
	}
}

func only(code codes.Code) rig.Fault { return rig.Fault{Code: code, Only: "Head"} }

func stumbles(t *testing.T, p protocol) int {
	h := p.house(t)
	c := warm(h, rig.ClientOptions{})
	for range manyTimes() {
		h.Primary.Set(only(codes.Unavailable))
		heads(t, c, 3)
		h.Primary.Set(rig.Healthy)
		heads(t, c, 1)
	}
	if n := len(c.Trips("primary")); n != 0 {
		t.Errorf("tripped %d times", n)
	}
	h.Primary.Set(only(codes.Unavailable))
	heads(t, c, 3)
	h.Primary.Set(only(codes.InvalidArgument))
	heads(t, c, 100)
	h.Primary.Set(only(codes.Unavailable))
	heads(t, c, 1)
	wantOpened(t, c, "primary", 4)
	return 3*manyTimes() + 104
}

func callersLeave(t *testing.T, p protocol) int {
	h := p.house(t)
	c := warm(h, rig.ClientOptions{Pace: time.Second})
	h.Primary.Set(rig.Fault{Wait: p.budget / 2, Only: "Head"})
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same instants in each run
	var callers sync.WaitGroup
	for range 10_000 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.Int64N(int64(p.budget/2))))
		callers.Go(func() {
			defer cancel()
			c.View(flags.Fresh(ctx))
		})
		rig.Wait(time.Millisecond)
	}
	callers.Wait()
	if s, _ := c.Status().ByName("primary"); len(s.Errors) != 0 || len(c.Trips("primary")) != 0 {
		t.Errorf("errors %v, %d trips", s.Errors, len(c.Trips("primary")))
	}
	return 10_000
}

func answersNo(t *testing.T, p protocol) int {
	answers := []codes.Code{
		codes.NotFound, codes.InvalidArgument, codes.OutOfRange, codes.FailedPrecondition, codes.AlreadyExists,
		codes.PermissionDenied, codes.Unauthenticated,
	}
	h := p.house(t)
	c := warm(h, rig.ClientOptions{Pace: time.Second})
	for _, code := range answers {
		h.Primary.Set(only(code))
		heads(t, c, manyTimes())
	}
	if n := len(c.Trips("primary")); n != 0 {
		t.Errorf("tripped %d times", n)
	}
	return manyTimes() * len(answers)
}

func downForLong(t *testing.T, p protocol) int {
	h := p.house(t)
	c := warm(h, rig.ClientOptions{Pace: time.Second})
	h.Primary.Set(rig.Refused)
	c.Await(6*time.Second, "trip", func() bool { return len(c.Trips("primary")) > 0 })
	opened := time.Now()
	var callers sync.WaitGroup
	for range 1000 {
		callers.Go(func() {
			for time.Since(opened) < 10*time.Minute {
				c.View(flags.Fresh(t.Context()))
				rig.Wait(10 * time.Second)
			}
		})
	}
	callers.Wait()
	probes := 0
	last, floor := opened, 15*time.Second
	for _, call := range c.CallsTo("primary") {
		if call.At.Before(opened) || call.At.Sub(opened) > 10*time.Minute {
			continue
		}
		if call.Op != "head" {
			t.Errorf("%s was sent while the gate was open", call.Op)
		}
		if gap := call.At.Sub(last); gap < floor-20*time.Millisecond || gap > floor+floor/10+time.Second {
			t.Errorf("probe %d after %v, want %v +10 %%", probes+1, gap, floor)
		}
		last, floor = call.At, min(2*floor, time.Minute)
		probes++
	}
	if probes != 10 && probes != 11 {
		t.Errorf("%d probes in 10 min, want 10 or 11", probes)
	}
	return 1
}

func probeHangs(t *testing.T, p protocol) int {
	h := p.house(t)
	c := warm(h, rig.ClientOptions{})
	h.Primary.Set(rig.Refused)
	c.Await(6*time.Second, "trip", func() bool { return len(c.Trips("primary")) > 0 })
	h.Primary.Set(rig.Hanging)
	c.Await(20*time.Second+p.budget, "second trip", func() bool { return len(c.Trips("primary")) > 1 })
	calls := c.CallsTo("primary")
	if probe := calls[len(calls)-1]; probe.Op != "head" || probe.Took > p.budget+100*time.Millisecond {
		t.Errorf("the probe was %s and took %v", probe.Op, probe.Took)
	}
	if again := c.Trips("primary")[1]; again.Cooldown < 30*time.Second || again.Cooldown > 33*time.Second {
		t.Errorf("cooldown %v", again.Cooldown)
	}
	return 1
}

func comesBack(t *testing.T, p protocol) int {
	h := p.house(t)
	c := warm(h, rig.ClientOptions{})
	h.Primary.Set(rig.Refused)
	rig.Wait(50 * time.Second)
	h.Primary.Set(rig.Healthy)
	trips := c.Trips("primary")
	last := trips[len(trips)-1]
	rig.Wait(time.Until(last.At.Add(last.Cooldown)))
	c.Await(2*time.Second, "good read", func() bool {
		s, _ := c.Status().ByName("primary")
		return s.Breaker == flags.GateClosed
	})
	c.Await(10*time.Second, "stream", c.Streaming) // spread, as all processes come back together
	h.Write()
	c.Await(200*time.Millisecond, "toggle", c.Current)
	if !c.From("primary") {
		t.Errorf("answered by %s", c.Status().Layer)
	}
	return 1
}

func flaps(t *testing.T, p protocol) int {
	h := p.house(t)
	c := warm(h, rig.ClientOptions{})
	tried := 0
	for began := time.Now(); time.Since(began) < 5*time.Minute; tried++ {
		h.Primary.Set(rig.Refused)
		rig.Wait(200 * time.Millisecond)
		h.Primary.Set(rig.Healthy)
		h.Write()
		rig.Wait(200 * time.Millisecond)
	}
	trips := c.Trips("primary")
	for i := 1; i < len(trips); i++ {
		if gap := trips[i].At.Sub(trips[i-1].At); gap < 15*time.Second {
			t.Errorf("trips %d and %d are %v apart", i, i+1, gap)
		}
	}
	c.Await(70*time.Second, "stream", func() bool { return c.Streaming() && c.Current() })
	return tried
}

func hasNoSet(t *testing.T, p protocol) int {
	return saysNo(t, p, codes.NotFound, "absent")
}

func denies(t *testing.T, p protocol) int {
	return saysNo(t, p, codes.Unauthenticated, "denied")
}

// saysNo: an answer is an answer. Nobody else is asked, and what is held stays.
func saysNo(t *testing.T, p protocol, code codes.Code, state string) int {
	h := p.house(t)
	c := warm(h, rig.ClientOptions{Dir: t.TempDir(), NoCache: true})
	h.Primary.Set(rig.Says(code))
	loads := h.Secondary.Calls("Fetch", time.Time{})
	h.Write()
	rig.Wait(10 * time.Minute)
	if n := h.Secondary.Calls("Fetch", time.Time{}) - loads; n != 0 {
		t.Errorf("the secondary was read %d times", n)
	}
	if n := len(c.Trips("primary")); n != 0 {
		t.Errorf("tripped %d times", n)
	}
	s := c.Status()
	if primary, _ := s.ByName("primary"); primary.State != state || primary.LastError == "" {
		t.Errorf("Status says %+v", primary)
	}
	if s.Freshness != flags.FreshnessStale || c.Current() {
		t.Errorf("answers from %s, %v at %v", s.Layer, s.Freshness, s.Token)
	}
	return 1
}
