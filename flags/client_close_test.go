package flags_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Close ends everything at once, in whatever state the layers are, and reads go on.
// What is left running would keep the bubble of the test from ending.
func TestCloseInTheMiddle(t *testing.T) {
	for name, mishap := range map[string]func(l *ladder, cache *cacheFault){
		"healthy":              func(*ladder, *cacheFault) {},
		"primary refuses":      func(l *ladder, _ *cacheFault) { l.primary.set(refuse) },
		"primary hangs":        func(l *ladder, _ *cacheFault) { l.primary.set(hang) },
		"both hang":            func(l *ladder, _ *cacheFault) { l.primary.set(hang); l.secondary.set(hang) },
		"everything is broken": func(l *ladder, c *cacheFault) { l.primary.set(hang); l.secondary.set(refuse); c.down.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cache := newCache(t)
				l := climb(t, withCache(cache), withDisk(t.TempDir()))
				mishap(l, cache)
				time.Sleep(7300 * time.Millisecond)
				done := make(chan struct{})
				for range 10 {
					go func() {
						defer func() { done <- struct{}{} }()
						for range 20 {
							l.Bool(flags.Fresh(t.Context()), "beta", anyone, false)
						}
					}()
				}
				began := time.Now()
				closed(t, l.Client)
				if took := time.Since(began); took > 200*time.Millisecond {
					t.Errorf("Close took %v", took)
				}
				for range 10 {
					<-done
				}
				closed(t, l.Client)
				if d := l.BoolDetails(t.Context(), "beta", anyone, true); d.Value || d.ErrorCode != flags.ErrorNone {
					t.Errorf("a read after Close: %v, %v", d.Value, d.ErrorCode)
				}
				l.check(t)
			})
		})
	}
}

// A primary that leaves on purpose says for how long; that is no failure, and the
// stream is back afterwards.
func TestPrimaryDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		time.Sleep(30 * time.Second)
		began := time.Now()
		l.primary.drain(3 * time.Second)
		waitFor(t, 11*time.Second, "the stream to end", func() bool { return !l.streaming() })
		apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
		waitFor(t, 4*time.Second, "toggle", l.on)
		s, _ := l.Status().ByName("primary")
		if len(s.Errors) != 0 || l.secondary.count("head", began) > 1 {
			t.Errorf("errors %v, secondary asked %d times", s.Errors, l.secondary.count("head", began))
		}
		l.check(t)
	})
}

// A copy that holds something else at the same version gives way to the origin.
func TestOriginWinsOverCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		head, err := l.primary.store.Head(t.Context(), "default")
		if err != nil {
			t.Fatal(err)
		}
		entry := flags.Entry{Key: flags.FlagKey("beta"), Bytes: []byte(onFlag), Revision: 1}
		head.Digest = flags.EntryHash(entry.Key, entry.Bytes)
		wrong := copyOf{&flags.Checkpoint{Head: head, Entries: []flags.Entry{entry}}}
		c := open(t, flags.Options{Disk: flags.Layer{Source: wrong}, Primary: flags.Layer{Source: l.primary, Watcher: l.primary}})
		waitFor(t, time.Second, "the primary's", func() bool { return !c.Bool(t.Context(), "beta", anyone, true) })
		wantLayer(t, c, "primary", 1, flags.FreshnessFresh)
	})
}
