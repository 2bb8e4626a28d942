package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Relay is a store that is another one, upstream, as long as that can be reached, and what
// is held of it otherwise. Writes go upstream, or fail; nothing is kept for later.
//
// The relay reads from held but never writes there: a mirror keeps it current. Answers
// from held tell how old they are (HeadAsOf, Update.AsOf), heads that its streams have brought
// never go back, and an upstream of another lineage than held is as good as none.
// gate guards every call upstream. Close closes both stores.
func Relay(upstream, held Store, gate Gate) *Relayed {
	return &Relayed{upstream: upstream, held: held, gate: gate, known: map[string]known{}}
}

// Relayed is a Store in front of another; see Relay.
type Relayed struct {
	upstream, held Store
	gate           Gate

	mu    sync.Mutex
	known map[string]known // by set
	fault error            // of the last call upstream
}

// known is the newest head that the upstream told of, and when.
type known struct {
	flags.Head
	asOf time.Time
}

var (
	_ Store             = (*Relayed)(nil)
	_ flags.DatedSource = (*Relayed)(nil)
)

// Unwrap returns the upstream.
func (r *Relayed) Unwrap() Store { return r.upstream }

// Err returns why the upstream could not serve when it was last called; nil: it did.
func (r *Relayed) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fault
}

// call calls the upstream through the gate.
func (r *Relayed) call(ctx context.Context, fn func(context.Context) error) error {
	var called atomic.Bool
	err := r.gate.Run(ctx, 0, func(ctx context.Context) error {
		called.Store(true)
		return fn(ctx)
	})
	if ctx.Err() != nil || !called.Load() {
		return err // says nothing new about the upstream
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = nil
	if unserved(err) {
		r.fault = err
	}
	return err
}

// unserved reports whether an error of the upstream is no answer. That it denies is none,
// either: it is the relay that was turned away, not who asks the relay.
func unserved(err error) bool {
	class := flags.ClassOf(err)
	return err != nil && (class == flags.ClassTransient || class == flags.ClassRefused || class == flags.ClassDenied)
}

// either asks the upstream and, where that can serve nobody now, what is held.
func either[V any](ctx context.Context, r *Relayed, op string, ask func(context.Context, Store) (V, error)) (v V, ofHeld bool, err error) {
	var answer V // not to be looked at after an error: the call may still be under way
	why := r.call(ctx, func(ctx context.Context) (err error) {
		answer, err = ask(ctx, r.upstream)
		return err
	})
	switch {
	case why == nil:
		return answer, false, nil
	case ctx.Err() != nil:
		return v, false, &flags.SourceError{Class: Class(ctx.Err()), Op: op, Err: fmt.Errorf("%w (%w)", ctx.Err(), why)}
	case !unserved(why):
		return v, false, Classify(op, why)
	}
	if v, err = ask(ctx, r.held); err != nil {
		return v, true, bothFailed(ctx, op, why, err)
	}
	return v, true, nil
}

// Head is flags.Source's.
func (r *Relayed) Head(ctx context.Context, set string) (flags.Head, error) {
	head, _, err := r.HeadAsOf(ctx, set)
	return head, err
}

// HeadAsOf is flags.DatedSource's.
func (r *Relayed) HeadAsOf(ctx context.Context, set string) (flags.Head, time.Time, error) {
	now, ofHeld, err := either(ctx, r, "store: head "+set, func(ctx context.Context, s Store) (k known, err error) {
		if k.Head, k.asOf, err = flags.HeadAsOf(ctx, s, set); err == nil && s == r.upstream {
			err = r.admit(ctx, k.Head)
		}
		return k, err
	})
	switch {
	case err != nil:
		return flags.Head{}, now.asOf, err
	case ofHeld:
		now = r.newest(now.Head)
	default:
		r.note(now)
	}
	return now.Head, now.asOf, nil
}

// Fetch is flags.Source's.
func (r *Relayed) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	u, ofHeld, err := either(ctx, r, "store: fetch "+set, func(ctx context.Context, s Store) (u flags.Update, err error) {
		if u, err = s.Fetch(ctx, set, have); err == nil && s == r.upstream {
			err = r.admit(ctx, u.Head)
		}
		return u, err
	})
	if ofHeld {
		u.AsOf = r.dated(u.Head)
	}
	return u, err
}

