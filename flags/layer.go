package flags

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// bulkTimeout bounds what follows the first answer of a layer: a whole set may
// take longer than a head, and that says nothing about the layer's health.
const bulkTimeout = 30 * time.Second

// Why a layer was not asked. Nothing was sent, so neither says how the layer does.
var (
	errRefused error = &SourceError{Class: ClassRefused, Op: "flags", Err: errors.New("refused by the layer's gate")}
	errBusy    error = &SourceError{Class: ClassRefused, Op: "flags", Err: errors.New("a load of this layer is under way")}
)

// layer is a Layer at work: every call to it goes through here, so that no call
// escapes its gate, its budget or the counters.
type layer struct {
	Layer
	set     string
	origin  bool          // its answers say which lineage the set has
	disk    bool          // the last-known-good file
	loading chan struct{} // holds one token while a load is under way
	stats   layerStats

	streaming  atomic.Bool // a watch is open
	secondhand atomic.Bool // it could not ask its own origin when it was last asked for all it has
	observe    *Observer
	refusals   refusals
}

func newLayer(cfg Layer, origin bool, o *Options) *layer {
	return &layer{
		Layer: cfg, set: o.Set, origin: origin, loading: make(chan struct{}, 1),
		observe: &o.Observer, refusals: refusals{logger: o.Logger},
	}
}

// readable reports whether the layer is there and delivers sets.
func (l *layer) readable() bool { return l.Source != nil }

// guard runs fn through the layer's gate, to which it is one call however much it
// does: the head, what is missing, and whether that adds up. budget is for callers whose
// steps are bounded already; it ends what ignores that. A call that the gate did
// not let through returns errRefused.
func (l *layer) guard(ctx context.Context, budget time.Duration, fn func(context.Context) error) error {
	ran := false
	err := l.Gate.Run(ctx, budget+time.Second, func(bounded context.Context) error {
		ran = true
		return fn(bounded)
	})
	if !ran && ctx.Err() == nil {
		return errRefused
	}
	return err
}

// exchange runs one call within its budget and counts it. A call cut by its budget is
// transient whatever the driver made of it: the driver sees a context that ended, not whose fault it was.
func (l *layer) exchange(ctx context.Context, budget time.Duration, op string, fn func(context.Context) error) error {
	bounded, cancel := context.WithTimeoutCause(ctx, budget, errBudget)
	defer cancel()
	began := time.Now()
	err := fn(bounded)
	// A driver looks at the clock too, and may be a moment ahead of the context's own timer.
	over := bounded.Err() != nil || time.Since(began) >= budget
	if err != nil && over && ctx.Err() == nil {
		err = &SourceError{Class: ClassTransient, Op: l.Name + ": " + op, Err: fmt.Errorf("no answer within %v: %w", budget, err)}
	}
	l.answered(op, time.Since(began), err)
	return err
}

// head asks for the layer's newest head. asOf is when it was that: earlier than the question
// where the layer could not ask its own origin. The caller holds the gate.
func (l *layer) head(ctx context.Context) (h Head, asOf time.Time, err error) {
	sent := time.Now()
	err = l.exchange(ctx, l.Timeout, "head", func(ctx context.Context) error {
		h, asOf, err = HeadAsOf(ctx, l.Source, l.set)
		return err
	})
	l.stats.asked(sent)
	if err == nil {
		l.stats.saw(h)
	}
	return h, asOf, err
}

// fetch asks for what leads from have to the layer's head. The caller holds the gate.
func (l *layer) fetch(ctx context.Context, have Head) (u Update, err error) {
	var sent time.Time
	err = l.exchange(ctx, bulkTimeout, "fetch", func(ctx context.Context) error {
		sent = time.Now()
		u, err = l.Source.Fetch(ctx, l.set, have)
		return err
	})
	if err != nil {
		return u, err
	}
	if u.AsOf.IsZero() && l.origin {
		u.AsOf = sent
	}
	l.stats.took(&u)
	return u, nil
}

// lock takes the right to load, or returns false: one load at a time per layer.
func (l *layer) lock() bool {
	select {
	case l.loading <- struct{}{}:
		return true
	default:
		return false
	}
}

// lockWait is lock for callers that may wait for their turn.
func (l *layer) lockWait(ctx context.Context) error {
	select {
	case l.loading <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *layer) unlock() { <-l.loading }

func (l *layer) answered(op string, took time.Duration, err error) {
	if !l.stats.answered(took, err) && l.observe.Unclassified != nil {
		l.observe.Unclassified(l.Name, op, err)
	}
	if l.observe.Answered != nil {
		l.observe.Answered(l.Name, op, took, err)
	}
	if op != "put" && !errors.Is(err, errUnfit) && refusalOf(err) != "" {
		l.refused(Head{}, Head{Set: l.set}, err, true) // in the driver; what does not fit was refused before
	}
}

// fallsThrough is the one rule for asking the next layer: this one cannot serve
// anybody now, or we do not let ourselves ask it. Whatever else it says stands: a staler layer
// must neither bring back what was deleted nor let in who was turned away.
func fallsThrough(err error) bool {
	class := ClassOf(err)
	return err != nil && (class == ClassTransient || class == ClassRefused)
}

// remembers reports whether the layer only says what was known once, when
// nobody can say any more what happened since.
func (l *layer) remembers() bool { return l.disk }
