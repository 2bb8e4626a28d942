package matrix_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
)

// TestFamous is eight that broke another SDK.
func TestFamous(t *testing.T) {
	for id, run := range map[string]func(*testing.T) int{
		"E1": cacheDiesAfterTTL, "E2": silentRedis, "E3": deadAtConstruction, "E4": stalledPut,
		"E5": stuckListener, "E6": lostRace, "E7": laggingSecondary, "E8": slowBulk,
	} {
		t.Run(id, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { matrix.Tally(t, id, run(t), 0) })
		})
	}
}

func cacheDiesAfterTTL(t *testing.T) int {
	h := rig.New(t, rig.Options{})
	c := warm(h, rig.ClientOptions{Pace: 100 * time.Millisecond})
	h.Cache.Set(rig.Refused)
	rig.Wait(time.Hour)
	h.Write()
	c.Await(2*atOnce, "toggle", c.Current)
	h.SetAll(rig.Refused)
	rig.Wait(time.Hour)
	if !c.Current() {
		t.Errorf("answers from %v", c.Status().Token)
	}
	return 2
}

func silentRedis(t *testing.T) int {
	h := rig.New(t, rig.Options{})
	c := warm(h, rig.ClientOptions{})
	h.Cache.Set(rig.Hanging)
	for range 100 {
		h.Write()
		c.Await(2*atOnce, "toggle", c.Current)
		rig.Wait(time.Second)
	}
	wantOpened(t, c, "cache", 4)
	if cold := h.Client(rig.ClientOptions{}); cold.StartTook > 110*time.Millisecond || !cold.Current() {
		t.Errorf("New took %v, newest is %v: %+v", cold.StartTook, h.Newest(), cold.Status())
	}
	return 1
}

func deadAtConstruction(t *testing.T) int {
	h := rig.New(t, rig.Options{})
	for _, fault := range []rig.Fault{rig.Refused, rig.Hanging} {
		h.SetAll(fault)
		c := h.Client(rig.ClientOptions{})
		if c.StartTook != 1500*time.Millisecond {
			t.Errorf("New took %v", c.StartTook)
		}
		rig.Wait(5 * time.Minute)
		h.SetAll(rig.Healthy)
		c.Await(gate, "the set", func() bool { return c.Current() && c.Streaming() })
		c.Stop()
	}
	return 2
}

func stalledPut(t *testing.T) int {
	h := rig.New(t, rig.Options{})
	c := warm(h, rig.ClientOptions{})
	for range 10 {
		h.Cache.Set(rig.Fault{Net: faultnet.Faults{Up: faultnet.Path{Delay: 3 * time.Second}}})
		for range 3 {
			h.Write()
			c.Await(2*atOnce, "toggle", c.Current)
			rig.Wait(time.Second)
		}
		h.Cache.Set(rig.Healthy)
		rig.Wait(10 * time.Second)
	}
	rig.Wait(time.Minute)
	cached := h.Client(rig.ClientOptions{NoPrimary: true, NoSecondary: true})
	cached.Await(time.Second, "the newest version in the cache", cached.Current)
	return 10
}

func stuckListener(t *testing.T) int {
	h := rig.New(t, rig.Options{})
	c := warm(h, rig.ClientOptions{})
	release, told := make(chan struct{}), make(chan flags.Change, 100)
	c.OnChange("left", func(flags.Change) { <-release })
	c.OnChange("left", func(ch flags.Change) { told <- ch })
	for range 10 {
		token := h.Write()
		c.Await(2*atOnce, "toggle", c.Current)
		if ch := <-told; ch.To != token {
			t.Errorf("told of %v, written was %v", ch.To, token)
		}
	}
	closed := make(chan error, 1)
	began := time.Now()
	go func() { closed <- c.Close() }()
	if err := <-closed; err != nil || time.Since(began) > time.Second {
		t.Errorf("Close: %v after %v", err, time.Since(began))
	}
	close(release)
	return 1
}

// late makes a client's way to the cache slow.
func late(t *testing.T, jitter time.Duration) func(*standard.Config) {
	return func(cfg *standard.Config) {
		cfg.CacheTimeout = 5 * time.Second
		dial := cfg.Dial
		link := faultnet.Wrap(func(ctx context.Context) (net.Conn, error) { return dial(ctx, "tcp", "cache:6379") })
		if err := link.Set(faultnet.Faults{Up: faultnet.Path{Jitter: jitter}}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = link.Close() })
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "cache:6379" {
				return link.Dial(ctx)
			}
			return dial(ctx, network, address)
		}
	}
}

func lostRace(t *testing.T) int {
	rounds := 10
	if long {
		rounds = 100
	}
	for range rounds {
		h := rig.New(t, rig.Options{})
		a := h.Client(rig.ClientOptions{})
		b := h.Client(rig.ClientOptions{Config: late(t, 2*time.Second)})
		for range 20 {
			h.Write()
			rig.Wait(70 * time.Millisecond)
		}
		rig.Wait(5 * time.Second)
		h.Primary.Set(rig.Refused)
		h.Secondary.Set(rig.Refused)
		rig.Wait(10 * time.Second)
		cold := h.Client(rig.ClientOptions{})
		if !cold.Current() {
			t.Errorf("started at %v, newest is %v", cold.Status().Token, h.Newest())
		}
		if n := len(cold.View(t.Context()).Snapshot().Keys()); n != 2 {
			t.Errorf("%d flags, want 2", n)
		}
		cold.Stop()
		b.Stop()
		a.Stop()
	}
	return rounds
}

func laggingSecondary(t *testing.T) int {
	h := rig.New(t, rig.Options{})
	c := warm(h, rig.ClientOptions{Session: true})
	h.Secondary.Hold(true)
	for range 5 {
		h.Write()
		c.Await(2*atOnce, "toggle", c.Current)
	}
	h.Primary.Set(rig.Refused)
	rig.Wait(5 * time.Minute)
	s, _ := c.Status().ByName("secondary")
	if s.Stale == 0 || s.RefusedOlder != 0 || s.Lag != 5 || !c.Current() { // its heads are enough to see that
		t.Errorf("%d heads behind, refused %d sets, lag %d, at %v", s.Stale, s.RefusedOlder, s.Lag, c.Status().Token)
	}
	h.Secondary.Hold(false)
	h.Write()
	c.Await(through, "what the secondary has caught up to", c.Current)
	return 1
}

func slowBulk(t *testing.T) int {
	h := rig.New(t, rig.Options{Bytes: 7_000_000})
	h.Primary.Set(rig.Refused)
	h.Secondary.Set(rig.Fault{Between: 3 * time.Second})
	installed := 0
	c := h.Client(rig.ClientOptions{NoCache: true, Config: func(cfg *standard.Config) {
		cfg.Observer.Installed = func(string, flags.Token) { installed++ }
	}})
	took := c.StartTook + c.Await(15*time.Second, "the set", c.Current)
	if took < 12*time.Second || took > 14*time.Second {
		t.Errorf("ready after %v", took)
	}
	loads := h.Secondary.Calls("Fetch", time.Time{})
	rig.Wait(5 * time.Minute)
	if n := h.Secondary.Calls("Fetch", time.Time{}); n != 1 || loads != 1 || installed != 1 {
		t.Errorf("%d loads, %d installed, want one", n, installed)
	}
	return 1
}
