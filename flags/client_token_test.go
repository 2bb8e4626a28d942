package flags_test

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// A read that carries the token of a write sees it at once, also where the stream is
// late; one that ignores tokens does not.
func TestReadYourWrites(t *testing.T) {
	twins(t, flags.WithoutTokenGuard, func(t *testing.T, guard rung) (violated bool) {
		l := climb(t, guard, func(_ *testing.T, l *ladder, _ *flags.Options) { l.primary.bendBy(late) })
		for i := range 20 {
			time.Sleep(50 * time.Millisecond)
			text := []string{onFlag, switchFlag}[i%2]
			written := write(t, l.primary.store, putFlag("beta", text))
			d, took := l.took(flags.AtLeast(t.Context(), written))
			if took > 1250*time.Millisecond {
				t.Errorf("waited %v", took)
			}
			if d.Token().Before(written.Version) && d.Freshness != flags.FreshnessNotFresh {
				violated = true
			}
		}
		l.check(t)
		return violated
	})
}

// late keeps what commits bring back for longer than a token is waited for.
func late(u flags.Update) flags.Update {
	if len(u.Commits) == 1 {
		time.Sleep(400 * time.Millisecond)
	}
	return u
}

// Tokens come from anywhere, headers of strangers included. Whatever they say, they
// cost the primary ten questions a second, one at a time; without the guard they are load.
func TestGarbageTokensAreNoLoad(t *testing.T) {
	twins(t, flags.WithoutPaceGuard, func(t *testing.T, guard rung) (violated bool) {
		l := climb(t, guard)
		l.primary.mu.Lock()
		l.primary.answer = after(5 * time.Millisecond)
		l.primary.mu.Unlock()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		done := make(chan int)
		for range 20 {
			foreign := flags.Token{Set: "default", Version: flags.Version{Epoch: 3, Revision: 1}, Lineage: flags.NewLineage()}
			go func() {
				fresh := 0
				for ctx.Err() == nil {
					if d := l.BoolDetails(flags.AtLeast(ctx, foreign), "beta", anyone, false); d.Freshness != flags.FreshnessNotFresh {
						fresh++
					}
				}
				done <- fresh
			}()
		}
		for range 20 {
			if fresh := <-done; fresh > 0 {
				t.Errorf("%d reads with a token of another history were answered as if it were met", fresh)
			}
		}
		asked := l.primary.count("head", began)
		if asked < 40 {
			t.Errorf("asked %d times in 5 s: tokens were ignored", asked)
		}
		if len(l.tripped()) != 0 {
			t.Error("garbage opened the gate")
		}
		return asked > 51
	})
}

// A token that nobody can meet costs its request one wait, not one with each read; a
// second later it is tried again, and what comes meanwhile is seen at once.
func TestRequestWaitsOnce(t *testing.T) {
	twins(t, flags.WithoutAgainGuard, func(t *testing.T, guard rung) bool {
		l := climb(t, guard)
		ctx := flags.WithSession(t.Context())
		future := l.Token(ctx)
		future.Revision += 2
		flags.Saw(ctx, future)
		began := time.Now()
		for range 20 {
			if d, _ := l.took(flags.MaxStaleness(ctx, time.Hour)); d.Freshness != flags.FreshnessNotFresh {
				t.Errorf("got %v", d.Freshness)
			}
		}
		waited := time.Since(began)
		time.Sleep(1100 * time.Millisecond)
		sent := l.primary.count("head", time.Time{})
		l.took(ctx)
		if n := l.primary.count("head", time.Time{}); n != sent+1 {
			t.Errorf("a second later asked %d times, want once", n-sent)
		}
		write(t, l.primary.store, putFlag("beta", onFlag))
		write(t, l.primary.store, putFlag("other", onFlag))
		synctest.Wait()
		if d, took := l.took(ctx); d.Freshness != flags.FreshnessFresh || took != 0 {
			t.Errorf("what had come meanwhile: %v after %v", d.Freshness, took)
		}
		return waited > 1250*time.Millisecond
	})
}

