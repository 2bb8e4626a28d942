package cachestrategy_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/holdfast-flags/holdfast/breaker"
	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/cachetest"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/internal/matrix"
)

// two is a tiered cache with what is around it, in virtual time.
type two struct {
	*cachestrategy.Tiered
	server  *miniredis.Miniredis
	proxy   *faultnet.Proxy
	far     *rediscache.Cache
	near    *memorycache.Cache
	breaker *breaker.Breaker
}

// outage counts what a breaker should: a miss is no failure.
func outage(err error) breaker.Outcome {
	switch {
	case errors.Is(err, cachestrategy.ErrMiss):
		return breaker.Success
	case flags.ClassOf(err) == flags.ClassTransient:
		return breaker.Failure
	default:
		return breaker.Ignored
	}
}

func newTwo(t testing.TB, o cachestrategy.TieredOptions) *two {
	t.Helper()
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	t.Cleanup(server.Close)
	w := &two{server: server, near: memorycache.New(nil), breaker: breaker.New(breaker.Options{Classify: outage})}
	w.proxy = faultnet.Wrap(func(context.Context) (net.Conn, error) { return server.Dial() })
	t.Cleanup(func() { _ = w.proxy.Close() })
	far, err := rediscache.Open("redis://far", &rediscache.Options{
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return w.proxy.Dial(ctx) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.far, o.Gate, o.Logger = far, w.breaker, slog.New(slog.DiscardHandler)
	w.Tiered = cachestrategy.NewTiered(far, w.near, &o)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		time.Sleep(2 * time.Second) // the driver looks each second whether its pool was closed
	})
	return w
}

func (w *two) fault(t testing.TB, mode faultnet.Mode) {
	t.Helper()
	if err := w.proxy.Set(faultnet.Faults{Mode: mode}); err != nil {
		t.Fatal(err)
	}
}

func conform(t *testing.T, h cachetest.Harness) {
	h.Flags, h.Writers, h.Writes, h.Sets, h.Calls = 300, 3, 30, 50, 300
	h.Tolerance = time.Millisecond
	for _, c := range cachetest.Select(t, h) {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.Run(t, h) })
		})
	}
}

func TestTieredConformance(t *testing.T) {
	conform(t, cachetest.Harness{
		New:    func(t testing.TB) cachestrategy.Strategy { return newTwo(t, cachestrategy.TieredOptions{}) },
		Except: map[string]string{"damage": "each tier is damaged in its own suite; a good one answers for the other"},
	})
}

// farGone reports whether the far tier could not be asked, or the breaker did not let us.
func farGone(err error) bool {
	var refused *breaker.OpenError
	return err != nil && flags.ClassOf(err) == flags.ClassTransient || errors.As(err, &refused)
}

// alone is a tiered cache whose far tier is gone, without the errors that say so.
type alone struct{ *two }

func (a alone) Put(ctx context.Context, o cachestrategy.Offer) (cachestrategy.Outcome, error) {
	outcome, err := a.two.Put(ctx, o)
	if farGone(err) {
		err = nil
	}
	return outcome, err
}

func (a alone) Invalidate(ctx context.Context, set string) error {
	if err := a.two.Invalidate(ctx, set); !farGone(err) {
		return err
	}
	return nil
}

// Get says that there is nothing where the far tier could not be asked.
func (a alone) Get(ctx context.Context, q cachestrategy.Query) (cachestrategy.Entry, error) {
	e, err := a.two.Get(ctx, q)
	if farGone(err) {
		err = &flags.SourceError{Class: flags.ClassTransient, Op: "get", Err: cachestrategy.ErrMiss}
	}
	return e, err
}

// With the far tier gone, the near one keeps the whole contract.
func TestTieredAloneConformance(t *testing.T) {
	conform(t, cachetest.Harness{
		New: func(t testing.TB) cachestrategy.Strategy {
			w := newTwo(t, cachestrategy.TieredOptions{})
			w.fault(t, faultnet.Refuse)
			return alone{w}
		},
		Except: map[string]string{
			"damage": "nothing else can write into the memory of a process",
			"errors": "that the far tier cannot be asked comes first",
		},
	})
}

// F11: whatever is wrong with Redis, reading costs at most 110 ms for at most four
// reads, then nothing, and is answered all the same.
func TestTieredOutages(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *two){
		"refused":    func(t *testing.T, w *two) { w.fault(t, faultnet.Refuse) },
		"hanging":    func(t *testing.T, w *two) { w.fault(t, faultnet.Hang) },
		"reset":      func(t *testing.T, w *two) { w.fault(t, faultnet.Reset) },
		"loading":    reply("LOADING Redis is loading the dataset in memory"),
		"out of mem": reply("OOM command not allowed when used memory > 'maxmemory'."),
		"no auth":    reply("NOAUTH Authentication required."),
		"busy":       reply("BUSY Redis is busy running a script."),
		"wrong type": reply("WRONGTYPE Operation against a key holding the wrong kind of value"),
		"read-only":  reply("READONLY You can't write against a read only replica."),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTwo(t, cachestrategy.TieredOptions{})
				set := flags.NewContents("shop")
				commit(t, set, flags.OpCreate, "1")
				w.offer(t, set)
				spoil(t, w)
				slow := 0
				for range 200 {
					began := time.Now()
					e, err := w.Get(t.Context(), cachestrategy.Query{Set: "shop"})
					if err != nil || e.Checkpoint == nil || e.Head != set.Head() {
						t.Fatalf("Get: %v, %v", e.Head.Token(), err)
					}
					took := time.Since(began)
					if took > 110*time.Millisecond {
						t.Errorf("a read took %v", took)
					}
					if took > 0 {
						slow++
					}
				}
				if slow > 4 {
					t.Errorf("%d reads were held up", slow)
				}
				matrix.Tally(t, "F11", 200, 0)
			})
		})
	}
}

