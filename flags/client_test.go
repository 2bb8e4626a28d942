package flags_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

var (
	anyone = flags.Entity("tenant-42")
	quiet  = slog.New(slog.DiscardHandler)
)

// open returns a client that is closed with the test.
func open(t *testing.T, o flags.Options) *flags.Client {
	t.Helper()
	if o.Logger == nil {
		o.Logger = quiet
	}
	c, err := flags.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, c) })
	return c
}

func closed(t *testing.T, c io.Closer) {
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// recorder reads all the time and remembers what must never happen.
type recorder struct {
	mu                       sync.Mutex
	reads, failed, backwards int
	newest                   flags.Version
	layers                   map[string]int
	stop                     context.CancelFunc
}

func record(t *testing.T, c *flags.Client) *recorder {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r := &recorder{layers: map[string]int{}, stop: cancel}
	go func() {
		for ctx.Err() == nil {
			r.read(c.BoolDetails(ctx, "beta", anyone, false))
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}()
	return r
}

func (r *recorder) read(d flags.BoolDetails) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	r.layers[d.Layer()]++
	if d.ErrorCode != flags.ErrorNone {
		r.failed++
	}
	if v := d.Token().Version; v.Before(r.newest) {
		r.backwards++
	} else {
		r.newest = v
	}
}

func (r *recorder) check(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reads == 0 || r.failed != 0 || r.backwards != 0 {
		t.Errorf("%d reads: %d failed, %d went backwards", r.reads, r.failed, r.backwards)
	}
}

func (r *recorder) wentBack() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.backwards > 0
}

func wantLayer(t *testing.T, c *flags.Client, layer string, revision uint64, f flags.Freshness) {
	t.Helper()
	d := c.BoolDetails(t.Context(), "beta", anyone, false)
	if d.Layer() != layer || d.Token().Revision != revision || d.Freshness != f {
		t.Errorf("answered by %q at %v, %v; want %q at revision %d, %v", d.Layer(), d.Token(), d.Freshness, layer, revision, f)
	}
}

func TestClientFollowsPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(nil)
		defer closed(t, s)
		create(t, s)
		began := time.Now()
		c := open(t, flags.Options{Primary: flags.Layer{Source: s, Watcher: s}})
		if waited := time.Since(began); waited != 0 {
			t.Errorf("New waited %v with the set at hand", waited)
		}
		r := record(t, c)
		if c.Bool(t.Context(), "beta", anyone, true) {
			t.Error("beta is on before the toggle")
		}
		apply(t, s, flags.OpChange, putFlag("beta", onFlag))
		synctest.Wait()
		if !c.Bool(t.Context(), "beta", anyone, false) {
			t.Error("beta is off after the toggle")
		}
		wantLayer(t, c, "primary", 2, flags.FreshnessFresh)
		time.Sleep(10 * time.Minute)
		wantLayer(t, c, "primary", 2, flags.FreshnessFresh)
		if age := c.Status().Age; age > 10*time.Second {
			t.Errorf("age %v though the stream beats every 10 s", age)
		}
		r.check(t)
	})
}

func TestClientWithoutAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, flags.Options{StartTimeout: -1})
		if !c.Bool(t.Context(), "beta", anyone, true) {
			t.Error("no default")
		}
		if d := c.BoolDetails(t.Context(), "beta", anyone, true); d.ErrorCode != flags.ErrorProviderNotReady {
			t.Errorf("got %v, want PROVIDER_NOT_READY", d.ErrorCode)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.WaitReady(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("WaitReady: %v", err)
		}
		closed(t, c)
		if err := c.WaitReady(t.Context()); !errors.Is(err, flags.ErrClosed) {
			t.Errorf("WaitReady after Close: %v", err)
		}
	})
}

func TestClientRefusesWrongOptions(t *testing.T) {
	s := memstore.New(nil)
	for name, o := range map[string]flags.Options{
		"set name":              {Set: "no spaces"},
		"secondary is followed": {Secondary: flags.Layer{Source: s, Watcher: s}},
		"watcher alone":         {Primary: flags.Layer{Watcher: s}},
	} {
		if c, err := flags.New(t.Context(), o); !errors.Is(err, flags.ErrInvalid) || c != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Any subset of the layers is a client.
func TestClientOverOneLayer(t *testing.T) {
	for name, tt := range map[string]struct {
		options func(*memstore.Store) flags.Options
		layer   string
	}{
		"primary without a watcher": {func(s *memstore.Store) flags.Options { return flags.Options{Primary: flags.Layer{Source: s}} }, "primary"},
		"secondary alone":           {func(s *memstore.Store) flags.Options { return flags.Options{Secondary: flags.Layer{Source: s}} }, "secondary"},
		"cache alone":               {func(s *memstore.Store) flags.Options { return flags.Options{Cache: flags.Layer{Source: s}} }, "cache"},
		"named": {func(s *memstore.Store) flags.Options {
			return flags.Options{Primary: flags.Layer{Name: "router-eu", Source: s, Watcher: s}}
		}, "router-eu"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memstore.New(nil)
				defer closed(t, s)
				create(t, s)
				c := open(t, tt.options(s))
				r := record(t, c)
				if err := c.WaitReady(t.Context()); err != nil {
					t.Fatal(err)
				}
				apply(t, s, flags.OpChange, putFlag("beta", onFlag))
				waitFor(t, 12*time.Second, "toggle", func() bool { return c.Bool(t.Context(), "beta", anyone, false) })
				if got := c.BoolDetails(t.Context(), "beta", anyone, false).Layer(); got != tt.layer {
					t.Errorf("answered by %q, want %q", got, tt.layer)
				}
				time.Sleep(10 * time.Minute)
				r.check(t)
			})
		})
	}
}
