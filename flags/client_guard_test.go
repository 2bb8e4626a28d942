package flags_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func with(sabotage func(flags.Options) flags.Options) rung {
	return func(_ *testing.T, _ *ladder, o *flags.Options) {
		if sabotage != nil {
			*o = sabotage(*o)
		}
	}
}

// twins runs a scenario as it is, where the guard must hold, and with the guard
// off, where the same scenario must notice.
func twins(t *testing.T, sabotage func(flags.Options) flags.Options, scenario func(t *testing.T, guard rung) (violated bool)) {
	for name, s := range map[string]func(flags.Options) flags.Options{"guarded": nil, "sabotaged": sabotage} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if violated := scenario(t, with(s)); violated != (s != nil) {
					t.Errorf("violated: %v", violated)
				}
			})
		})
	}
}

// A load of the secondary that takes long ends after the primary is back and ahead:
// what it brings is old by then.
func TestLateOlderResult(t *testing.T) {
	twins(t, flags.WithoutVersionGuard, func(t *testing.T, guard rung) bool {
		l := climb(t, guard)
		time.Sleep(20 * time.Second) // past the trial of the secondary
		apply(t, l.primary.store, flags.OpChange, putFlag("other", switchFlag))
		mirror(t, l.primary.store, l.secondary.store)
		l.primary.set(refuse)
		l.secondary.bendBy(func(u flags.Update) flags.Update { time.Sleep(29 * time.Second); return u })
		apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
		mirror(t, l.primary.store, l.secondary.store)
		waitFor(t, 10*time.Second, "load of the secondary", func() bool { return l.secondary.count("fetch", time.Time{}) > 1 })
		apply(t, l.primary.store, flags.OpChange, putFlag("third", switchFlag))
		l.primary.set(nil)
		waitFor(t, 25*time.Second, "primary", func() bool { return l.layer() == "primary" && l.streaming() })
		time.Sleep(2 * time.Minute)
		return l.wentBack()
	})
}

// The secondary of another environment has higher revisions and other flags.
func TestOtherLineage(t *testing.T) {
	twins(t, flags.WithoutLineageGuard, func(t *testing.T, guard rung) bool {
		other := memstore.New(nil)
		defer closed(t, other)
		l := climb(t, guard, func(t *testing.T, _ *ladder, o *flags.Options) {
			create(t, other)
			for range 5 {
				apply(t, other, flags.OpChange, putFlag("beta", onFlag))
				apply(t, other, flags.OpChange, putFlag("beta", switchFlag))
			}
			o.Secondary.Source = other
		})
		lineage := l.Token(t.Context()).Lineage
		l.primary.set(refuse)
		time.Sleep(time.Minute)
		s, _ := l.Status().ByName("secondary")
		if changed := l.Token(t.Context()).Lineage != lineage; changed {
			return true
		}
		if s.RefusedLineage == 0 {
			t.Error("Status says nothing of the other lineage")
		}
		return false
	})
}

// One byte of the primary's set is not what its origin signed for.
func TestChangedByte(t *testing.T) {
	twins(t, flags.WithoutDigestGuard, func(t *testing.T, guard rung) bool {
		l := climb(t, guard, func(_ *testing.T, l *ladder, _ *flags.Options) {
			l.primary.bendBy(func(u flags.Update) flags.Update {
				if u.Checkpoint != nil {
					cp := *u.Checkpoint
					cp.Entries = slices.Clone(cp.Entries)
					cp.Entries[0].Bytes = []byte(onFlag)
					u.Checkpoint = &cp
				}
				return u
			})
		})
		if l.on() {
			return true
		}
		wantLayer(t, l.Client, "secondary", 1, flags.FreshnessFresh)
		if s, _ := l.Status().ByName("primary"); s.RefusedDigest == 0 {
			t.Error("Status says nothing of the wrong digest")
		}
		return false
	})
}

// A secondary that lags is heard and not believed; in time the answers are stale.
func TestSecondaryLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		for range 100 {
			apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
			apply(t, l.primary.store, flags.OpChange, putFlag("beta", switchFlag))
		}
		waitFor(t, time.Second, "revision 201", func() bool { return l.Token(t.Context()).Revision == 201 })
		l.primary.set(refuse)
		time.Sleep(30 * time.Second)
		wantLayer(t, l.Client, "primary", 201, flags.FreshnessFresh)
		time.Sleep(30 * time.Second)
		wantLayer(t, l.Client, "primary", 201, flags.FreshnessStale)
		if s, _ := l.Status().ByName("secondary"); s.Stale == 0 || s.RefusedOlder != 0 || s.Lag != 200 {
			t.Errorf("%d heads behind, refused %d sets, lag %d: want heads, no sets, 200", s.Stale, s.RefusedOlder, s.Lag)
		}
		l.check(t)
	})
}

// A set that is deleted and created again begins at revision 1 of the next epoch,
// and that is newer than anything before.
func TestNextEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		for range 5 {
			apply(t, l.primary.store, flags.OpChange, putFlag("beta", switchFlag), putFlag("other", onFlag))
			apply(t, l.primary.store, flags.OpChange, remove(flags.FlagKey("other")))
		}
		apply(t, l.primary.store, flags.OpSeal)
		apply(t, l.primary.store, flags.OpCreate, putFlag("beta", onFlag))
		waitFor(t, time.Second, "the next epoch", func() bool { return l.Token(t.Context()).Epoch == 1 })
		if !l.on() || l.Token(t.Context()).Revision != 1 {
			t.Errorf("at %v, on: %v", l.Token(t.Context()), l.on())
		}
		old := flags.Token{Set: "default", Version: flags.Version{Epoch: 0, Revision: 9}}
		if d := l.BoolDetails(flags.AtLeast(t.Context(), old), "beta", anyone, false); d.Freshness != flags.FreshnessFresh {
			t.Errorf("a token of the old epoch: %v", d.Freshness)
		}
		l.check(t)
	})
}

// A primary that opens every stream and never sends anything fit is out of order, and
// its gate opens like that of one that refuses.
func TestUselessStreams(t *testing.T) {
	twins(t, flags.WithoutStreamGuard, func(t *testing.T, guard rung) bool {
		l := climb(t, guard, func(_ *testing.T, l *ladder, _ *flags.Options) {
			l.primary.bendBy(func(u flags.Update) flags.Update { u.Head = drifted(u.Head); return u })
		})
		time.Sleep(5 * time.Minute)
		wantLayer(t, l.Client, "secondary", 1, flags.FreshnessFresh)
		return len(l.tripped()) == 0
	})
}

// A primary that comes back with another history, from a wiped disk, does not keep
// the secondary, which has the right one, from serving.
func TestPrimaryOfOtherLineage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := memstore.New(nil)
		defer closed(t, other)
		l := climb(t, func(t *testing.T, l *ladder, _ *flags.Options) {
			create(t, other)
			closed(t, l.primary.store)
			l.primary.store = other
			l.primary.set(refuse)
		})
		wantLayer(t, l.Client, "secondary", 1, flags.FreshnessFresh)
		l.primary.set(nil)
		time.Sleep(time.Minute)
		apply(t, l.secondary.store, flags.OpChange, putFlag("beta", onFlag))
		waitFor(t, 12*time.Second, "toggle through the secondary", l.on)
		time.Sleep(10 * time.Minute)
		wantLayer(t, l.Client, "secondary", 2, flags.FreshnessFresh)
		if s, _ := l.Status().ByName("primary"); s.RefusedLineage == 0 {
			t.Error("Status says nothing of the other lineage")
		}
		l.check(t)
	})
}
