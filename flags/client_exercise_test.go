package flags_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// While nobody needs it the secondary is asked for its head once a minute and for the
// whole set once an hour.
func TestSecondaryIsExercised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		l.stop() // nobody reads for hours
		began := time.Now()
		time.Sleep(2*time.Hour + 30*time.Minute)
		if n := l.secondary.count("head", began); n < 130 || n > 190 {
			t.Errorf("%d heads in 150 min", n)
		}
		if n := l.secondary.count("fetch", began); n != 3 {
			t.Errorf("%d whole sets in 150 min, want 3", n)
		}
		s, _ := l.Status().ByName("secondary")
		if s.Drift != 0 || s.Lag != 0 || s.RefusedDigest != 0 || len(s.Errors) != 0 {
			t.Errorf("a healthy secondary: %+v", s)
		}
		for range 3 {
			apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
			apply(t, l.primary.store, flags.OpChange, putFlag("beta", switchFlag))
		}
		time.Sleep(2 * time.Minute)
		if s, _ = l.Status().ByName("secondary"); s.Lag != 6 {
			t.Errorf("lag %d, want 6", s.Lag)
		}
		wantLayer(t, l.Client, "primary", 7, flags.FreshnessFresh)
	})
}

// A secondary that holds something else at the same version is found out before it
// is needed, and is not believed when it is.
func TestDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t, func(_ *testing.T, l *ladder, _ *flags.Options) { l.secondary.bendHead(drifted) })
		time.Sleep(2 * time.Minute)
		s, _ := l.Status().ByName("secondary")
		if s.Drift == 0 {
			t.Errorf("drift was not seen: %+v", s)
		}
		began := time.Now()
		l.primary.set(refuse)
		time.Sleep(2 * time.Minute)
		wantLayer(t, l.Client, "primary", 1, flags.FreshnessStale)
		if n := l.secondary.count("fetch", began); n != 0 {
			t.Errorf("read whole %d times, to be refused", n)
		}
	})
}

func drifted(h flags.Head) flags.Head {
	h.Digest = h.Digest.Plus(flags.EntryHash(flags.FlagKey("x"), []byte("y")))
	return h
}

// An outage has one error, a warning every ten seconds at most, and one line when it is over.
func TestOutageIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l := climb(t, func(_ *testing.T, _ *ladder, o *flags.Options) {
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		l.primary.set(refuse)
		time.Sleep(time.Minute)
		l.primary.set(nil)
		time.Sleep(time.Minute)
		closed(t, l.Client) // nobody writes the log any more
		if n := strings.Count(log.String(), "level=WARN"); n < 4 || n > 12 {
			t.Errorf("%d warnings in about a minute:\n%s", n, log.String())
		}
		if !strings.Contains(log.String(), "answering=secondary") || !strings.Contains(log.String(), "connection refused") {
			t.Errorf("the warnings name neither layer nor cause:\n%s", log.String())
		}
	})
}

// With a bound on staleness, answers past it are stale, and defaults where the client is
// strict or the read is; and the set again once it is confirmed.
func TestMaxStaleness(t *testing.T) {
	for name, strict := range map[string]bool{"reported": false, "strict": true} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { maxStaleness(t, strict) }) })
	}
}

func maxStaleness(t *testing.T, strict bool) {
	c := climb(t, func(_ *testing.T, _ *ladder, o *flags.Options) { o.MaxStaleness, o.Strict = 5*time.Minute, strict })
	c.stop() // its reads would fail
	apply(t, c.primary.store, flags.OpChange, putFlag("beta", onFlag))
	waitFor(t, time.Second, "toggle", c.on)
	c.primary.set(refuse)
	c.secondary.set(refuse)
	time.Sleep(4 * time.Minute)
	if d := c.BoolDetails(flags.Strict(t.Context()), "beta", anyone, false); !d.Value || d.Err() != nil {
		t.Errorf("gave up too early: %v", d.Err())
	}
	time.Sleep(90 * time.Second)
	d := c.BoolDetails(t.Context(), "beta", anyone, false)
	if d.Value == strict || (d.ErrorCode != flags.ErrorNone) != strict || d.Freshness != flags.FreshnessStale {
		t.Errorf("past the bound: %v, %v, %v", d.Value, d.ErrorCode, d.Freshness)
	}
	d = c.BoolDetails(flags.Strict(t.Context()), "beta", anyone, false)
	if d.Value || d.Freshness != flags.FreshnessStale || !errors.Is(d.Err(), flags.ErrNotFresh) || d.Token() != (flags.Token{}) {
		t.Errorf("strict past the bound: %v, %v, %v", d.Value, d.Freshness, d.Err())
	}
	c.primary.set(nil)
	waitFor(t, 70*time.Second, "recovery", func() bool { return c.Bool(flags.Strict(t.Context()), "beta", anyone, false) })
}

func TestObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan string, 1000)
		l := climb(t, func(_ *testing.T, _ *ladder, o *flags.Options) {
			o.Observer = flags.Observer{
				Answered:  func(layer, op string, _ time.Duration, _ error) { seen <- layer + " " + op },
				Installed: func(layer string, to flags.Token) { seen <- layer + " installed " + to.Version.String() },
				Refused:   func(layer string, _ error) { seen <- layer + " refused" },
				Freshness: func(f flags.Freshness) { seen <- f.String() },
			}
		})
		apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
		waitFor(t, time.Second, "toggle", l.on)
		l.primary.set(refuse)
		time.Sleep(2 * time.Minute) // the secondary lags
		closed(t, l.Client)
		close(seen)
		got := map[string]int{}
		for s := range seen {
			got[s]++
		}
		for _, want := range []string{"primary watch", "primary installed 0.1", "primary installed 0.2", "secondary head", "secondary refused", "FRESH", "STALE"} {
			if got[want] == 0 {
				t.Errorf("nothing told of %q: %v", want, got)
			}
		}
	})
}

// A set that is past the bound is served the moment that the primary confirms it: who
// waits for it need not wait for the next change.
func TestExpiredIsConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first := climb(t, withDisk(dir))
		closed(t, first.Client)
		time.Sleep(time.Hour)
		began := time.Now()
		again := climb(t, withDisk(dir), func(t *testing.T, l *ladder, o *flags.Options) {
			closed(t, l.primary.store)
			l.primary.store = first.primary.store
			l.primary.set(after(100 * time.Millisecond))
			o.MaxStaleness, o.Strict = time.Minute, true
		})
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("New took %v", took)
		}
		wantLayer(t, again.Client, "primary", 1, flags.FreshnessFresh)
	})
}
