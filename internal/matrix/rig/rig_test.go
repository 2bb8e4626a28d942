package rig_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// In good health a write is seen at once, everywhere.
func TestHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := rig.New(t, rig.Options{})
		c := h.Client(rig.ClientOptions{Dir: t.TempDir(), Session: true, Pace: 10 * time.Millisecond})
		if c.StartTook > 100*time.Millisecond {
			t.Errorf("New took %v", c.StartTook)
		}
		for range 10 {
			h.Write()
			c.Await(100*time.Millisecond, "the new value", c.Current)
		}
		rig.Wait(time.Second)
		cold := h.Client(rig.ClientOptions{NoPrimary: true, NoSecondary: true})
		cold.Await(time.Second, "the value from the cache", cold.Current)
		if r := c.Report(); r.Reads < 100 || r.Defaults > 0 || r.Waited > 250*time.Millisecond {
			t.Errorf("%+v", r)
		}
		for _, l := range c.Status().Layers {
			if l.LastError != "" {
				t.Errorf("%s: %s", l.Name, l.LastError)
			}
		}
		t.Logf("%+v %+v", c.StartTook, c.Report())
	})
}

// A process that starts with nothing answers from the newest version at once, and not
// from the checkpoint that the newest commits are applied to.
func TestFirstAnswerIsNewest(t *testing.T) {
	for _, protocol := range []string{"grpc", "rest"} {
		t.Run(protocol, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := rig.New(t, rig.Options{Primary: protocol})
				for range 100 {
					h.Write()
				}
				synctest.Wait() // until the router has published what the store has
				for range 10 {
					c := h.Client(rig.ClientOptions{NoCache: true, NoSecondary: true})
					if !c.Current() {
						t.Errorf("began with %v, newest is %v", c.Status().Token, h.Newest())
					}
					c.Stop()
				}
			})
		})
	}
}
