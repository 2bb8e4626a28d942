package flags_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// changes collects changes.
type changes struct {
	mu  sync.Mutex
	all []flags.Change
}

func (c *changes) add(ch flags.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, ch)
}

// take returns what came since the last time, as KEY:FROM-TO.
func (c *changes) take() (out []string) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range c.all {
		out = append(out, fmt.Sprintf("%s:%d-%d", ch.Key, ch.From.Revision, ch.To.Revision))
	}
	c.all = nil
	return out
}

func TestOnChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		var beta, every changes
		unsubscribe := l.OnChange("beta", beta.add)
		l.OnChange("", every.add)
		write := func(m ...flags.Mutation) {
			apply(t, l.primary.store, flags.OpChange, m...)
			synctest.Wait()
		}
		want := func(c *changes, want ...string) {
			t.Helper()
			if got := c.take(); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		write(putFlag("beta", onFlag))
		want(&beta, "beta:1-2")
		want(&every, "beta:1-2")

		write(putFlag("other", onFlag), putFlag("third", onFlag))
		want(&beta)
		want(&every, "other:2-3", "third:2-3")

		write(putOverride("beta", "me", "off"))
		want(&beta, "beta:3-4")

		write(put(flags.EntryKey{Kind: flags.KindEvaluator, Name: "staff"}, `{"==":[1,1]}`))
		want(&beta, "beta:4-5") // a rule of beta may use it
		want(&every, "beta:3-4", ":4-5")

		write(remove(flags.FlagKey("other")))
		want(&every, "other:5-6")

		unsubscribe()
		write(putFlag("beta", switchFlag))
		want(&beta)
		want(&every, "beta:6-7")
	})
}

// A slow callback skips versions; it gets the last one, once.
func TestOnChangeCoalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		var got changes
		l.OnChange("beta", func(ch flags.Change) {
			got.add(ch)
			time.Sleep(time.Minute)
		})
		for range 10 {
			apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
			time.Sleep(time.Second)
			apply(t, l.primary.store, flags.OpChange, putFlag("beta", switchFlag))
			time.Sleep(time.Second)
		}
		time.Sleep(5 * time.Minute)
		if seen, want := got.take(), []string{"beta:1-2", "beta:2-21"}; !slices.Equal(seen, want) {
			t.Errorf("got %v, want %v", seen, want)
		}
	})
}

// A whole set in place of another tells of what differs, and only of that.
func TestOnChangeAcrossLayers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		apply(t, l.primary.store, flags.OpChange, putFlag("kept", onFlag), putFlag("gone", onFlag))
		waitFor(t, time.Second, "revision 2", func() bool { return l.Token(t.Context()).Revision == 2 })
		var every changes
		l.OnChange("", every.add)
		l.primary.set(refuse)
		apply(t, l.primary.store, flags.OpSeal)
		apply(t, l.primary.store, flags.OpCreate, putFlag("beta", onFlag), putFlag("kept", onFlag))
		mirror(t, l.primary.store, l.secondary.store)
		waitFor(t, 10*time.Second, "the next epoch", func() bool { return l.Token(t.Context()).Epoch == 1 })
		got := every.take()
		slices.Sort(got)
		if want := []string{"beta:2-1", "gone:2-1"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// Where an origin tells that what the disk had is of another history, flags that the
// right one has not are changed, too.
func TestOnChangeAcrossLineages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := memstore.New(nil)
		defer closed(t, other)
		apply(t, other, flags.OpCreate, putFlag("beta", switchFlag), putFlag("gone", onFlag))
		l := climb(t, func(_ *testing.T, l *ladder, o *flags.Options) {
			l.primary.set(after(time.Second / 2))
			o.Disk = flags.Layer{Source: other}
		})
		if l.layer() != "disk" {
			t.Fatalf("answered by %q", l.layer())
		}
		var every changes
		l.OnChange("", every.add)
		waitFor(t, time.Second, "primary", func() bool { return l.layer() == "primary" })
		if got, want := every.take(), []string{"gone:1-1"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
