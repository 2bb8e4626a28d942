package cachestrategy

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Gate decides whether the far tier may be asked now: a breaker. Run calls fn with
// a context that ends after budget, or returns an error without calling it.
type Gate interface {
	Run(ctx context.Context, budget time.Duration, fn func(context.Context) error) error
}

// Tiered is a cache of two: one that other processes share, which may be slow,
// wrong or gone, and below it one in this process, which is not. What goes in goes
// into both. What comes out is the newer of the two, and that of the near tier while
// the far one cannot be asked or has nothing good.
type Tiered struct {
	far, near Strategy
	opts      TieredOptions

	denied atomic.Bool // the far tier said that this user may not write to it

	mu      sync.Mutex
	refused uint64 // far entries that could not be used
	told    time.Time
}

// TieredOptions change how a Tiered works. The zero value is for production, but
// for the Gate.
type TieredOptions struct {
	// Gate guards every call to the far tier. Nil: calls are bounded and nothing else.
	Gate Gate
	// Timeout bounds reading a head from the far tier. Default 100 ms.
	Timeout time.Duration
	// BulkTimeout bounds all that may take a whole set. Default 6 s; a far tier that
	// has a timeout of its own for its first answer is given up as soon as that ends.
	BulkTimeout time.Duration

	// Logger is told, at most once in ten seconds, of far entries that cannot be used
	// where the near tier answers instead, and once of a far tier that may not be written
	// to. Default slog.Default().
	Logger *slog.Logger

	credulous bool // twin tests: what the far tier has is always the newer
}

var (
	_ Strategy = (*Tiered)(nil)
	_ Leaser   = (*Tiered)(nil)
)

// NewTiered returns the cache over both tiers, which it closes.
func NewTiered(far, near Strategy, o *TieredOptions) *Tiered {
	t := &Tiered{far: far, near: near}
	if o != nil {
		t.opts = *o
	}
	if t.opts.Gate == nil {
		t.opts.Gate = bounded{}
	}
	if t.opts.Logger == nil {
		t.opts.Logger = slog.Default()
	}
	t.opts.Timeout = cmp.Or(max(t.opts.Timeout, 0), 100*time.Millisecond)
	t.opts.BulkTimeout = cmp.Or(max(t.opts.BulkTimeout, 0), 6*time.Second)
	return t
}

// bounded is a gate that is always open.
type bounded struct{}

func (bounded) Run(ctx context.Context, budget time.Duration, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, budget, errBudget)
	defer cancel()
	return fn(ctx)
}

var errBudget = errors.New("cachestrategy: no answer in time")

// ask runs fn on the far tier through the gate. That the gate refused says nothing
// about the cache as a whole, and so is no failure of it.
func (t *Tiered) ask(ctx context.Context, budget time.Duration, fn func(context.Context) error) error {
	ran, late := false, false
	err := t.opts.Gate.Run(ctx, budget, func(bounded context.Context) error {
		ran = true
		err := fn(bounded)
		late = bounded.Err() != nil
		return err
	})
	var classified *flags.SourceError
	switch {
	case err == nil, errors.As(err, &classified), errors.Is(err, ErrMiss):
		return err
	case ran && late && ctx.Err() == nil:
		return &flags.SourceError{Class: flags.ClassTransient, Op: "cache", Err: err}
	case !ran && ctx.Err() == nil:
		return &flags.SourceError{Class: flags.ClassRefused, Op: "cache", Err: err}
	case !ran: // a gate lets nobody through who has left
		return &flags.SourceError{Class: flags.ClassCanceled, Op: "cache", Err: err}
	default:
		return err
	}
}

