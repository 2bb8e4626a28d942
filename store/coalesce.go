package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// CoalesceOptions configure Coalesce. The zero value is ready for production.
type CoalesceOptions struct {
	// Budget bounds a shared call, which no single caller's context may. Default 30 s.
	Budget time.Duration

	sabotage coalesceSabotage
}

// coalesceSabotage switches single guards off, so that a test can show that it would
// notice their absence.
type coalesceSabotage struct {
	joinAny  bool // join calls that began earlier, too
	endFirst bool // a call ends with its first caller
}

// Coalesce lets callers who ask a source for the same at the same time share one
// call of it.
//
// A caller never joins a call that began before it asked, but shares the next
// one with everybody else who came too late. So an answer is always as new as if
// the caller had asked alone: it includes every write acknowledged before. The least
// revision that a read demands was acknowledged before the read began, so a read with a
// higher demand never joins an older call, and nobody has to say what they demand. However
// many callers there are, one call is under way for each set and starting point, and at
// most one waits.
//
// A caller that gives up, also the first one, leaves the call to the others. Shared calls see the
// context values of one of their callers: put Coalesce only where all callers
// may see the same. o may be nil.
func Coalesce(s flags.Source, o *CoalesceOptions) flags.Source {
	if o == nil {
		o = &CoalesceOptions{}
	}
	budget := cmp.Or(o.Budget, 30*time.Second)
	return &coalesced{
		delegate: s,
		heads:    flights[string, flags.Head]{budget: budget, sabotage: o.sabotage, next: map[string]*flight[flags.Head]{}},
		updates:  flights[fetchKey, flags.Update]{budget: budget, sabotage: o.sabotage, next: map[fetchKey]*flight[flags.Update]{}},
	}
}

var (
	// errSharedBudget ends a shared call that its delegate did not end in time.
	errSharedBudget = errors.New("store: no answer within the budget of a shared call")
	// errNotReturned: the delegate panicked, with what follows, or ended its goroutine.
	errNotReturned = errors.New("store: panic or exit in a shared call")
)

type coalesced struct {
	delegate flags.Source
	heads    flights[string, flags.Head]
	updates  flights[fetchKey, flags.Update]
}

var _ flags.Source = (*coalesced)(nil)

// fetchKey has what a fetch depends on; the rest of the head is for people.
type fetchKey struct {
	set     string
	lineage flags.Lineage
	version flags.Version
	digest  flags.Digest
	count   int
}

// Unwrap returns the source behind.
func (c *coalesced) Unwrap() flags.Source { return c.delegate }

func (c *coalesced) Head(ctx context.Context, set string) (flags.Head, error) {
	return c.heads.do(ctx, "store: head "+set, set, func(ctx context.Context) (flags.Head, error) {
		return c.delegate.Head(ctx, set)
	})
}

func (c *coalesced) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	key := fetchKey{set, have.Lineage, have.Version, have.Digest, have.Count}
	return c.updates.do(ctx, "store: fetch "+set, key, func(ctx context.Context) (flags.Update, error) {
		return c.delegate.Fetch(ctx, set, have)
	})
}

// flights are the calls under way. A key is in next while a call for it is under
// way; the value is the call to come, nil while nobody waits for one.
type flights[K comparable, V any] struct {
	budget   time.Duration
	sabotage coalesceSabotage
	mu       sync.Mutex
	next     map[K]*flight[V]
}

type flight[V any] struct {
	ctx     context.Context // values of the first caller, without its end
	fn      func(context.Context) (V, error)
	waiting int // callers who have not given up
	done    chan struct{}
	value   V
	err     error
}

func (f *flights[K, V]) do(ctx context.Context, op string, key K, fn func(context.Context) (V, error)) (v V, err error) {
	if err := ctx.Err(); err != nil {
		return v, Classify(op, err)
	}
	mine := f.board(ctx, key, fn)
	select {
	case <-mine.done:
		return mine.value, Classify(op, mine.err)
	case <-ctx.Done():
		f.mu.Lock()
		mine.waiting--
		f.mu.Unlock()
		return v, Classify(op, ctx.Err())
	}
}

// board returns a call that begins after now.
func (f *flights[K, V]) board(ctx context.Context, key K, fn func(context.Context) (V, error)) *flight[V] {
	f.mu.Lock()
	defer f.mu.Unlock()
	next, flying := f.next[key]
	if next == nil {
		next = &flight[V]{ctx: context.WithoutCancel(ctx), fn: fn, done: make(chan struct{})}
		if f.sabotage.endFirst {
			next.ctx = ctx
		}
		if flying || f.sabotage.joinAny {
			f.next[key] = next
		} else {
			f.next[key] = nil
		}
		if !flying {
			go f.fly(key, next)
		}
	}
	next.waiting++
	return next
}

// fly makes a call for a key.
func (f *flights[K, V]) fly(key K, now *flight[V]) {
	defer f.land(key) // also after a runtime.Goexit, which ends this goroutine but must not end the key
	now.run(f.budget)
}

// land begins the next call for a key where somebody waits for one.
func (f *flights[K, V]) land(key K) {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := f.next[key]
	if next == nil || next.waiting == 0 || f.sabotage.joinAny {
		delete(f.next, key)
		return
	}
	f.next[key] = nil
	go f.fly(key, next)
}

// run makes the call. A panic becomes the callers' error: on a goroutine of its
// own it would end the process. So does a runtime.Goexit, which else would be no answer at all.
func (fl *flight[V]) run(budget time.Duration) {
	defer close(fl.done)
	returned := false
	defer func() {
		if !returned {
			fl.err = fmt.Errorf("%w: %v", errNotReturned, recover())
		}
	}()
	ctx, cancel := context.WithTimeoutCause(fl.ctx, budget, errSharedBudget)
	defer cancel()
	fl.value, fl.err = fl.fn(ctx)
	returned = true
	if fl.err != nil && ctx.Err() != nil {
		// To the delegate this was its caller's end, but none of ours gave up.
		fl.err = fmt.Errorf("%w: %w", errSharedBudget, context.DeadlineExceeded)
	}
}
