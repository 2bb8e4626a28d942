package standard_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// counted counts the whole sets that a store sends, each of which takes a while.
type counted struct {
	*memstore.Store
	whole atomic.Int32
}

func (c *counted) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	if have.Version.IsZero() {
		c.whole.Add(1)
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return c.Store.Watch(ctx, set, have)
}

// Ten clients of a process that start together load the set once.
func TestTenClientsLoadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &counted{Store: memstore.New(nil)}
		defer func() { _ = s.Close() }()
		_, err := s.Apply(t.Context(), flags.Commit{Set: "default", ID: flags.NewCommitID(), Op: flags.OpCreate})
		if err != nil {
			t.Fatal(err)
		}
		layers, closeAll, err := standard.SharedLayers(standard.Config{Primary: "grpc://router:8015", Cache: "memory:"}, 10)
		if err != nil {
			t.Fatal(err)
		}
		if n := standard.Memories(); n != 1 {
			t.Errorf("%d memories for ten clients of one kind", n)
		}
		var starting sync.WaitGroup
		for _, cache := range layers {
			starting.Go(func() {
				c, err := flags.New(t.Context(), flags.Options{
					Primary: flags.Layer{Source: s, Watcher: s}, Cache: cache, Logger: slog.New(slog.DiscardHandler),
				})
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = c.Close() }()
				time.Sleep(time.Second)
				if status := c.Status(); status.Layer != "primary" || status.Token.Revision != 1 {
					t.Errorf("answered by %q at %v", status.Layer, status.Token)
				}
			})
		}
		starting.Wait()
		if n := s.whole.Load(); n != 1 {
			t.Errorf("%d loads of the whole set, want 1", n)
		}
		if err := closeAll(); err != nil {
			t.Error(err)
		}
		if n := standard.Memories(); n != 0 {
			t.Errorf("%d memories left", n)
		}
		time.Sleep(time.Second)
	})
}

// The first client gives up; the others do not wait for it for ever.
func TestSharedMemoryWithoutPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		layers, closeAll, err := standard.SharedLayers(standard.Config{Primary: "grpc://router:8015", Cache: "memory:"}, 3)
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range layers {
			began := time.Now()
			_, err := l.Source.Head(t.Context(), "default")
			if flags.ClassOf(err) != flags.ClassNotFound || time.Since(began) > time.Second {
				t.Errorf("client %d: %v after %v", i, err, time.Since(began))
			}
		}
		if err := closeAll(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
	})
}

// Memory is shared between those who read the same things as the same user.
func TestWhoSharesMemory(t *testing.T) {
	base := standard.Config{Primary: "grpc://router:8015", Cache: "memory:"}
	but := func(change func(*standard.Config)) standard.Config {
		c := base
		change(&c)
		return c
	}
	for name, tt := range map[string]struct {
		cfg  standard.Config
		want int
	}{
		"same":                      {base, 1},
		"other key":                 {but(func(c *standard.Config) { c.APIKey = "another" }), 2},
		"key from a file":           {but(func(c *standard.Config) { c.APIKeyFile = "another.key" }), 2},
		"certificate from a file":   {but(func(c *standard.Config) { c.TLSCert, c.TLSKey = "another.crt", "another.key" }), 2},
		"certificate":               {but(func(c *standard.Config) { c.TLS = &tls.Config{MinVersion: tls.VersionTLS12} }), 2},
		"file, which nobody shares": {but(func(c *standard.Config) { c.Primary = "file:flags.json" }), 1},
	} {
		_, closeBase, err := standard.SharedLayers(base, 1)
		if err != nil {
			t.Fatal(err)
		}
		_, closeAll, err := standard.SharedLayers(tt.cfg, 1)
		if err != nil {
			t.Fatal(err)
		}
		if n := standard.Memories(); n != tt.want {
			t.Errorf("%s: %d memories, want %d", name, n, tt.want)
		}
		if err := closeAll(); err != nil {
			t.Error(err)
		}
		if err := closeBase(); err != nil {
			t.Error(err)
		}
	}
}

// A cache that is not to be written to is one that other processes share: a memory of this
// process, alone or below a Redis, is kept current.
func TestReadOnlyIsForSharedCaches(t *testing.T) {
	for url, written := range map[string]bool{
		"memory:":                        true,
		"redis://cache:6379":             true,
		"redis://cache:6379?memory=0":    false,
		"redis://cache:6379?access=read": true,
	} {
		layers, closeAll, err := standard.SharedLayers(standard.Config{Primary: "grpc://router:8015", Cache: url, CacheReadOnly: true}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := layers[0].Sink != nil; got != written {
			t.Errorf("%s: written to: %v, want %v", url, got, written)
		}
		if err := closeAll(); err != nil {
			t.Error(err)
		}
	}
}
