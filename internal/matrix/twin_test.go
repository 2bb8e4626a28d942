package matrix_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
	"github.com/holdfast-flags/holdfast/internal/sabotage"
)

// TestTwins runs scenarios of this package with one guard switched off. Each returns how
// often that showed; one where it does not shows nothing either.
func TestTwins(t *testing.T) {
	for name, run := range map[string]func(*testing.T, *rig.House) int{
		"no breaker": noBreaker, "older": olderToo, "forgetful": forgetful, "no file": noFile, "token": tokenIgnored,
		"torn": torn, "goroutine": goroutineLeft, "ageless": ageless,
		"no budget": noBudget, "not told apart": notToldApart, "patient start": patientStart, "patient with the cache": patientWithCache,
		"short cooldown": shortCooldown, "slower bulk": slowerBulk, "long cooldown": longCooldown,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if shown := run(t, rig.New(t, rig.Options{})); shown == 0 {
					t.Error("nothing showed with the guard switched off")
				}
			})
		})
	}
}

// noBreaker: more is sent to a dead primary than four calls.
func noBreaker(_ *testing.T, h *rig.House) int {
	c := warm(h, rig.ClientOptions{Config: func(cfg *standard.Config) { cfg.Breaker.Failures = 1 << 20 }})
	began := time.Now()
	h.Primary.Set(rig.Refused)
	rig.Wait(15 * time.Second)
	return c.Calls("primary", "", began) - 4
}

// olderToo: a lagging secondary takes reads back in time.
func olderToo(_ *testing.T, h *rig.House) int {
	c := warm(h, rig.ClientOptions{Lenient: true, Without: sabotage.Guards{Version: true}})
	h.Secondary.Hold(true)
	h.Write()
	c.Await(2*atOnce, "toggle", c.Current)
	h.Primary.Set(rig.Refused)
	rig.Wait(time.Minute)
	return c.Report().Backwards
}

// forgetful: what is old is not served.
func forgetful(_ *testing.T, h *rig.House) int {
	c := warm(h, rig.ClientOptions{Lenient: true, Config: func(cfg *standard.Config) { cfg.MaxStaleness, cfg.Strict = time.Minute, true }})
	h.SetAll(rig.Refused)
	rig.Wait(5 * time.Minute)
	return c.Report().Failed
}

// noFile: a start with everything down has nothing but defaults.
func noFile(_ *testing.T, h *rig.House) int {
	h.SetAll(rig.Refused)
	c := h.Client(rig.ClientOptions{})
	rig.Wait(time.Minute)
	return c.Report().Defaults
}

// tokenIgnored: a write is not seen by a read that carries its token, and that is not said.
func tokenIgnored(t *testing.T, h *rig.House) int {
	c := warm(h, rig.ClientOptions{Lenient: true, Without: sabotage.Guards{Token: true}})
	h.Primary.Set(rig.Hanging)
	c.ReadOwn(t.Context(), h.Write())
	return c.Report().Unread
}

// torn: one of the two flags that belong together is written alone.
func torn(t *testing.T, h *rig.House) int {
	c := warm(h, rig.ClientOptions{Lenient: true})
	alone := []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":77}}`)
	_, err := h.Primary.Store.Apply(t.Context(), flags.Commit{
		Set: rig.Set, ID: flags.NewCommitID(), Changes: []flags.Mutation{{Key: flags.FlagKey("left"), Bytes: alone}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rig.Wait(time.Second)
	return c.Report().Torn
}

// goroutineLeft: something outlives the client.
func goroutineLeft(_ *testing.T, h *rig.House) int {
	c := warm(h, rig.ClientOptions{Lenient: true})
	release := make(chan struct{})
	go func() { <-release }()
	c.Stop()
	close(release)
	return c.Report().Goroutines
}
