package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// scripted is a source that answers with a revision or an error.
type scripted struct {
	revision uint64
	err      error
	calls    int
}

func (s *scripted) Head(context.Context, string) (flags.Head, error) {
	s.calls++
	if s.err != nil {
		return flags.Head{}, s.err
	}
	return flags.Head{Set: "shop", Lineage: "abcdefgh", Version: flags.Version{Revision: s.revision}}, nil
}

func (s *scripted) Fetch(ctx context.Context, set string, _ flags.Head) (flags.Update, error) {
	h, err := s.Head(ctx, set)
	return flags.Update{Head: h}, err
}

func failing(class flags.Class) error {
	return &flags.SourceError{Class: class, Op: "test: head", Err: errors.New(class.String())}
}

func TestFallbackRule(t *testing.T) {
	for name, tc := range map[string]struct {
		primary error
		second  bool // the secondary serves
	}{
		"no error":     {nil, false},
		"transient":    {failing(flags.ClassTransient), true},
		"unclassified": {errors.New("who knows"), true},
		"open gate":    {&breaker.OpenError{Name: "primary"}, true},
		"budget":       {breaker.ErrBudget, true},
		"not found":    {failing(flags.ClassNotFound), false},
		"permanent":    {failing(flags.ClassPermanent), false},
		"denied":       {failing(flags.ClassDenied), false},
		"canceled":     {failing(flags.ClassCanceled), false},
	} {
		t.Run(name, func(t *testing.T) {
			primary, secondary := &scripted{revision: 1, err: tc.primary}, &scripted{revision: 2}
			s := store.Fallback(primary, secondary, closedGate{}, nil)
			for _, call := range []func() (flags.Head, error){
				func() (flags.Head, error) { return s.Head(t.Context(), "shop") },
				func() (flags.Head, error) {
					u, err := s.Fetch(t.Context(), "shop", flags.Head{})
					return u.Head, err
				},
			} {
				h, err := call()
				switch {
				case tc.second && (err != nil || h.Revision != 2):
					t.Fatalf("got revision %d, %v; want the secondary's answer", h.Revision, err)
				case !tc.second && (!errors.Is(err, tc.primary) || secondary.calls != 0):
					t.Fatalf("got %v after %d calls of the secondary; want %v and none", err, secondary.calls, tc.primary)
				}
			}
		})
	}
}

func TestFallbackOfACallerWhoLeft(t *testing.T) {
	secondary := &scripted{}
	s := store.Fallback(&scripted{err: failing(flags.ClassTransient)}, secondary, closedGate{}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Head(ctx, "shop")
	if flags.ClassOf(err) != flags.ClassCanceled || secondary.calls != 0 {
		t.Fatalf("%v of class %s after %d calls of the secondary", err, flags.ClassOf(err), secondary.calls)
	}
}

func TestFallbackBehindABreaker(t *testing.T) {
	primary, secondary := &scripted{revision: 9}, &scripted{revision: 8}
	var seen []store.Secondhand
	gate := breaker.New(breaker.Options{Name: "primary"})
	s := store.Fallback(primary, secondary, gate, &store.FallbackOptions{
		Budget: time.Second,
		Served: func(a store.Secondhand) { seen = append(seen, a) },
	})
	if _, err := s.Head(t.Context(), "shop"); err != nil || len(seen) != 0 {
		t.Fatalf("healthy: %v, %d answers of the secondary", err, len(seen))
	}
	primary.err = failing(flags.ClassTransient)
	for range 10 {
		if h, err := s.Head(t.Context(), "shop"); err != nil || h.Revision != 8 {
			t.Fatalf("outage: %+v, %v", h, err)
		}
	}
	if primary.calls != 1+4 || len(seen) != 10 {
		t.Fatalf("%d calls of the primary and %d answers of the secondary, want 5 and 10", primary.calls, len(seen))
	}
	last := seen[9]
	if !last.Older || !errors.Is(last.Why, breaker.ErrOpen) || errors.Is(seen[0].Why, breaker.ErrOpen) || last.Head.Revision != 8 {
		t.Fatalf("the last answer is marked %+v", last)
	}
	secondary.revision = 9
	if _, err := s.Head(t.Context(), "shop"); err != nil || seen[10].Older {
		t.Fatalf("level with the primary: %v, %+v", err, seen[10])
	}
}

func TestFallbackWithBothGone(t *testing.T) {
	secondary := &scripted{err: store.Classify("test: head", store.ErrNotFound)}
	s := store.Fallback(&scripted{err: failing(flags.ClassTransient)}, secondary, closedGate{}, nil)
	_, err := s.Head(t.Context(), "shop")
	if flags.ClassOf(err) != flags.ClassTransient || errors.Is(err, store.ErrNotFound) {
		t.Fatalf("%v of class %s: a secondary that was never filled says nothing about the set", err, flags.ClassOf(err))
	}
}
