package flags_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/filestore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// ladder is a client over real stores, each behind its own faults and a real breaker.
type ladder struct {
	*flags.Client
	primary, secondary *fault
	*recorder

	mu    sync.Mutex
	trips []breaker.Trip
}

type rung func(*testing.T, *ladder, *flags.Options)

// climb builds a ladder: a primary with one commit, a secondary that mirrors it.
func climb(t *testing.T, rungs ...rung) *ladder {
	t.Helper()
	l := &ladder{primary: newFault(memstore.New(nil)), secondary: newFault(memstore.New(nil))}
	t.Cleanup(func() { closed(t, l.primary.store); closed(t, l.secondary.store) })
	create(t, l.primary.store)
	mirror(t, l.primary.store, l.secondary.store)
	tripped := func(trip breaker.Trip) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.trips = append(l.trips, trip)
	}
	o := flags.Options{
		Primary:   flags.Layer{Source: l.primary, Watcher: l.primary, Gate: newGate("primary", tripped)},
		Secondary: flags.Layer{Source: l.secondary, Gate: newGate("secondary", nil)},
	}
	for _, r := range rungs {
		r(t, l, &o)
	}
	l.Client = open(t, o)
	l.recorder = record(t, l.Client)
	return l
}

func (l *ladder) tripped() []breaker.Trip {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]breaker.Trip(nil), l.trips...)
}

// waitFor polls in virtual time.
func waitFor(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			t.Fatalf("%s: not within %v", what, limit)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (l *ladder) on() bool {
	return l.Bool(context.Background(), "beta", anyone, false)
}

func (l *ladder) layer() string {
	return l.BoolDetails(context.Background(), "beta", anyone, false).Layer()
}

// The gate opens after four failures, of which the lost stream is the first, and
// the secondary has served long before.
func TestPrimaryRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		time.Sleep(time.Minute)
		apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
		mirror(t, l.primary.store, l.secondary.store)
		synctest.Wait()
		began := time.Now()
		l.primary.set(refuse)
		waitFor(t, 5*time.Second, "trip", func() bool { return len(l.tripped()) > 0 })
		waitFor(t, 5*time.Second-time.Since(began), "secondary", func() bool { return l.layer() == "secondary" })
		time.Sleep(14*time.Second - time.Since(began))
		if n := l.primary.count("", began); n != 3 {
			t.Errorf("%d calls to the primary after the lost stream, want 3 before the gate opened and none after", n)
		}
		if trip := l.tripped()[0]; trip.Failures != 4 {
			t.Errorf("opened after %d failures", trip.Failures)
		}
		if !l.on() {
			t.Error("the last known value was lost")
		}
		l.check(t)
	})
}

// A router that hangs at start costs its budget once; then the secondary serves.
func TestPrimaryHangsAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l := climb(t, func(_ *testing.T, l *ladder, _ *flags.Options) { l.primary.set(hang) })
		if took := time.Since(began); took > 1050*time.Millisecond {
			t.Errorf("New took %v", took)
		}
		wantLayer(t, l.Client, "secondary", 1, flags.FreshnessFresh)
		waitFor(t, 5*time.Second, "trip", func() bool { return len(l.tripped()) > 0 })
		time.Sleep(15*time.Second - time.Since(began))
		if n := l.primary.count("", began); n != 4 {
			t.Errorf("%d calls to the primary in 15 s, want 4", n)
		}
		l.check(t)
	})
}

func TestPrimarySlow(t *testing.T) {
	for _, tt := range []struct {
		delay time.Duration
		trips bool
	}{{900 * time.Millisecond, false}, {1100 * time.Millisecond, true}} {
		synctest.Test(t, func(t *testing.T) {
			l := climb(t, func(_ *testing.T, l *ladder, _ *flags.Options) { l.primary.set(after(tt.delay)) })
			time.Sleep(time.Minute)
			if got := len(l.tripped()) > 0; got != tt.trips {
				t.Errorf("answers after %v: tripped %v", tt.delay, got)
			}
			l.check(t)
		})
	}
}

// Three failures and a success, over and over, are no outage.
func TestPrimaryStumbles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		for range 50 {
			l.primary.set(refuse) // the stream is lost: one
			before := l.primary.count("watch", time.Time{})
			waitFor(t, 5*time.Second, "two more failures", func() bool { return l.primary.count("watch", time.Time{}) == before+2 })
			l.primary.set(nil)
			waitFor(t, 2*time.Second, "stream", l.streaming)
		}
		if n := len(l.tripped()); n != 0 {
			t.Errorf("tripped %d times", n)
		}
		l.check(t)
	})
}

func (l *ladder) streaming() bool {
	s, _ := l.Status().ByName("primary")
	return s.State == "streaming"
}

