package flags_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// took returns the details of a read and the virtual time it waited.
func (l *ladder) took(ctx context.Context) (flags.BoolDetails, time.Duration) {
	began := time.Now()
	d := l.BoolDetails(ctx, "beta", anyone, false)
	return d, time.Since(began)
}

func TestAtLeast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		sent := l.primary.count("", time.Time{})
		held := l.Token(t.Context())
		if d, took := l.took(flags.AtLeast(t.Context(), held)); d.Freshness != flags.FreshnessFresh || took != 0 {
			t.Errorf("held: %v after %v", d.Freshness, took)
		}
		if n := l.primary.count("", time.Time{}); n != sent {
			t.Errorf("a version that is held cost %d calls", n-sent)
		}
		matrix.Tally(t, "G7", 1, 0)

		write := apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
		written := write.Head().Token()
		if d, took := l.took(flags.AtLeast(t.Context(), written)); !d.Value || d.Token() != written || took > 10*time.Millisecond {
			t.Errorf("own write: %v at %v after %v", d.Value, d.Token(), took)
		}

		future := flags.Token{Set: "default", Version: flags.Version{Revision: 99}}
		ctx := flags.AtLeast(t.Context(), future)
		if d, took := l.took(ctx); d.Freshness != flags.FreshnessNotFresh || !d.Value || took != 250*time.Millisecond {
			t.Errorf("not written yet: %v, %v after %v", d.Freshness, d.Value, took)
		}
		if got := l.Token(ctx); got != future {
			t.Errorf("the session forgot %v and has %v", future, got)
		}
		other := flags.Token{Set: "another", Version: flags.Version{Revision: 99}}
		if d, took := l.took(flags.AtLeast(t.Context(), other)); d.Freshness != flags.FreshnessFresh || took != 0 {
			t.Errorf("token of another set: %v after %v", d.Freshness, took)
		}
		foreign := flags.Token{Set: "default", Version: flags.Version{Revision: 1}, Lineage: flags.NewLineage()}
		time.Sleep(time.Second)
		sent = l.primary.count("", time.Time{})
		if d, took := l.took(flags.AtLeast(t.Context(), foreign)); d.Freshness != flags.FreshnessNotFresh || took != 0 {
			t.Errorf("token of another lineage: %v after %v", d.Freshness, took)
		}
		if n := l.primary.count("", time.Time{}); n != sent+1 {
			t.Errorf("a token of another lineage cost %d questions, want 1", n-sent)
		}
		l.check(t)
	})
}

// A session that has seen two tokens demands what both do, whether they name their lineage or not.
func TestAtLeastTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		bare := flags.Token{Set: "default", Version: flags.Version{Revision: 99}}
		named := l.Token(t.Context())
		both := bare
		both.Lineage = named.Lineage
		for name, ctx := range map[string]context.Context{
			"the newer first": flags.AtLeast(flags.AtLeast(t.Context(), bare), named),
			"the newer last":  flags.AtLeast(flags.AtLeast(t.Context(), named), bare),
		} {
			if got := l.Token(ctx); got != both {
				t.Errorf("%s: demands %v, want %v", name, got, both)
			}
			if d, _ := l.took(ctx); d.Freshness != flags.FreshnessNotFresh {
				t.Errorf("%s: %v", name, d.Freshness)
			}
		}
	})
}

// A token newer than what the stream has brought is fetched past it.
func TestAtLeastAsksPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		l.primary.bendBy(func(u flags.Update) flags.Update {
			if len(u.Commits) == 1 { // the stream is a second late
				time.Sleep(time.Second)
			}
			return u
		})
		apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
		synctest.Wait()
		second := apply(t, l.primary.store, flags.OpChange, putFlag("other", onFlag))
		d, took := l.took(flags.AtLeast(t.Context(), second.Head().Token()))
		if d.Freshness != flags.FreshnessFresh || d.Token().Revision != 3 || took != 250*time.Millisecond {
			t.Errorf("at %v, %v after %v", d.Token(), d.Freshness, took)
		}
		time.Sleep(time.Minute)
		l.check(t)
	})
}

func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		began := time.Now()
		if d, _ := l.took(flags.Fresh(t.Context())); d.Freshness != flags.FreshnessFresh {
			t.Errorf("got %v", d.Freshness)
		}
		if n := l.primary.count("head", began); n != 1 {
			t.Errorf("asked for %d heads", n)
		}
		l.primary.mu.Lock()
		l.primary.answer = hang // the stream stays
		l.primary.mu.Unlock()
		if d, took := l.took(flags.Fresh(t.Context())); d.Freshness != flags.FreshnessNotFresh || d.Value || took != time.Second {
			t.Errorf("with a primary that hangs: %v after %v", d.Freshness, took)
		}
		l.check(t)
	})
}

