package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

// A broken store is the reference store with one guarantee taken away.
type broken struct {
	*memstore.Store
	apply  func(context.Context, store.Store, flags.Commit) (flags.Commit, error)
	fetch  func(context.Context, store.Store, string, flags.Head) (flags.Update, error)
	head   func(context.Context, store.Store, string) (flags.Head, error)
	stream func(flags.Stream) flags.Stream
	page   func([]flags.Commit) []flags.Commit
	fault  func(error) error
	over   chan struct{} // closed after the case, if not nil
}

func (b *broken) blame(err error) error {
	if err != nil && b.fault != nil {
		return b.fault(err)
	}
	return err
}

func (b *broken) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	if b.apply != nil {
		return b.apply(ctx, b.Store, c)
	}
	accepted, err := b.Store.Apply(ctx, c)
	return accepted, b.blame(err)
}

func (b *broken) Head(ctx context.Context, set string) (flags.Head, error) {
	if b.head != nil {
		return b.head(ctx, b.Store, set)
	}
	h, err := b.Store.Head(ctx, set)
	return h, b.blame(err)
}

func (b *broken) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	if b.fetch != nil {
		return b.fetch(ctx, b.Store, set, have)
	}
	u, err := b.Store.Fetch(ctx, set, have)
	return u, b.blame(err)
}

func (b *broken) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	s, err := b.Store.Watch(ctx, set, have)
	if err == nil && b.stream != nil {
		s = b.stream(s)
	}
	return s, b.blame(err)
}

func (b *broken) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	cs, err := b.Store.Commits(ctx, set, from, to, limit)
	if b.page != nil {
		cs = b.page(cs)
	}
	return cs, b.blame(err)
}

// tampering is a stream whose events pass through change.
type tampering struct {
	flags.Stream
	change func(n int, ev flags.Event) flags.Event
	events int
}

func (s *tampering) Next() (flags.Event, error) {
	ev, err := s.Stream.Next()
	s.events++
	if err == nil {
		ev = s.change(s.events, ev)
	}
	return ev, err
}

func onEvents(change func(n int, ev flags.Event) flags.Event) func(flags.Stream) flags.Stream {
	return func(s flags.Stream) flags.Stream { return &tampering{Stream: s, change: change} }
}

func unconditional(c flags.Commit) flags.Commit {
	c.If, c.Conditions = flags.Version{}, nil
	return c
}

