package flags_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Whatever a context demands and cannot have, the read says so, and a strict one gives
// its default with an error that tells why.
func TestStrict(t *testing.T) {
	future := flags.Token{Set: "default", Version: flags.Version{Revision: 99}}
	foreign := flags.Token{Set: "default", Version: flags.Version{Revision: 1}, Lineage: flags.NewLineage()}
	session := func(ctx context.Context) context.Context {
		ctx = flags.WithSession(ctx)
		flags.Saw(ctx, future)
		return ctx
	}
	for name, tt := range map[string]struct {
		demand func(l *ladder, ctx context.Context) context.Context
		want   flags.Freshness
		met    bool
	}{
		"nothing":            {func(_ *ladder, ctx context.Context) context.Context { return ctx }, flags.FreshnessStale, true},
		"a version that is":  {func(l *ladder, ctx context.Context) context.Context { return flags.AtLeast(ctx, l.Token(ctx)) }, flags.FreshnessStale, true},
		"a version to come":  {func(_ *ladder, ctx context.Context) context.Context { return flags.AtLeast(ctx, future) }, flags.FreshnessNotFresh, false},
		"another history":    {func(_ *ladder, ctx context.Context) context.Context { return flags.AtLeast(ctx, foreign) }, flags.FreshnessNotFresh, false},
		"the primary's word": {func(_ *ladder, ctx context.Context) context.Context { return flags.Fresh(ctx) }, flags.FreshnessNotFresh, false},
		"a young answer":     {func(_ *ladder, ctx context.Context) context.Context { return flags.MaxStaleness(ctx, time.Minute) }, flags.FreshnessStale, false},
		"not too old":        {func(_ *ladder, ctx context.Context) context.Context { return flags.MaxStaleness(ctx, time.Hour) }, flags.FreshnessStale, true},
		"the smaller bound": {func(_ *ladder, ctx context.Context) context.Context {
			return flags.MaxStaleness(flags.MaxStaleness(ctx, time.Minute), time.Hour)
		}, flags.FreshnessStale, false},
		"what a session saw":    {func(_ *ladder, ctx context.Context) context.Context { return session(ctx) }, flags.FreshnessNotFresh, false},
		"a pin and a new one":   {func(l *ladder, ctx context.Context) context.Context { return flags.AtLeast(l.Pin(ctx), future) }, flags.FreshnessNotFresh, false},
		"a pin that fell short": {func(l *ladder, ctx context.Context) context.Context { return l.Pin(flags.Fresh(ctx)) }, flags.FreshnessNotFresh, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := climb(t, cutOff)
				l.stop()
				ctx := tt.demand(l, t.Context())
				d := l.BoolDetails(ctx, "beta", anyone, false)
				if !d.Value || d.Err() != nil || d.Freshness != tt.want || d.Token().Revision != 2 {
					t.Errorf("as it is: %v at %v, %v, %v", d.Value, d.Token(), d.Freshness, d.Err())
				}
				d = l.BoolDetails(flags.Strict(ctx), "beta", anyone, false)
				view, err := l.Require(ctx)
				if tt.met {
					if !d.Value || d.Err() != nil || err != nil || !view.Bool("beta", anyone, false) {
						t.Errorf("strict: %v, %v; required: %v", d.Value, d.Err(), err)
					}
					return
				}
				if d.Value || d.Variant != "" || d.Reason != flags.ReasonError || d.ErrorCode != flags.ErrorGeneral || d.Freshness != tt.want {
					t.Errorf("strict: %+v", d)
				}
				if !errors.Is(d.Err(), flags.ErrNotFresh) || !errors.Is(err, flags.ErrNotFresh) || d.ErrorMessage() != err.Error() {
					t.Errorf("strict: %v; required: %v", d.Err(), err)
				}
				if view.Bool("beta", anyone, false) || !l.Bool(ctx, "beta", anyone, false) || d.Token() != (flags.Token{}) {
					t.Error("a view that was refused answers, or one that was not does not")
				}
			})
		})
	}
}

// cutOff leaves a client that has seen beta on, ten minutes ago, and nobody since.
func cutOff(t *testing.T, l *ladder, o *flags.Options) {
	dir := t.TempDir()
	first := climb(t, withDisk(dir))
	write(t, first.primary.store, putFlag("beta", onFlag))
	waitFor(t, time.Second, "toggle", first.on)
	closed(t, first.Client)
	first.stop()
	time.Sleep(10 * time.Minute)
	withDisk(dir)(t, l, o)
	l.primary.set(refuse)
	l.secondary.set(refuse)
}