// The primary's word is its head: where what it then delivers is older, as several servers
// behind one name may be, the answer is not fresh.
func TestFreshIsNoOlderThanTheHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		l.primary.bendHead(func(h flags.Head) flags.Head { h.Revision++; return h })
		if d, _ := l.took(flags.Fresh(t.Context())); d.Freshness != flags.FreshnessNotFresh {
			t.Errorf("%v at %v, and the primary said that there is more", d.Freshness, d.Token())
		}
		l.primary.bendHead(nil)
		if d, _ := l.took(flags.Fresh(t.Context())); d.Freshness != flags.FreshnessFresh {
			t.Errorf("got %v", d.Freshness)
		}
	})
}

// Questions that wait for each other are answered together: at most one is under
// way and one behind it, whatever the number of readers.
func TestFreshIsCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		l.primary.mu.Lock()
		l.primary.answer = after(100 * time.Millisecond)
		l.primary.mu.Unlock()
		askAtOnce(t, l, flags.FreshnessFresh)
	})
}

// askAtOnce has a hundred readers ask for the primary's word at one instant, which must
// cost two questions at most and bring each of them want.
func askAtOnce(t *testing.T, l *ladder, want flags.Freshness) {
	t.Helper()
	began := time.Now()
	done := make(chan flags.Freshness)
	for range 100 {
		go func() { done <- l.BoolDetails(flags.Fresh(t.Context()), "beta", anyone, false).Freshness }()
	}
	for range 100 {
		if f := <-done; f != want {
			t.Errorf("got %v", f)
		}
	}
	if n := l.primary.count("head", began); n > 2 {
		t.Errorf("%d questions for 100 readers", n)
	}
}

func TestPin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		ctx := l.Pin(t.Context())
		written := apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
		waitFor(t, time.Second, "toggle", l.on)
		if l.Bool(ctx, "beta", anyone, false) || l.Token(ctx).Revision != 1 {
			t.Error("the pinned snapshot moved")
		}
		again := l.Pin(ctx)
		if l.Bool(again, "beta", anyone, false) {
			t.Error("a pin within a pin moved")
		}
		later := l.BoolDetails(flags.AtLeast(ctx, written.Head().Token()), "beta", anyone, false)
		if later.Value || later.Freshness != flags.FreshnessNotFresh {
			t.Errorf("pinned, and a newer version demanded: %v, %v", later.Value, later.Freshness)
		}
	})
}

// Reads cost one look at the context and no memory, however deep the context and
// whatever it demands, as long as memory meets it. Demanding costs the context.
func TestReadsWithContextDoNotAllocate(t *testing.T) {
	s := memstore.New(nil)
	defer closed(t, s)
	create(t, s)
	c := open(t, flags.Options{Primary: flags.Layer{Source: s, Watcher: s}})
	type key int
	ctx := t.Context()
	for i := range 8 {
		ctx = context.WithValue(ctx, key(i), i) //nolint:fatcontext // deep on purpose
	}
	held := c.Token(ctx)
	floor := flags.AtLeast(ctx, held)
	session := flags.WithSession(ctx)
	c.Bool(session, "beta", anyone, false) // the first read of a version is what the session learns from
	for name, ctx := range map[string]context.Context{
		"plain": ctx, "held token": floor, "strict": flags.Strict(floor), "bounded age": flags.MaxStaleness(floor, time.Hour),
		"pinned": c.Pin(floor), "session": session, "all of them": c.Pin(flags.Strict(flags.MaxStaleness(flags.AtLeast(session, held), time.Hour))),
	} {
		if n := testing.AllocsPerRun(100, func() {
			c.Bool(ctx, "beta", anyone, false)
			c.BoolDetails(ctx, "beta", anyone, false)
			c.Bool(ctx, "nonsense", anyone, false)
			c.View(ctx).Bool("beta", anyone, false)
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	var sink any // makes the context escape, as a request's does
	if n := testing.AllocsPerRun(100, func() { sink = flags.AtLeast(ctx, held) }); n != 1 {
		t.Errorf("AtLeast costs %v allocations, want the context alone (%v)", n, sink)
	}
}