// sabotages are the ways to be broken, with the cases that must find out.
var sabotages = map[string]struct {
	make   func() *broken
	caught []string
}{
	"preconditions are ignored": {func() *broken {
		return &broken{apply: func(ctx context.Context, s store.Store, c flags.Commit) (flags.Commit, error) {
			return s.Apply(ctx, unconditional(c))
		}}
	}, []string{"preconditions/entry at its revision", "preconditions/whole set at its version", "concurrency/no update is lost", "concurrency/is linearizable"}},
	"preconditions are checked before, not with, the write": {func() *broken {
		return &broken{apply: checkThenAct}
	}, []string{"concurrency/no update is lost"}},
	"a repeated commit is applied again": {func() *broken {
		return &broken{apply: func(ctx context.Context, s store.Store, c flags.Commit) (flags.Commit, error) {
			c.ID = flags.NewCommitID()
			return s.Apply(ctx, c)
		}}
	}, []string{"idempotency/the same id is applied once", "idempotency/at the same time", "idempotency/mine, already applied, is no conflict"}},
	"a failed write leaves a part behind": {func() *broken {
		return &broken{apply: func(ctx context.Context, s store.Store, c flags.Commit) (flags.Commit, error) {
			accepted, err := s.Apply(ctx, c)
			if err != nil && len(c.Changes) > 1 {
				part := unconditional(c)
				part.Changes = part.Changes[:1]
				_, _ = s.Apply(ctx, part)
			}
			return accepted, err
		}}
	}, []string{"preconditions/all of several must hold"}},
	"names ignore case": {func() *broken {
		return &broken{apply: func(ctx context.Context, s store.Store, c flags.Commit) (flags.Commit, error) {
			c.Changes = slices.Clone(c.Changes)
			for i := range c.Changes {
				c.Changes[i].Key.Name = strings.ToLower(c.Changes[i].Key.Name)
			}
			return s.Apply(ctx, c)
		}}
	}, []string{"names/are compared byte by byte"}},
	"heads lag behind": {func() *broken {
		var mu sync.Mutex
		last := map[string]flags.Head{}
		return &broken{head: func(ctx context.Context, s store.Store, set string) (flags.Head, error) {
			h, err := s.Head(ctx, set)
			if err != nil {
				return h, err
			}
			mu.Lock()
			defer mu.Unlock()
			old, known := last[set]
			last[set] = h
			if known {
				return old, nil
			}
			return h, nil
		}}
	}, []string{"concurrency/is linearizable"}},
	"fetched commits lack one": {func() *broken {
		return &broken{fetch: func(ctx context.Context, s store.Store, set string, have flags.Head) (flags.Update, error) {
			u, err := s.Fetch(ctx, set, have)
			if len(u.Commits) > 1 {
				u.Commits = slices.Delete(u.Commits, 1, 2)
			}
			return u, err
		}}
	}, []string{"fetch/commits to who is a little behind"}},
	"a checkpoint is partial": {func() *broken {
		return &broken{fetch: func(ctx context.Context, s store.Store, set string, have flags.Head) (flags.Update, error) {
			u, err := s.Fetch(ctx, set, have)
			if u.Checkpoint != nil && len(u.Checkpoint.Entries) > 0 {
				cp := *u.Checkpoint
				cp.Entries = cp.Entries[1:]
				u.Checkpoint = &cp
			}
			return u, err
		}}
	}, []string{"volume/a large set"}},
	"the reader's digest is not looked at": {func() *broken {
		return &broken{fetch: func(ctx context.Context, s store.Store, set string, have flags.Head) (flags.Update, error) {
			u, err := s.Fetch(ctx, set, have)
			if err == nil && have.Lineage == u.Head.Lineage && have.Version == u.Head.Version {
				return flags.Update{Head: u.Head}, nil
			}
			return u, err
		}}
	}, []string{"fetch/a checkpoint where the digest differs at the head"}},
	"the reader's lineage is not looked at": {func() *broken {
		return &broken{fetch: func(ctx context.Context, s store.Store, set string, have flags.Head) (flags.Update, error) {
			if h, err := s.Head(ctx, set); err == nil && !have.Version.IsZero() {
				have.Lineage = h.Lineage
			}
			return s.Fetch(ctx, set, have)
		}}
	}, []string{"fetch/a checkpoint to another lineage"}},
	"a watch drops events": {func() *broken {
		return &broken{stream: onEvents(func(n int, ev flags.Event) flags.Event {
			if n%3 == 0 {
				ev.Commits, ev.Checkpoint = nil, nil
			}
			return ev
		})}
	}, []string{"watch/delivers what is written"}},
	"a watch delivers twice": {func() *broken {
		return &broken{stream: onEvents(func(_ int, ev flags.Event) flags.Event {
			ev.Commits = append(slices.Clone(ev.Commits), ev.Commits...)
			return ev
		})}
	}, []string{"watch/delivers what is written", "watch/loses nothing among writers"}},
	"a watch resets silently": {func() *broken {
		return &broken{stream: onEvents(func(_ int, ev flags.Event) flags.Event {
			ev.Reset = ""
			return ev
		})}
	}, []string{"watch/resets another lineage"}},
	"a watch outlives its store": {func() *broken {
		over := make(chan struct{})
		return &broken{over: over, stream: func(s flags.Stream) flags.Stream { return endless{s, over} }}
	}, []string{"watch/ends with its store", "watch/ends when closed"}},
	"history has a hole": {func() *broken {
		return &broken{page: func(cs []flags.Commit) []flags.Commit {
			if len(cs) > 4 {
				return slices.Delete(cs, 3, 4)
			}
			return cs
		}}
	}, []string{"history/is read in pages", "concurrency/writers of different flags never conflict"}},
	"times are kept to the millisecond": {func() *broken {
		return &broken{page: func(cs []flags.Commit) []flags.Commit {
			for i := range cs {
				cs[i].Time = cs[i].Time.Truncate(time.Second)
			}
			return cs
		}}
	}, []string{"revisions/times survive to the microsecond"}},
	"errors are not classified": {func() *broken {
		return &broken{fault: func(err error) error { return fmt.Errorf("bare: %w", errors.Unwrap(err)) }}
	}, []string{"fetch/of no set", "errors/a canceled caller is not an outage", "lifecycle/a set begins by creation alone"}},
	"every error is an outage": {func() *broken {
		return &broken{fault: func(err error) error {
			return &flags.SourceError{Class: flags.ClassTransient, Op: "broken", Err: err}
		}}
	}, []string{"preconditions/entry at its revision", "errors/a canceled caller is not an outage", "watch/of a name that no set can have"}},
}

// checkThenAct is the classical race: others may write between the two.
func checkThenAct(ctx context.Context, s store.Store, c flags.Commit) (flags.Commit, error) {
	u, err := s.Fetch(ctx, c.Set, flags.Head{Set: c.Set})
	if err == nil {
		contents, err := store.Assemble(c.Set, u)
		if err != nil {
			return c, err
		}
		if _, err := store.Prepare(contents, c, time.Now()); err != nil {
			return c, store.Classify("broken: apply", err)
		}
	}
	runtime.Gosched()
	return s.Apply(ctx, unconditional(c))
}

// endless waits on after its end, until the test is over.
type endless struct {
	flags.Stream
	over <-chan struct{}
}

func (s endless) Next() (flags.Event, error) {
	ev, err := s.Stream.Next()
	if err != nil {
		<-s.over
	}
	return ev, err
}

// recorder is a testing.TB that keeps failures to itself.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failed   bool
	cleanups []func()
}

func (r *recorder) fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