func TestRequireWithoutASet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, flags.Options{StartTimeout: -1})
		view, err := c.Require(t.Context())
		if !errors.Is(err, flags.ErrNotFresh) || !view.Bool("beta", anyone, true) {
			t.Errorf("required nothing: %v", err)
		}
		if d := c.BoolDetails(flags.Strict(t.Context()), "beta", anyone, true); d.ErrorCode != flags.ErrorProviderNotReady || !d.Value || d.Err() == nil {
			t.Errorf("%v, %v", d.ErrorCode, d.Err())
		}
		if d := c.BoolDetails(flags.Strict(flags.Fresh(t.Context())), "beta", anyone, true); !errors.Is(d.Err(), flags.ErrNotFresh) {
			t.Errorf("%v, %v", d.ErrorCode, d.Err())
		}
	})
}

// A permission is revoked. The gate that asks with Fresh closes with the primary's
// acknowledgement, or says that it does not know; no cache, secondary or file answers in
// the primary's place. A gate that believes memory lets somebody in.
func TestRevocation(t *testing.T) {
	twins(t, flags.WithoutFreshGuard, func(t *testing.T, guard rung) (violated bool) {
		cache := newCache(t)
		l := climb(t, withCache(cache), withDisk(t.TempDir()), guard, func(_ *testing.T, l *ladder, _ *flags.Options) { l.primary.bendBy(late) })
		gate := flags.Strict(flags.Fresh(t.Context()))
		for range 10 {
			write(t, l.primary.store, putFlag("beta", onFlag))
			waitFor(t, time.Second, "permission", l.on)
			time.Sleep(50 * time.Millisecond)
			write(t, l.primary.store, putFlag("beta", switchFlag)) // the stream brings it 400 ms later
			if l.Bool(gate, "beta", anyone, false) {
				violated = true
			}
		}
		write(t, l.primary.store, putFlag("beta", onFlag))
		mirror(t, l.primary.store, l.secondary.store)
		waitFor(t, time.Second, "permission", l.on)
		l.primary.set(refuse)
		for range 60 {
			time.Sleep(time.Second)
			if l.Bool(gate, "beta", anyone, false) {
				violated = true // the secondary has it so, and is not asked
			}
		}
		if !l.on() || l.layer() != "secondary" {
			t.Errorf("reads that do not ask are answered by %q", l.layer())
		}
		return violated
	})
}

// Without a primary nobody can give its word, however much the secondary knows.
func TestFreshWithoutAPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t, func(_ *testing.T, _ *ladder, o *flags.Options) { o.Primary = flags.Layer{} })
		asked := l.secondary.count("", time.Time{})
		if d, took := l.took(flags.Fresh(t.Context())); d.Freshness != flags.FreshnessNotFresh || took != 0 {
			t.Errorf("%v after %v", d.Freshness, took)
		}
		if n := l.secondary.count("", time.Time{}); n != asked {
			t.Errorf("the secondary was asked %d times", n-asked)
		}
		written := write(t, l.secondary.store, putFlag("beta", onFlag))
		if d, _ := l.took(flags.AtLeast(t.Context(), written)); d.Freshness != flags.FreshnessFresh || !d.Value {
			t.Errorf("a token can be met without a primary: %v", d.Freshness)
		}
	})
}

// What reads could not have is counted by what it was, and told once in ten seconds.
func TestUnmetDemandsAreToldAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l := climb(t, func(_ *testing.T, _ *ladder, o *flags.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		if got := l.Status().Unmet; got != nil {
			t.Errorf("at first: %v", got)
		}
		foreign := flags.Token{Set: "default", Version: flags.Version{Revision: 1}, Lineage: flags.NewLineage()}
		future := flags.Token{Set: "default", Version: flags.Version{Revision: 99}}
		for range 20 {
			l.Bool(flags.AtLeast(t.Context(), foreign), "beta", anyone, false)
		}
		l.Bool(flags.AtLeast(t.Context(), future), "beta", anyone, false)
		time.Sleep(2 * time.Second)
		l.Bool(flags.MaxStaleness(t.Context(), time.Nanosecond), "beta", anyone, false)
		want := map[string]uint64{"another lineage": 20, "version": 1, "age": 1}
		if got := l.Status().Unmet; !maps.Equal(got, want) {
			t.Errorf("counted %v, want %v", got, want)
		}
		closed(t, l.Client) // nobody writes the log any more
		if n := strings.Count(log.String(), `wanted="another lineage"`); n != 1 || !strings.Contains(log.String(), foreign.String()) {
			t.Errorf("told %d times in %s", n, log.String())
		}
	})
}
