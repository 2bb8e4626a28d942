package flags_test

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

const staleAfter = 10 * time.Second // the lifetime in each of the layers below

// storey is a process that reads from the cache of the one below it and fills one for the
// one above, besides a primary that can be cut off.
type storey struct {
	*flags.Client
	primary *fault
	out     *cachestrategy.Layer
	close   func() // at the end of a trial: what is left running would slow down the ones after it
}

// build puts a storey on top of another, nil for the lowest.
func build(t *testing.T, origin *memstore.Store, below *storey, guard rung) *storey {
	m := memorycache.New(nil)
	s := &storey{primary: newFault(origin)}
	s.out = cachestrategy.NewLayer(m, &cachestrategy.LayerOptions{
		Lifetimes: cachestrategy.Lifetimes{Base: cachestrategy.Lifetime{TTL: staleAfter}}, Authoritative: func(flags.Lineage) bool { return true },
	})
	o := flags.Options{
		FreshFor: staleAfter, Logger: quiet,
		Primary: flags.Layer{Source: s.primary, Watcher: s.primary, Gate: newGate("primary", nil)},
		Cache:   flags.Layer{Sink: s.out, TTL: staleAfter}, // renews what it wrote
		Disk:    flags.Layer{Sink: s.out},                  // writes what came from the cache below
	}
	if below != nil {
		o.Cache.Source = below.out
	}
	guard(t, nil, &o)
	c, err := flags.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.Client = c
	s.close = func() { closed(t, c); closed(t, m) }
	return s
}

// trial writes once and cuts each storey off from the origin, at random instants, and
// returns the greatest true age of an answer that was given as fresh: for how long it
// had not been the newest any more.
func trial(t *testing.T, random *rand.Rand, guard rung) (worst time.Duration) {
	origin := memstore.New(nil)
	defer closed(t, origin)
	create(t, origin)
	storeys := []*storey{build(t, origin, nil, guard)}
	for i := range 2 {
		storeys = append(storeys, build(t, origin, storeys[i], guard))
	}
	at := func() time.Duration { return time.Duration(random.Int64N(int64(12 * time.Second))) }
	for _, s := range storeys {
		time.AfterFunc(at(), func() { s.primary.set(refuse) })
	}
	time.Sleep(at())
	newest := write(t, origin, putFlag("beta", onFlag))
	written := time.Now()
	for range 45 {
		time.Sleep(time.Second)
		for _, s := range storeys {
			d := s.BoolDetails(t.Context(), "beta", anyone, false)
			if d.Freshness == flags.FreshnessFresh && d.Token().Before(newest.Version) {
				worst = max(worst, time.Since(written))
			}
			if d.Age() < 0 {
				t.Error("an answer of unknown age")
			}
		}
	}
	for _, s := range storeys {
		s.close()
	}
	return worst
}

// Three layers of ten seconds each do not make thirty: ages are counted from when the
// origin was known to have it. Where each layer counts from when it was filled, they do.
func TestAgesDoNotAddUp(t *testing.T) {
	trials := 200
	if os.Getenv("HOLDFAST_LONG") != "" {
		trials = 1000
	}
	twins(t, flags.WithoutAgeGuard, func(t *testing.T, guard rung) bool {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		var worst time.Duration
		for i := range trials {
			if worst = max(worst, trial(t, random, guard)); worst > staleAfter+time.Second {
				t.Logf("trial %d of seed %d: given as fresh %v after it was not", i, seed, worst)
				return true
			}
		}
		if worst == 0 {
			t.Errorf("seed %d: no answer was ever old", seed)
		}
		matrix.Tally(t, "G6", trials, 0)
		return false
	})
}

// The bound of one read is its own, counts from the origin, and is looked at when it reads.
func TestMaxStalenessOfARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		l.primary.set(refuse)
		l.secondary.set(refuse)
		began := time.Now() // the set was confirmed at this instant
		tight, loose := flags.MaxStaleness(t.Context(), 20*time.Second), flags.MaxStaleness(t.Context(), time.Hour)
		read := func(ctx context.Context) flags.Freshness { return l.BoolDetails(ctx, "beta", anyone, true).Freshness }
		for _, tt := range []struct {
			at                   time.Duration
			tight, loose, strict flags.Freshness
			value                bool
		}{
			{20 * time.Second, flags.FreshnessFresh, flags.FreshnessFresh, flags.FreshnessFresh, false},
			{20*time.Second + 1, flags.FreshnessStale, flags.FreshnessFresh, flags.FreshnessStale, true},
			{time.Minute, flags.FreshnessStale, flags.FreshnessStale, flags.FreshnessStale, true},
		} {
			time.Sleep(tt.at - time.Since(began))
			strict := l.BoolDetails(flags.Strict(tight), "beta", anyone, true)
			if read(tight) != tt.tight || read(loose) != tt.loose || strict.Freshness != tt.strict || strict.Value != tt.value {
				t.Errorf("after %v: %v, %v, strict %v with %v", tt.at, read(tight), read(loose), strict.Freshness, strict.Value)
			}
		}
		if d := l.BoolDetails(flags.MaxStaleness(t.Context(), -1), "beta", anyone, true); d.Value || d.Freshness != flags.FreshnessStale {
			t.Errorf("a bound that is none: %v", d.Freshness)
		}
	})
}

