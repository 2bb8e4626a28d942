package flags_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// impatient is a primary of the kind that cannot wait for a set.
type impatient struct{ *memstore.Store }

func (s impatient) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	if _, err := s.Head(ctx, set); err != nil {
		return nil, err
	}
	return s.Store.Watch(ctx, set, have)
}

// A set that never was has no revision to be absent at. Created later it is there at once to
// who has its token, and as soon as the stream brings it to the others; without a stream
// that waits, within a try.
func TestAbsentSet(t *testing.T) {
	for _, tt := range []struct {
		name    string
		byToken bool
		watcher func(*memstore.Store) flags.Watcher
		within  time.Duration
	}{
		{"with its token", true, func(s *memstore.Store) flags.Watcher { return s }, 0},
		{"by the stream", false, func(s *memstore.Store) flags.Watcher { return s }, 0},
		{"with its token, of a primary that cannot wait", true, func(s *memstore.Store) flags.Watcher { return impatient{s} }, 0},
		{"of a primary that cannot wait", false, func(s *memstore.Store) flags.Watcher { return impatient{s} }, 1300 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memstore.New(nil)
				defer closed(t, s)
				c := open(t, flags.Options{Primary: flags.Layer{Source: s, Watcher: tt.watcher(s)}})
				time.Sleep(10*time.Minute + 333*time.Millisecond)
				if d := c.BoolDetails(t.Context(), "beta", anyone, true); d.ErrorCode != flags.ErrorProviderNotReady || d.Token() != (flags.Token{}) {
					t.Errorf("before it is there: %v at %v", d.ErrorCode, d.Token())
				}
				if l, _ := c.Status().ByName("primary"); l.State != "absent" || l.Misses == 0 || len(l.Errors) != 0 {
					t.Errorf("Status says %+v", l)
				}
				created := apply(t, s, flags.OpCreate, putFlag("beta", onFlag))
				began, ctx := time.Now(), t.Context()
				if tt.byToken {
					ctx = flags.AtLeast(ctx, created.Head().Token())
				} else {
					synctest.Wait()
				}
				waitFor(t, tt.within+time.Millisecond, "the set", func() bool { return c.Bool(ctx, "beta", anyone, false) })
				if took := time.Since(began); took > tt.within {
					t.Errorf("there after %v", took)
				}
				if l, _ := c.Status().ByName("primary"); l.State == "absent" || l.LastError != "" {
					t.Errorf("Status says %+v", l)
				}
			})
		})
	}
}

// That the primary has no such set is an answer: nobody else is asked, and to the gate it
// is a success, also when it comes on a stream that stays open.
func TestAbsentSetIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t, emptyPrimary)
		for range 20 {
			before := l.primary.count("watch", time.Time{})
			l.primary.set(refuse) // the stream is lost: one
			waitFor(t, 5*time.Second, "two more failures", func() bool { return l.primary.count("watch", time.Time{}) == before+2 })
			l.primary.set(nil)
			waitFor(t, 2*time.Second, "the answer", func() bool { s, _ := l.Status().ByName("primary"); return s.State == "absent" })
		}
		if n := len(l.tripped()); n != 0 {
			t.Errorf("tripped %d times", n)
		}
		opened := time.Now()
		time.Sleep(10 * time.Minute)
		if n := l.primary.count("", opened); n != 0 {
			t.Errorf("%d calls to the primary in 10 min, want one open stream", n)
		}
		if n := l.secondary.count("fetch", opened); n > 1 {
			t.Errorf("the secondary was read %d times", n) // to try it out
		}
		held := l.View(t.Context()).Token()
		if d := l.BoolDetails(t.Context(), "beta", anyone, false); d.Freshness == flags.FreshnessFresh {
			t.Errorf("what nobody can confirm is %v", d.Freshness)
		}
		mirror(t, l.secondary.store, l.primary.store)
		created := apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
		synctest.Wait()
		if d := l.BoolDetails(t.Context(), "beta", anyone, false); d.Token() != created.Head().Token() || d.Layer() != "primary" {
			t.Errorf("at %v by %q, after %v", d.Token(), d.Layer(), held)
		}
	})
}

// A primary that has lost its set has nothing to say about what it was: what is held stays.
func TestPrimaryLosesItsSet(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { climb(t, withDisk(dir)) })
	synctest.Test(t, func(t *testing.T) {
		l := climb(t, withDisk(dir), emptyPrimary, func(_ *testing.T, _ *ladder, o *flags.Options) { o.Secondary = flags.Layer{} })
		time.Sleep(10 * time.Minute)
		wantLayer(t, l.Client, "disk", 1, flags.FreshnessStale)
	})
}

// emptyPrimary has the primary know nothing.
func emptyPrimary(_ *testing.T, l *ladder, o *flags.Options) {
	l.primary = newFault(memstore.New(nil))
	o.Primary.Source, o.Primary.Watcher = l.primary, l.primary
}