// A question that fails is the answer for all that waited for it: a primary that is
// down is not asked by one waiting reader after the other.
func TestFailedQuestionsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		l.primary.mu.Lock()
		l.primary.answer = func(ctx context.Context, op string) error {
			_ = after(50*time.Millisecond)(ctx, op)
			return refuse(ctx, op)
		}
		l.primary.mu.Unlock()
		askAtOnce(t, l, flags.FreshnessNotFresh)
	})
}

// An older epoch has ended because something happened to the set; what, the primary
// must have said once. From then on memory is enough.
func TestTokenOfAnOlderEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		old := write(t, l.primary.store, putFlag("beta", onFlag))
		apply(t, l.primary.store, flags.OpSeal)
		apply(t, l.primary.store, flags.OpCreate, putFlag("beta", switchFlag))
		waitFor(t, time.Second, "the next epoch", func() bool { return l.Token(t.Context()).Epoch == 1 })

		l.primary.mu.Lock()
		l.primary.answer = refuse // the stream stays
		l.primary.mu.Unlock()
		if d, _ := l.took(flags.AtLeast(t.Context(), old)); d.Freshness != flags.FreshnessNotFresh {
			t.Errorf("nobody was asked what became of %v: %v", old, d.Freshness)
		}
		l.primary.mu.Lock()
		l.primary.answer = nil
		l.primary.mu.Unlock()
		time.Sleep(time.Second)
		began := time.Now()
		for range 100 {
			if d, took := l.took(flags.AtLeast(t.Context(), old)); d.Freshness != flags.FreshnessFresh || took != 0 {
				t.Errorf("%v after %v", d.Freshness, took)
			}
		}
		if n := l.primary.count("head", began); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}

// The answers of a process and of the next one on the same disk never go back: exactly
// after a clean end, and after a crash not below the file.
func TestRestartNeverGoesBack(t *testing.T) {
	for name, crash := range map[string]bool{"clean": false, "crash": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { restart(t, crash) })
		})
	}
}

func restart(t *testing.T, crash bool) {
	dir := t.TempDir()
	stores := climb(t)
	onto := func(t *testing.T, l *ladder, _ *flags.Options) {
		closed(t, l.primary.store)
		l.primary.store = stores.primary.store
	}
	var read flags.Version
	for i := range 10 {
		l := climb(t, withDisk(dir), onto, func(_ *testing.T, l *ladder, _ *flags.Options) {
			if i > 0 {
				l.primary.set(hang) // what the disk has is all there is
				l.secondary.set(hang)
			}
		})
		first := l.Token(t.Context()).Version
		if !crash && first.Before(read) {
			t.Errorf("start %d: read %v, before the restart it was %v", i, first, read)
		}
		if crash && (first.Before(read) || first.IsZero() && i > 0) {
			t.Errorf("start %d: read %v, the file had %v", i, first, read)
		}
		l.primary.set(nil)
		for range 5 {
			apply(t, stores.primary.store, flags.OpChange, putFlag("beta", onFlag))
			apply(t, stores.primary.store, flags.OpChange, putFlag("beta", switchFlag))
		}
		want, err := stores.primary.store.Head(t.Context(), "default")
		if err != nil {
			t.Fatal(err)
		}
		waitFor(t, 70*time.Second, "the primary", func() bool { return l.Token(t.Context()).Version == want.Version })
		read = want.Version
		if crash {
			// What is in the file a second later counts; what comes after is lost with the process.
			time.Sleep(1100 * time.Millisecond)
			saved := copyOfDir(t, dir)
			apply(t, stores.primary.store, flags.OpChange, putFlag("beta", onFlag))
			synctest.Wait()
			closed(t, l.Client) // the process is gone, and so is what it wrote after the copy
			dir = saved
			continue
		}
		closed(t, l.Client)
	}
}

func copyOfDir(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// write changes the set and returns the token.
func write(t *testing.T, s *memstore.Store, changes ...flags.Mutation) flags.Token {
	t.Helper()
	c := apply(t, s, flags.OpChange, changes...)
	return c.Head().Token()
}