// A flag with a maxAge goes stale by itself, at that age to the second, and is fresh
// again with the next confirmation; nobody else notices.
func TestMaxAgeOfAFlag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		aged := func(age string) string {
			return `{"defaultVariant":"on","metadata":{"maxAge":` + age + `},"state":"ENABLED","variants":{"on":true}}`
		}
		apply(t, l.primary.store, flags.OpChange,
			putFlag("five", aged("5")), putFlag("twenty", aged(`"20s"`)), putFlag("also-twenty", aged("20")), putFlag("hour", aged(`"1h"`)), putFlag("gone", aged("7")))
		apply(t, l.primary.store, flags.OpChange, remove(flags.FlagKey("gone")))
		synctest.Wait()
		l.primary.set(refuse)
		l.secondary.set(refuse)
		began := time.Now()
		for _, tt := range []struct {
			at    time.Duration
			stale []string
		}{
			{0, nil},
			{5*time.Second - 1, nil},
			{5 * time.Second, []string{"five"}},
			{20*time.Second - 1, []string{"five"}},
			{20 * time.Second, []string{"five", "twenty", "also-twenty"}},
			{53 * time.Second, []string{"five", "twenty", "also-twenty"}},
			{54 * time.Second, []string{"beta", "five", "twenty", "also-twenty", "hour"}},
		} {
			time.Sleep(tt.at - time.Since(began))
			synctest.Wait() // the timer of this instant
			var stale []string
			for _, d := range l.GetFlags(t.Context(), anyone, "beta", "five", "twenty", "also-twenty", "hour") {
				if d.Freshness != flags.FreshnessFresh {
					stale = append(stale, d.Key)
				}
			}
			if len(stale) != len(tt.stale) {
				t.Errorf("after %v: stale %v, want %v", tt.at, stale, tt.stale)
			}
		}
		five := l.BoolDetails(t.Context(), "five", anyone, false)
		if got := five.ExpiresAt(); !got.Equal(began.Add(5*time.Second)) || !five.Value {
			t.Errorf("expires %v after the write, value %v", got.Sub(began), five.Value)
		}
		if h := l.Handle("five").BoolDetails(anyone, false); h.Freshness != flags.FreshnessStale {
			t.Errorf("through a handle: %v", h.Freshness)
		}
		l.primary.set(nil)
		waitFor(t, 70*time.Second, "confirmation", func() bool {
			return l.BoolDetails(t.Context(), "five", anyone, false).Freshness == flags.FreshnessFresh
		})
	})
}

// What is not there is told with the revision at which it was not. Created later it
// appears at once to who has its token, and as soon as the stream brings it to the others.
func TestAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		absent := l.BoolDetails(t.Context(), "late", anyone, false)
		if absent.ErrorCode != flags.ErrorFlagNotFound || absent.Token() != l.Token(t.Context()) || absent.Freshness != flags.FreshnessFresh {
			t.Errorf("a flag that is not there: %v at %v, %v", absent.ErrorCode, absent.Token(), absent.Freshness)
		}
		written := write(t, l.primary.store, putFlag("late", onFlag))
		if d := l.BoolDetails(flags.AtLeast(t.Context(), written), "late", anyone, false); !d.Value || d.Token() != written {
			t.Errorf("with its token: %v, %v at %v", d.Value, d.ErrorCode, d.Token())
		}
		write(t, l.primary.store, putFlag("later", onFlag))
		synctest.Wait() // no time passes: the stream alone
		if !l.Bool(t.Context(), "later", anyone, false) {
			t.Error("not there though the stream has brought it")
		}
		apply(t, l.primary.store, flags.OpDelete)
		synctest.Wait()
		deleted := l.BoolDetails(t.Context(), "beta", anyone, true)
		if deleted.ErrorCode != flags.ErrorFlagNotFound || deleted.Token().Revision == 0 || !deleted.Value {
			t.Errorf("in a set that was deleted: %v at %v", deleted.ErrorCode, deleted.Token())
		}
		apply(t, l.primary.store, flags.OpCreate, putFlag("beta", onFlag))
		synctest.Wait()
		if d := l.BoolDetails(t.Context(), "beta", anyone, false); !d.Value || d.Token().Epoch != 1 {
			t.Errorf("in the set created again: %v at %v", d.Value, d.Token())
		}
	})
}
