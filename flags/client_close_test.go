package flags_test

import (
	"context"
	"sync"
	"sync/atomic"
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

// lastPut remembers what it was given last; while stuck it takes nothing.
type lastPut struct {
	stuck atomic.Bool
	mu    sync.Mutex
	head  flags.Head
}

func (p *lastPut) Put(ctx context.Context, u flags.Update, _ func() *flags.Checkpoint) error {
	if p.stuck.Load() {
		return hang(ctx, "put")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.head = u.Head
	return nil
}

// What reads saw last is what the disk has after Close, also where a change comes in
// that very moment, or a write was under way and is cut.
func TestCloseWritesWhatReadsSaw(t *testing.T) {
	for name, stuck := range map[string]bool{"change comes in": false, "write is cut": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 50 {
					disk := &lastPut{}
					l := climb(t, func(_ *testing.T, _ *ladder, o *flags.Options) { o.Disk = flags.Layer{Sink: disk} })
					disk.stuck.Store(stuck)
					change := func() { apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag)) }
					var changing sync.WaitGroup
					if stuck {
						change()
						synctest.Wait() // the write hangs
						disk.stuck.Store(false)
					} else {
						changing.Go(change)
					}
					closed(t, l.Client)
					if read := l.Token(t.Context()); disk.head.Token() != read {
						t.Errorf("reads saw %v, the disk has %v", read, disk.head.Token())
					}
					changing.Wait()
				}
			})
		})
	}
}