// Sets is History's. That nothing is held does not mean that there is nothing.
func (r *Relayed) Sets(ctx context.Context) ([]flags.Head, error) {
	heads, _, err := either(ctx, r, "store: sets", func(ctx context.Context, s Store) ([]flags.Head, error) {
		heads, err := s.Sets(ctx)
		if err == nil && len(heads) == 0 && s == r.held {
			err = errors.New("nothing is held yet")
		}
		return heads, err
	})
	return heads, err
}

// Commits is History's.
func (r *Relayed) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	ask := func(ctx context.Context, s Store) ([]flags.Commit, error) {
		return s.Commits(ctx, set, from, to, limit)
	}
	commits, _, err := either(ctx, r, "store: commits "+set, ask)
	return commits, err
}

// Apply is Writer's. While the upstream is down a write fails soon, and with the certainty
// that nothing was sent.
func (r *Relayed) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	if err := r.reach(ctx, c.Set); err != nil {
		class := flags.ClassOf(err)
		if class == flags.ClassRefused {
			class = flags.ClassTransient
		}
		err = fmt.Errorf("nothing was written: this router is a relay, and the upstream does not take writes now: %w", err)
		return flags.Commit{}, &flags.SourceError{Class: class, Op: "store: apply " + c.Set, Err: err}
	}
	return r.upstream.Apply(ctx, c)
}

// reach returns nil where the upstream answers for a set, be it that there is none. It is
// asked before what is slow to fail, or says nothing yet when it is open.
func (r *Relayed) reach(ctx context.Context, set string) error {
	err := r.call(ctx, func(ctx context.Context) error {
		head, err := r.upstream.Head(ctx, set)
		if err == nil {
			err = r.admit(ctx, head)
		}
		return err
	})
	if flags.ClassOf(err) == flags.ClassNotFound {
		return nil
	}
	return err
}

// Close closes both stores.
func (r *Relayed) Close() error { return errors.Join(r.upstream.Close(), r.held.Close()) }

// admit refuses an upstream that has another history than what is held.
func (r *Relayed) admit(ctx context.Context, h flags.Head) error {
	held, err := r.held.Head(ctx, h.Set)
	if err == nil && held.Lineage != h.Lineage {
		return &flags.SourceError{Class: flags.ClassTransient, Op: "store: relay", Err: fmt.Errorf("%w: the upstream has %s, this relay holds %s", flags.ErrLineage, h.Token(), held.Token())}
	}
	return nil
}

// note remembers what the upstream told.
func (r *Relayed) note(k known) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.known[k.Set]
	if newer := k.Version.Compare(old.Version); old.Lineage != k.Lineage || newer > 0 || newer == 0 && k.asOf.After(old.asOf) {
		r.known[k.Set] = k
	}
}

// newest returns a head that is held, or a newer one that the upstream told of.
func (r *Relayed) newest(held flags.Head) known {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.known[held.Set]; ok && k.Lineage == held.Lineage && !k.Version.Before(held.Version) {
		return k
	}
	return known{held, commitTime(held)}
}

// dated returns when the upstream is known to have had a head.
func (r *Relayed) dated(h flags.Head) time.Time {
	if k := r.newest(h); k.Version == h.Version {
		return k.asOf
	}
	return commitTime(h)
}

// commitTime is what is left to say after a restart: the upstream had it when it was written.
func commitTime(h flags.Head) time.Time {
	if now := time.Now(); h.Time.After(now) {
		return now // by another clock
	}
	return h.Time
}
