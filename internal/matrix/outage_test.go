package matrix_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
)

// TestOutages is several layers at once.
func TestOutages(t *testing.T) {
	for id, run := range map[string]func(*testing.T) int{
		"L1": outdatedCache, "F16": bothOriginsDown, "F17": startWithFile, "F18": startWithoutFile,
	} {
		t.Run(id, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { matrix.Tally(t, id, run(t), 0) })
		})
	}
}

func outdatedCache(t *testing.T) int {
	h := rig.New(t, rig.Options{})
	c := warm(h, rig.ClientOptions{Session: true})
	h.Cache.Set(rig.Refused)
	h.Write()
	c.Await(atOnce, "toggle", c.Current)
	c.Stop() // leaves an old entry behind
	h.Primary.Set(rig.Refused)
	h.Write()
	h.Cache.Set(rig.Healthy)

	cold := h.Client(rig.ClientOptions{})
	cold.Await(7200*time.Millisecond, "the secondary's version", cold.Current)
	cached := h.Client(rig.ClientOptions{NoPrimary: true, NoSecondary: true})
	cached.Await(7*time.Second, "the secondary's version in the cache", cached.Current)
	h.Write()
	cold.Await(through, "the next version", cold.Current)
	return 2
}

func bothOriginsDown(t *testing.T) int {
	h := rig.New(t, rig.Options{})
	c := warm(h, rig.ClientOptions{Readers: 2, Pace: time.Minute})
	h.Write()
	c.Await(2*atOnce, "toggle", c.Current)
	h.Primary.Set(rig.Refused)
	h.Secondary.Set(rig.Hanging)
	began, age := time.Now(), time.Duration(0)
	outage := time.Hour
	if long {
		outage = 24 * time.Hour
	}
	for time.Since(began) < outage {
		rig.Wait(10 * time.Minute)
		now := c.Status().Age
		if now < age || now < time.Since(began) {
			t.Errorf("after %v the age is %v, it was %v", time.Since(began), now, age)
		}
		age = now
	}
	if st := c.Status(); st.Freshness != flags.FreshnessStale || !c.Current() {
		t.Errorf("%v, %v by %s", st.Token, st.Freshness, st.Layer)
	}
	return 2
}

func startWithFile(t *testing.T) int {
	h, dir := rig.New(t, rig.Options{}), t.TempDir()
	h.Client(rig.ClientOptions{Dir: dir}).Stop()
	for _, fault := range []rig.Fault{rig.Refused, rig.Hanging, rig.Reset, rig.Deaf, rig.Mute} {
		h.SetAll(fault)
		c := h.Client(rig.ClientOptions{Dir: dir})
		if st := c.Status(); c.StartTook > atOnce || st.Layer != "disk" || st.Freshness != flags.FreshnessStale || !c.Current() {
			t.Errorf("New took %v: %v, %v by %s", c.StartTook, st.Token, st.Freshness, st.Layer)
		}
		rig.Wait(time.Minute)
		c.Stop()
		if n := c.Report().Defaults; n != 0 {
			t.Errorf("%d defaults", n)
		}
	}
	return 5
}

func startWithoutFile(t *testing.T) int {
	h := rig.New(t, rig.Options{})
	for _, fault := range []rig.Fault{rig.Refused, rig.Hanging, rig.Reset, rig.Deaf, rig.Mute} {
		h.SetAll(fault)
		c := h.Client(rig.ClientOptions{})
		if c.StartTook > 1600*time.Millisecond {
			t.Errorf("New took %v", c.StartTook)
		}
		d := c.BoolDetails(t.Context(), "left", flags.Entity("anyone"), true)
		if !d.Value || d.Reason != flags.ReasonError || d.ErrorCode != flags.ErrorProviderNotReady {
			t.Errorf("got %v, %v, %v", d.Value, d.Reason, d.ErrorCode)
		}
		if s, _ := c.Status().ByName("primary"); s.LastError == "" {
			t.Error("Status says nothing of the primary")
		}
		c.Stop()
	}
	return 5
}