func reply(text string) func(*testing.T, *two) {
	return func(_ *testing.T, w *two) { w.server.SetError(text) }
}

func (w *two) offer(t *testing.T, set *flags.Contents) {
	t.Helper()
	o := cachestrategy.Offer{Update: flags.Update{Head: set.Head(), Checkpoint: set.Checkpoint()}}
	if got, err := w.Put(t.Context(), o); err != nil || got != cachestrategy.Stored {
		t.Fatalf("Put: %v, %v", got, err)
	}
}

// What was offered while Redis was gone is told to be missing there, and goes in
// with the first put after the breaker has closed.
func TestTieredRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTwo(t, cachestrategy.TieredOptions{})
		set := flags.NewContents("shop")
		commit(t, set, flags.OpCreate, "1")
		w.offer(t, set)
		w.fault(t, faultnet.Refuse)
		commit(t, set, flags.OpChange, "2")
		o := cachestrategy.Offer{Update: flags.Update{Head: set.Head()}, Full: set.Checkpoint}
		for range 5 {
			if _, err := w.Put(t.Context(), o); !farGone(err) {
				t.Fatalf("Put: %v", err)
			}
		}
		if e, err := w.Get(t.Context(), cachestrategy.Query{Set: "shop"}); err != nil || e.Head != set.Head() {
			t.Fatalf("the memory has %s, %v", e.Head.Token(), err)
		}
		w.fault(t, faultnet.Pass)
		time.Sleep(20 * time.Second)
		if got, err := w.Put(t.Context(), o); err != nil || got != cachestrategy.Stored {
			t.Fatalf("Put after the outage: %v, %v", got, err)
		}
		if e, err := w.far.Get(t.Context(), cachestrategy.Query{Set: "shop"}); err != nil || e.Head != set.Head() {
			t.Errorf("Redis has %s, %v", e.Head.Token(), err)
		}
	})
}

// A Redis that lost its last writes does not take readers back; the twin believes it.
func TestTieredFailover(t *testing.T) {
	for _, believes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var o cachestrategy.TieredOptions
			if believes {
				o = cachestrategy.Credulous()
			}
			w := newTwo(t, o)
			set := flags.NewContents("shop")
			commit(t, set, flags.OpCreate, "1")
			w.offer(t, set)
			old := set.Checkpoint()
			commit(t, set, flags.OpChange, "2")
			w.offer(t, set)
			w.server.FlushAll()
			if _, err := w.far.Put(t.Context(), cachestrategy.Offer{Update: flags.Update{Head: old.Head, Checkpoint: old}}); err != nil {
				t.Fatal(err)
			}
			e, err := w.Get(t.Context(), cachestrategy.Query{Set: "shop"})
			if err != nil {
				t.Fatal(err)
			}
			if back := e.Head.Version.Before(set.Head().Version); back != believes {
				t.Errorf("believing is %t: answered %s", believes, e.Head.Token())
			}
		})
	}
}

// What is read from the far tier is in the near one when the far one goes.
func TestTieredFillsFromReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTwo(t, cachestrategy.TieredOptions{})
		set := flags.NewContents("shop")
		commit(t, set, flags.OpCreate, "1")
		if _, err := w.far.Put(t.Context(), cachestrategy.Offer{Update: flags.Update{Head: set.Head(), Checkpoint: set.Checkpoint()}}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Get(t.Context(), cachestrategy.Query{Set: "shop"}); err != nil {
			t.Fatal(err)
		}
		w.fault(t, faultnet.Refuse)
		if e, err := w.Get(t.Context(), cachestrategy.Query{Set: "shop"}); err != nil || e.Head != set.Head() {
			t.Errorf("%s, %v", e.Head.Token(), err)
		}
	})
}

// To a user who may not write to the far tier it is read-only from the first denial on, of
// a lease or a put; the near tier is kept current all the same.
func TestTieredDenied(t *testing.T) {
	for name, first := range map[string]func(*testing.T, *two){
		"put": func(*testing.T, *two) {},
		"lease": func(t *testing.T, w *two) {
			if _, err := w.Lease(t.Context(), "shop", time.Second); !errors.Is(err, cachestrategy.ErrReadOnly) {
				t.Errorf("Lease: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTwo(t, cachestrategy.TieredOptions{})
				reply("NOPERM this user has no permissions to run the 'set' command")(t, w)
				first(t, w)
				set := flags.NewContents("shop")
				commit(t, set, flags.OpCreate, "1")
				w.offer(t, set)
				reply("")(t, w) // whoever tried again would succeed
				commit(t, set, flags.OpChange, "2")
				w.offer(t, set)
				if e, err := w.Get(t.Context(), cachestrategy.Query{Set: "shop"}); err != nil || e.Head != set.Head() {
					t.Errorf("Get: %s, %v", e.Head.Token(), err)
				}
				if keys := w.server.Keys(); len(keys) > 0 || !w.ReadOnly() {
					t.Errorf("written to the far tier: %q", keys)
				}
			})
		})
	}
}