// While the primary is down nothing is sent but one probe for each cooldown, however
// many callers would like to ask; when it is back, the next probe finds it.
func TestPrimaryDownForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		l.primary.set(refuse)
		waitFor(t, 5*time.Second, "trip", func() bool { return len(l.tripped()) > 0 })
		opened := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 100 {
			go func() {
				every := time.NewTicker(5 * time.Second)
				defer every.Stop()
				for ctx.Err() == nil {
					l.Bool(flags.Fresh(ctx), "beta", anyone, false)
					select {
					case <-every.C:
					case <-ctx.Done():
					}
				}
			}()
		}
		time.Sleep(10 * time.Minute)
		if n := l.primary.count("head", opened); n != 10 && n != 11 {
			t.Errorf("%d probes in 10 min, want 10 or 11", n)
		}
		if n := l.primary.count("watch", opened); n != 0 {
			t.Errorf("%d streams tried while the gate was open", n)
		}
		l.primary.set(nil)
		waitFor(t, 66*time.Second, "stream", l.streaming)
		apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
		waitFor(t, time.Second, "toggle", l.on)
		l.check(t)
	})
}

// Whatever is not an outage is an answer: nobody else is asked, and the gate stays shut to doubt.
func TestPrimaryAnswersNo(t *testing.T) {
	for _, class := range []flags.Class{flags.ClassNotFound, flags.ClassPermanent, flags.ClassDenied} {
		t.Run(class.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				l := climb(t, withDisk(dir), func(_ *testing.T, l *ladder, _ *flags.Options) { l.primary.set(say(class)) })
				time.Sleep(10 * time.Minute)
				if n := l.secondary.count("fetch", time.Time{}); n > 1 {
					t.Errorf("the secondary was read %d times", n) // at start, to try it out
				}
				if n := len(l.tripped()); n != 0 {
					t.Errorf("tripped %d times", n)
				}
				if l.layer() != "" {
					t.Errorf("answered by %q", l.layer())
				}
				s, _ := l.Status().ByName("primary")
				if s.LastError == "" || s.State == "ok" {
					t.Errorf("Status says %+v", s)
				}
			})
		})
	}
}

// A key that was revoked reads what this process knew before, is told so, and does
// not get in through the secondary.
func TestDeniedKeepsLastKnown(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { climb(t, withDisk(dir)) })
	synctest.Test(t, func(t *testing.T) {
		l := climb(t, withDisk(dir), func(_ *testing.T, l *ladder, _ *flags.Options) { l.primary.set(say(flags.ClassDenied)) })
		time.Sleep(10 * time.Minute)
		wantLayer(t, l.Client, "disk", 1, flags.FreshnessStale)
		if s, _ := l.Status().ByName("primary"); s.State != "denied" || s.LastError == "" || s.Errors["denied"] == 0 {
			t.Errorf("Status says %+v", s)
		}
		l.check(t)
	})
}

// The caller's own haste is not an outage.
func TestCallersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		l.primary.mu.Lock()
		l.primary.answer = after(500 * time.Millisecond) // streams stay
		l.primary.mu.Unlock()
		for range 1000 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			l.Bool(flags.Fresh(ctx), "beta", anyone, false)
			cancel()
		}
		s, _ := l.Status().ByName("primary")
		if len(l.tripped()) != 0 || len(s.Errors) != 0 {
			t.Errorf("tripped %d times, errors %v", len(l.tripped()), s.Errors)
		}
		l.check(t)
	})
}

func withDisk(dir string) rung {
	return func(_ *testing.T, _ *ladder, o *flags.Options) {
		lkg := filestore.NewLastKnownGood(filepath.Join(dir, "flags.lkg"), "default", &filestore.LKGOptions{Logger: quiet})
		o.Disk = flags.Layer{Source: lkg, Sink: lkg}
		o.Owned = append(o.Owned, lkg)
	}
}

// With every layer dead the last known flags are served, and say how old they are.
func TestEverythingDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
		waitFor(t, time.Second, "toggle", l.on)
		l.primary.set(refuse)
		l.secondary.set(refuse)
		age := time.Duration(0)
		for range 20 {
			time.Sleep(30 * time.Second)
			if now := l.Status().Age; now <= age {
				t.Errorf("age fell from %v to %v", age, now)
			} else {
				age = now
			}
		}
		wantLayer(t, l.Client, "primary", 2, flags.FreshnessStale)
		l.check(t)
	})
}

// Dead layers at start cost the bound, and a file on disk costs nothing.
func TestStartsWithEverythingDead(t *testing.T) {
	dir := t.TempDir()
	dead := func(_ *testing.T, l *ladder, _ *flags.Options) { l.primary.set(hang); l.secondary.set(hang) }
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l := climb(t, dead)
		if took := time.Since(began); took != 1500*time.Millisecond {
			t.Errorf("New took %v, want 1.5 s", took)
		}
		if !l.Bool(t.Context(), "beta", anyone, true) {
			t.Error("no default")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		l := climb(t, withDisk(dir))
		wantLayer(t, l.Client, "primary", 1, flags.FreshnessFresh)
	})
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l := climb(t, withDisk(dir), dead)
		if took := time.Since(began); took != 0 {
			t.Errorf("New took %v with a file at hand", took)
		}
		wantLayer(t, l.Client, "disk", 1, flags.FreshnessStale)
		time.Sleep(time.Minute)
		wantLayer(t, l.Client, "disk", 1, flags.FreshnessStale)
		l.check(t)
	})
}
