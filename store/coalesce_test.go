package store_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// slow is a source whose revision is what it was when a call began, and whose
// calls take a second.
type slow struct {
	revision, calls atomic.Uint64
	fail            func() error
}

func (s *slow) Head(ctx context.Context, set string) (flags.Head, error) {
	s.calls.Add(1)
	h := flags.Head{Set: set, Version: flags.Version{Revision: s.revision.Load()}}
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		// As drivers do: to them it is their caller who gave up.
		return flags.Head{}, &flags.SourceError{Class: flags.ClassCanceled, Op: "slow: head", Err: ctx.Err()}
	}
	if s.fail != nil {
		return flags.Head{}, s.fail()
	}
	return h, nil
}

func (s *slow) Fetch(ctx context.Context, set string, _ flags.Head) (flags.Update, error) {
	h, err := s.Head(ctx, set)
	return flags.Update{Head: h}, err
}

func TestCoalesceSharesCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		origin := &slow{}
		s := store.Coalesce(origin, nil)
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if _, err := s.Fetch(t.Context(), "shop", flags.Head{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := origin.calls.Load(); n != 2 {
			t.Fatalf("1000 callers made %d calls, want the first one and one for all the others", n)
		}
		for _, have := range []flags.Head{{Lineage: "a"}, {Version: flags.Version{Revision: 1}}, {Count: 1}} {
			wg.Go(func() { _, _ = s.Fetch(t.Context(), "shop", have) })
		}
		wg.Wait()
		if n := origin.calls.Load(); n != 5 {
			t.Fatalf("three callers with different starting points made %d calls", n-2)
		}
	})
}

// guarded runs a scenario as it is, where the guard must hold, and with the guard off,
// where the same scenario must notice.
func guarded[O any](t *testing.T, sabotage func(O) O, scenario func(t *testing.T, o O) (violated bool)) {
	t.Helper()
	for name, switchOff := range map[string]bool{"guarded": false, "sabotaged": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var o O
				if switchOff {
					o = sabotage(o)
				}
				if violated := scenario(t, o); violated != switchOff {
					t.Errorf("violated: %v", violated)
				}
			})
		})
	}
}

// TestCoalesceNeverGoesBack asks while a call is under way that began before a
// write: its answer would be older than what was acknowledged.
func TestCoalesceNeverGoesBack(t *testing.T) {
	guarded(t, store.WithoutLaterCall, func(t *testing.T, o store.CoalesceOptions) bool {
		origin := &slow{}
		s := store.Coalesce(origin, &o)
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() { _, _ = s.Head(t.Context(), "shop") })
		time.Sleep(time.Second / 2)
		origin.revision.Store(7) // acknowledged: whoever asks now demands at least this
		h, err := s.Head(t.Context(), "shop")
		if err != nil {
			t.Error(err)
		}
		return h.Revision != 7
	})
}

// The first caller of a call leaves; those who share it get their answer all the same.
func TestCoalescedCallSurvivesItsFirstCaller(t *testing.T) {
	guarded(t, store.WithoutOwnContext, func(t *testing.T, o store.CoalesceOptions) bool {
		origin := &slow{}
		s := store.Coalesce(origin, &o)
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = s.Head(t.Context(), "shop") })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() { // the first of the next call
			_, err := s.Head(ctx, "shop")
			if !errors.Is(err, context.Canceled) || flags.ClassOf(err) != flags.ClassCanceled {
				t.Errorf("the caller who gave up got %v", err)
			}
		})
		synctest.Wait()
		var stayed error
		wg.Go(func() { _, stayed = s.Head(t.Context(), "shop") })
		time.Sleep(time.Second + time.Second/2)
		cancel()
		wg.Wait()
		if n := origin.calls.Load(); n != 2 {
			t.Errorf("%d calls, want 2", n)
		}
		return stayed != nil
	})
}

func TestCoalesceDropsCallsNobodyWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		origin := &slow{}
		s := store.Coalesce(origin, nil)
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = s.Head(t.Context(), "shop") })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		_, _ = s.Head(ctx, "shop")
		wg.Wait()
		synctest.Wait()
		if n := origin.calls.Load(); n != 1 {
			t.Fatalf("%d calls, want 1: who waited for the second gave up", n)
		}
	})
}

func TestCoalesceBoundsAndContains(t *testing.T) {
	for name, tc := range map[string]struct {
		fail func() error
		want string
	}{
		"a panic": {func() error { panic("torn") }, "shared call: torn"},
		"an exit": {func() error { runtime.Goexit(); return nil }, "exit in a shared call"},
		"a hang":  {func() error { return nil }, context.DeadlineExceeded.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				budget := 10 * time.Second
				if name == "a hang" {
					budget = time.Second / 2
				}
				s := store.Coalesce(&slow{fail: tc.fail}, &store.CoalesceOptions{Budget: budget})
				for range 2 { // the key is usable again
					_, err := s.Head(t.Context(), "shop")
					if err == nil || !strings.Contains(err.Error(), tc.want) || flags.ClassOf(err) != flags.ClassTransient {
						t.Fatalf("error %v of class %s, want %q, transient", err, flags.ClassOf(err), tc.want)
					}
				}
			})
		})
	}
}
