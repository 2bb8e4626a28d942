package matrix_test

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
)

// The guards of these are configuration: budgets, cooldowns, and how errors are told apart.

// noBudget: a primary that is too slow is never found to be, and its calls are not cut.
func noBudget(t *testing.T, h *rig.House) int {
	c := warm(h, rig.ClientOptions{Config: func(cfg *standard.Config) { cfg.PrimaryTimeout = time.Minute }})
	h.Primary.Set(rig.Fault{Wait: 1100 * time.Millisecond, Only: "Head"})
	for range 10 {
		c.View(flags.Fresh(t.Context()))
	}
	if len(c.Trips("primary")) > 0 {
		return 0
	}
	return c.Calls("primary", "head", time.Time{})
}

// notToldApart: a primary whose "there is no such set" looks like any other failure
// has the secondary asked, and its breaker open.
func notToldApart(_ *testing.T, h *rig.House) int {
	c := warm(h, rig.ClientOptions{NoCache: true})
	h.Primary.Set(rig.Says(codes.Unavailable))
	loads := h.Secondary.Calls("Fetch", time.Time{})
	h.Write()
	rig.Wait(10 * time.Minute)
	return min(h.Secondary.Calls("Fetch", time.Time{})-loads, len(c.Trips("primary")))
}

// patientStart: New waits for layers that are dead.
func patientStart(_ *testing.T, h *rig.House) int {
	h.SetAll(rig.Refused)
	c := h.Client(rig.ClientOptions{Config: func(cfg *standard.Config) { cfg.StartTimeout = 20 * time.Second }})
	return int(c.StartTook / (1600 * time.Millisecond))
}

// patientWithCache: New waits for a cache that hangs.
func patientWithCache(_ *testing.T, h *rig.House) int {
	h.Cache.Set(rig.Hanging)
	c := h.Client(rig.ClientOptions{Config: func(cfg *standard.Config) { cfg.CacheTimeout = 5 * time.Second }})
	return int(c.StartTook / (111 * time.Millisecond))
}

// shortCooldown: a primary that comes and goes has its breaker do the same.
func shortCooldown(_ *testing.T, h *rig.House) (close int) {
	c := warm(h, rig.ClientOptions{Config: func(cfg *standard.Config) {
		cfg.Breaker = standard.Breaker{Failures: 1, Cooldown: 100 * time.Millisecond, MaxCooldown: 100 * time.Millisecond}
	}})
	for began := time.Now(); time.Since(began) < time.Minute; {
		h.Primary.Set(rig.Refused)
		rig.Wait(200 * time.Millisecond)
		h.Primary.Set(rig.Healthy)
		rig.Wait(200 * time.Millisecond)
	}
	trips := c.Trips("primary")
	for i := 1; i < len(trips); i++ {
		if trips[i].At.Sub(trips[i-1].At) < 15*time.Second {
			close++
		}
	}
	return close
}

// longCooldown: a primary that is back is not found for as long as the cooldown lasts.
func longCooldown(_ *testing.T, h *rig.House) (seconds int) {
	c := warm(h, rig.ClientOptions{Config: func(cfg *standard.Config) {
		cfg.Breaker = standard.Breaker{Cooldown: 10 * time.Minute, MaxCooldown: 10 * time.Minute}
	}})
	h.Primary.Set(rig.Refused)
	rig.Wait(50 * time.Second)
	h.Primary.Set(rig.Healthy)
	rig.Wait(gate)
	for !c.Streaming() && seconds < 3600 {
		rig.Wait(time.Second)
		seconds++
	}
	return seconds
}

// slowerBulk: a set that needs longer than it is given is begun again and again.
func slowerBulk(t *testing.T, _ *rig.House) int {
	h := rig.New(t, rig.Options{Bytes: 7_000_000})
	h.Primary.Set(rig.Refused)
	h.Secondary.Set(rig.Fault{Between: 11 * time.Second})
	h.Client(rig.ClientOptions{NoCache: true})
	rig.Wait(5 * time.Minute)
	return h.Secondary.Calls("Fetch", time.Time{}) - 1
}