func (r *recorder) Helper()                  {}
func (r *recorder) Error(...any)             { r.fail() }
func (r *recorder) Errorf(string, ...any)    { r.fail() }
func (r *recorder) Fatal(...any)             { r.FailNow() }
func (r *recorder) Fatalf(string, ...any)    { r.FailNow() }
func (r *recorder) FailNow()                 { r.fail(); runtime.Goexit() }
func (r *recorder) Context() context.Context { return context.Background() }

// fails runs a case and reports whether it failed.
func fails(t *testing.T, run func(testing.TB)) bool {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(r)
	}()
	<-done
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	return r.failed
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSuiteFindsSabotage breaks the reference store in one way after the other
// and wants the suite to see each, where it is said to look for it.
func TestSuiteFindsSabotage(t *testing.T) {
	cases := map[string]storetest.Case{}
	for _, c := range storetest.Cases() {
		cases[c.Name] = c
	}
	for name, sabotage := range sabotages {
		t.Run(name, func(t *testing.T) {
			for _, caught := range sabotage.caught {
				c, known := cases[caught]
				if !known {
					t.Fatalf("no case %q", caught)
				}
				h := storetest.Harness{Flags: 300, Commits: 30, Patience: time.Second / 2, New: func(t testing.TB) store.Store {
					b := sabotage.make()
					b.Store = memstore.New(nil)
					t.Cleanup(func() {
						_ = b.Store.Close()
						if b.over != nil {
							close(b.over)
						}
					})
					return b
				}}
				if !fails(t, func(t testing.TB) { c.Run(t, h) }) {
					t.Errorf("case %q does not see it", caught)
				}
			}
		})
	}
}

// credulous is a replica that takes whatever it is given.
type credulous struct {
	*memstore.Store
	took func(error) error
}

func (c credulous) Append(ctx context.Context, set string, commits []flags.Commit) error {
	return c.took(c.Store.Append(ctx, set, commits))
}

func (c credulous) Seed(ctx context.Context, cp *flags.Checkpoint) error {
	return c.took(c.Store.Seed(ctx, cp))
}

func TestReplicaSuiteFindsSabotage(t *testing.T) {
	cases := map[string]storetest.ReplicaCase{}
	for _, c := range storetest.ReplicaCases() {
		cases[c.Name] = c
	}
	for sentinel, caught := range map[error][]string{
		flags.ErrGap:     {"replica/a gap is refused"},
		flags.ErrLineage: {"replica/another lineage is refused", "replica/another commit at the same place is refused"},
		flags.ErrDigest:  {"replica/a digest that does not come out is refused", "replica/a seed is verified"},
	} {
		for _, name := range caught {
			h := storetest.ReplicaHarness{
				Origin: func(testing.TB) store.Store { return memstore.New(nil) },
				New: func(testing.TB) storetest.Replica {
					return credulous{memstore.New(nil), func(err error) error {
						if errors.Is(err, sentinel) {
							return nil
						}
						return err
					}}
				},
			}
			if !fails(t, func(t testing.TB) { cases[name].Run(t, h) }) {
				t.Errorf("case %q does not see that %q is swallowed", name, sentinel)
			}
		}
	}
	h := storetest.ReplicaHarness{
		Origin: func(testing.TB) store.Store { return memstore.New(nil) },
		New: func(testing.TB) storetest.Replica {
			return &gapped{Store: memstore.New(nil), found: make(chan struct{})}
		},
	}
	if !fails(t, func(t testing.TB) { cases["replica/can be read while it is replaced"].Run(t, h) }) {
		t.Error("nobody sees that a set is gone while it is seeded anew")
	}
}

// gapped is a replica that has nothing for a moment when it is seeded anew, once:
// until a reader has found that.
type gapped struct {
	*memstore.Store
	missing atomic.Bool
	once    sync.Once
	found   chan struct{}
}

func (g *gapped) Seed(ctx context.Context, cp *flags.Checkpoint) error {
	if _, err := g.Store.Head(ctx, cp.Set); err == nil {
		g.once.Do(func() {
			g.missing.Store(true)
			<-g.found
		})
	}
	return g.Store.Seed(ctx, cp)
}

func (g *gapped) Head(ctx context.Context, set string) (flags.Head, error) {
	if g.missing.CompareAndSwap(true, false) {
		close(g.found)
		return flags.Head{}, store.Classify("gapped: head", store.ErrNotFound)
	}
	return g.Store.Head(ctx, set)
}

// TestExceptionsMustSaySomething holds Run's own refusals.
func TestExceptionsMustSaySomething(t *testing.T) {
	for name, except := range map[string]map[string]string{
		"unknown":   {"wotch": "misspelled"},
		"no reason": {"watch": ""},
	} {
		if !fails(t, func(t testing.TB) { storetest.CheckExceptions(t, except) }) {
			t.Errorf("%s: accepted", name)
		}
	}
	if fails(t, func(t testing.TB) {
		storetest.CheckExceptions(t, map[string]string{"watch": "x", "names/of sets too": "y"})
	}) {
		t.Error("good exceptions are refused")
	}
}