// Get implements Strategy. It fails only where both tiers do, with the far one's error.
func (t *Tiered) Get(ctx context.Context, q Query) (Entry, error) {
	var far Entry
	budget := t.opts.BulkTimeout
	if q.HeadOnly {
		budget = t.opts.Timeout
	}
	farErr := t.ask(ctx, budget, func(ctx context.Context) (err error) {
		far, err = t.far.Get(ctx, q)
		return err
	})
	near, nearErr := t.near.Get(ctx, q)
	switch {
	case farErr != nil && nearErr == nil:
		t.tell(ctx, q.Set, farErr)
		return near, nil
	case farErr != nil:
		return Entry{}, farErr
	case nearErr == nil && t.ahead(near.Head, far.Head):
		return near, nil // the far tier lost its last writes; the next Put brings them again
	}
	if !q.HeadOnly {
		// Being refused is nothing new: then the near tier has this, or does not follow.
		ttl := max(far.TTL(), 1)
		_, _ = t.near.Put(ctx, Offer{Update: far.Update, TTL: ttl, Margin: min(far.Margin, ttl-1)})
	}
	return far, nil
}

// tellEvery bounds what is logged.
const tellEvery = 10 * time.Second

// tell logs that the far tier has an entry that is none. What else can fail there is
// for the gate to tell.
func (t *Tiered) tell(ctx context.Context, set string, err error) {
	if !errors.Is(err, flags.ErrFormat) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused++
	if now := time.Now(); t.told.IsZero() || now.Sub(t.told) >= tellEvery {
		t.told = now
		t.opts.Logger.WarnContext(ctx, "cache entry refused, the memory of this process answers", "set", set, "cause", err, "times", t.refused)
	}
}

// ahead reports whether near is a later version of the same history.
func (t *Tiered) ahead(near, far flags.Head) bool {
	return near.Lineage == far.Lineage && far.Version.Before(near.Version) && !t.opts.credulous
}

// Put implements Strategy. The near tier has the offer also where the error says
// that the far one could not be told, which is then to be tried again. To a far tier
// that is read-only, or once said that this user may not write, nothing is sent.
func (t *Tiered) Put(ctx context.Context, o Offer) (Outcome, error) {
	if o.Full != nil {
		o.Full = sync.OnceValue(o.Full)
	}
	outcome, err := t.near.Put(ctx, o)
	if err != nil && !errors.Is(err, flags.ErrTooLarge) || t.ReadOnly() {
		return outcome, err
	}
	// A set too large for the near tier is still one for the far tier.
	err = t.ask(ctx, t.opts.BulkTimeout, func(ctx context.Context) error {
		told, err := t.far.Put(ctx, o)
		if err == nil {
			outcome = told
		}
		return err
	})
	if t.deniedBy(ctx, err) {
		return outcome, nil
	}
	return outcome, err
}

// ReadOnly reports whether only the near tier is written to: the far one was opened for
// reading alone, or has denied a write.
func (t *Tiered) ReadOnly() bool { return t.denied.Load() || IsReadOnly(t.far) }

// deniedBy remembers, and tells once, that the far tier is not for this user to write to.
// The near tier goes on being kept current.
func (t *Tiered) deniedBy(ctx context.Context, err error) bool {
	if !errors.Is(err, ErrReadOnly) {
		return false
	}
	if !t.denied.Swap(true) {
		t.opts.Logger.InfoContext(ctx, "cache is read-only for this process, which goes on without writing to it", "cause", err)
	}
	return true
}

// IsReadOnly reports whether a strategy says of itself that it takes no offers.
func IsReadOnly(s Strategy) bool {
	r, ok := s.(interface{ ReadOnly() bool })
	return ok && r.ReadOnly()
}

// Invalidate implements Strategy, for both tiers. The error is the far one's.
func (t *Tiered) Invalidate(ctx context.Context, set string) error {
	err := t.near.Invalidate(ctx, set)
	if t.ReadOnly() {
		return err
	}
	return t.ask(ctx, t.opts.Timeout, func(ctx context.Context) error { return t.far.Invalidate(ctx, set) })
}

// Lease implements Leaser by the far tier.
func (t *Tiered) Lease(ctx context.Context, set string, d time.Duration) (granted bool, err error) {
	err = t.ask(ctx, t.opts.Timeout, func(ctx context.Context) (err error) {
		granted, err = Lease(ctx, t.far, set, d)
		return err
	})
	t.deniedBy(ctx, err)
	return granted, err
}

// Close implements Strategy, for both tiers.
func (t *Tiered) Close() error { return errors.Join(t.far.Close(), t.near.Close()) }
