package matrix_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
)

// TestLayers is what may happen to the cache and to the secondary.
func TestLayers(t *testing.T) {
	for id, run := range map[string]func(*testing.T) int{
		"F11": badCache, "F12": emptyCache, "F14": silentSecondary, "F15": secondaryFarBehind, "F27": restored,
	} {
		t.Run(id, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { matrix.Tally(t, id, run(t), 0) })
		})
	}
}

// badCache: readers never notice, toggles come as ever, and a start waits for its budget at most.
func badCache(t *testing.T) int {
	faults := []rig.Fault{
		rig.Refused, rig.Hanging, rig.Reset,
		rig.Replies("LOADING Redis is loading the dataset in memory"), rig.Replies("READONLY You can't write against a read only replica."),
		rig.Replies("OOM command not allowed when used memory > 'maxmemory'."), rig.Replies("NOAUTH Authentication required."),
		rig.Replies("BUSY Redis is busy running a script."),
	}
	for _, fault := range faults {
		h := rig.New(t, rig.Options{})
		c := warm(h, rig.ClientOptions{})
		h.Cache.Set(fault)
		for range 10 {
			h.Write()
			c.Await(2*atOnce, "toggle", c.Current)
			rig.Wait(10 * time.Second)
		}
		cold := h.Client(rig.ClientOptions{})
		if cold.StartTook > 110*time.Millisecond || !cold.Current() {
			t.Errorf("%+v: New took %v, gave %v", fault, cold.StartTook, cold.Status().Token)
		}
		cold.Stop()
		c.Stop()
	}
	return len(faults)
}

// emptyCache: what Redis lost, or somebody else overwrote, is there again within one period.
func emptyCache(t *testing.T) int {
	h := rig.New(t, rig.Options{})
	c := warm(h, rig.ClientOptions{Session: true})
	spoil := []func(){
		func() { h.Cache.FlushAll() },
		func() {
			for _, key := range h.Cache.Keys() {
				if strings.HasSuffix(key, ":entry") || strings.HasSuffix(key, ":tail") {
					h.Cache.Del(key)
					if err := h.Cache.Miniredis.Set(key, "of somebody else"); err != nil {
						t.Fatal(err)
					}
				}
			}
		},
	}
	for _, spoil := range spoil {
		spoil()
		rig.Wait(time.Minute)
		cached := h.Client(rig.ClientOptions{NoPrimary: true, NoSecondary: true})
		cached.Await(atOnce, "the cache has it again", cached.Current)
		cached.Stop()
		h.Write()
		c.Await(2*atOnce, "toggle", c.Current)
	}
	return len(spoil)
}

// silentSecondary: one call at a time, each of one budget, and four of them are enough.
func silentSecondary(t *testing.T) int {
	faults := []rig.Fault{rig.Hanging, rig.Deaf, rig.Mute}
	for _, fault := range faults {
		h := rig.New(t, rig.Options{})
		c := warm(h, rig.ClientOptions{NoCache: true})
		h.Primary.Set(rig.Refused)
		h.Secondary.Set(fault)
		began := time.Now()
		for time.Since(began) < time.Minute { // readers who demand what nobody has do not add to it
			c.View(flags.Fresh(t.Context()))
			rig.Wait(100 * time.Millisecond)
		}
		wantOpened(t, c, "secondary", 4)
		var last time.Time
		for _, call := range c.CallsTo("secondary") {
			if call.At.Before(began) {
				continue
			}
			if call.Took > 1050*time.Millisecond || call.At.Before(last) {
				t.Errorf("%s took %v, and began %v after the one before it", call.Op, call.Took, call.At.Sub(last))
			}
			last = call.At.Add(call.Took)
		}
		h.SetAll(rig.Healthy)
		c.Await(gate, "the primary", c.Streaming)
		c.Stop()
	}
	return len(faults)
}

// secondaryFarBehind: what is older is refused by its head, and memory is kept.
func secondaryFarBehind(t *testing.T) int {
	h := rig.New(t, rig.Options{})
	c := warm(h, rig.ClientOptions{})
	h.Secondary.Hold(true)
	for range 1000 {
		h.Write()
		rig.Wait(10 * time.Millisecond)
	}
	c.Await(2*atOnce, "the last of them", c.Current)
	h.Primary.Set(rig.Refused)
	rig.Wait(5 * time.Minute)
	secondary, _ := c.Status().ByName("secondary")
	if st := c.Status(); secondary.Lag != 1000 || !c.Current() || st.Freshness != flags.FreshnessStale {
		t.Errorf("lag %d, at %v, %v", secondary.Lag, st.Token, st.Freshness)
	}
	return 1
}

// restored: everybody takes the next epoch over, once, with the contents of the backup;
// a token of the old epoch costs one question to the primary, and is met by its answer.
func restored(t *testing.T) int {
	h, dir := rig.New(t, rig.Options{}), t.TempDir()
	c := warm(h, rig.ClientOptions{Dir: dir, Session: true})
	for range 10 {
		h.Write()
	}
	old := h.Newest()
	c.Await(2*atOnce, "what was written before", c.Current)
	var epochs atomic.Int32
	c.OnChange("left", func(ch flags.Change) {
		if ch.To.Epoch > ch.From.Epoch {
			epochs.Add(1)
		}
	})
	h.Restore()
	c.Await(2*atOnce, "the next epoch", c.Current)
	rig.Wait(2 * time.Second)
	asked := time.Now()
	for range 100 {
		if v := c.View(flags.AtLeast(t.Context(), old)); v.Freshness() != flags.FreshnessFresh || v.Token() != h.Newest() {
			t.Errorf("with %v: %v, %v", old, v.Token(), v.Freshness())
		}
	}
	if n := c.Calls("primary", "head", asked); n > 1 || epochs.Load() != 1 {
		t.Errorf("a token of the old epoch cost %d questions; told of %d changes of epoch", n, epochs.Load())
	}
	rig.Wait(time.Minute)
	c.Stop()
	h.Primary.Set(rig.Refused)
	h.Secondary.Set(rig.Refused)
	cached := h.Client(rig.ClientOptions{})
	cached.Await(atOnce, "the next epoch, from the cache", cached.Current)
	h.Cache.Set(rig.Refused)
	kept := h.Client(rig.ClientOptions{Dir: dir})
	kept.Await(atOnce, "the next epoch, from the disk", kept.Current)
	if v := kept.View(flags.AtLeast(t.Context(), old)); v.Freshness() != flags.FreshnessNotFresh {
		t.Errorf("nobody could be asked what became of %v, yet %v", old, v.Freshness())
	}
	return 1
}
