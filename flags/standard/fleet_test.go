package standard_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// polled is an origin that nobody can watch. It counts the loads of contents, each of
// which takes a while.
type polled struct {
	store *memstore.Store
	loads atomic.Int32
}

func (p *polled) Head(ctx context.Context, set string) (flags.Head, error) {
	return p.store.Head(ctx, set)
}

func (p *polled) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	p.loads.Add(1)
	select {
	case <-time.After(200 * time.Millisecond):
	case <-ctx.Done():
	}
	return p.store.Fetch(ctx, set, have)
}

// fleet is a number of processes on one Redis, in virtual time.
type fleet struct {
	server  *miniredis.Miniredis
	origin  *polled
	clients []*flags.Client
}

// startFleet starts processes together, with nothing in Redis. Each has a memory of
// its own below it, as processes do.
func startFleet(t *testing.T, n int, params string) *fleet {
	t.Helper()
	f := &fleet{server: miniredis.NewMiniRedis(), origin: &polled{store: memstore.New(nil)}, clients: make([]*flags.Client, n)}
	f.server.ClockTTL(true)
	t.Cleanup(f.server.Close)
	t.Cleanup(func() { _ = f.origin.store.Close() })
	_, err := f.origin.store.Apply(t.Context(), flags.Commit{Set: "default", ID: flags.NewCommitID(), Op: flags.OpCreate, Changes: []flags.Mutation{{
		Key: flags.FlagKey("beta"), Bytes: []byte(`{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var starting sync.WaitGroup
	for i := range f.clients {
		layers, closeAll, err := standard.SharedLayers(standard.Config{
			Cache: "redis://virtual" + params, APIKey: string(rune('a' + i)), // another key, another memory
			Dial:   func(context.Context, string, string) (net.Conn, error) { return f.server.Dial() },
			Logger: slog.New(slog.DiscardHandler),
		}, 1)
		if err != nil {
			t.Fatal(err)
		}
		starting.Go(func() {
			c, err := flags.New(context.Background(), flags.Options{
				Primary: flags.Layer{Source: f.origin}, Cache: layers[0], Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Error(err)
				return
			}
			f.clients[i] = c
		})
		t.Cleanup(func() {
			if err := f.clients[i].Close(); err != nil {
				t.Error(err)
			}
			if err := closeAll(); err != nil {
				t.Error(err)
			}
			if i == 0 { // the last one to be closed
				time.Sleep(2 * time.Second) // the driver looks each second whether its pool was closed
			}
		})
	}
	starting.Wait()
	return f
}

// F21: fifty processes that can only poll, on one Redis. Started together with nothing
// in it they load the set at most three times between them; what expires costs no
// load at all, though ten thousand readers ask at that instant; nor does a flush.
func TestFleetLoadsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startFleet(t, 50, "")
		time.Sleep(2 * time.Second)
		if n := f.origin.loads.Swap(0); n > 3 {
			t.Errorf("%d loads by fifty processes that started together", n)
		}
		f.server.FlushAll()
		refilled := time.Duration(0)
		for refilled < time.Minute && !f.server.Exists("holdfast:v1:{default}:entry") {
			time.Sleep(time.Second)
			refilled += time.Second
		}
		if refilled > 53*time.Second { // 80 % of a minute, and a tenth of that
			t.Errorf("Redis was empty for %v", refilled)
		}
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))
		var readers sync.WaitGroup
		for range 10_000 {
			readers.Go(func() {
				if !f.clients[7].Bool(t.Context(), "beta", flags.Entity("me"), false) {
					t.Error("beta is off")
				}
			})
		}
		readers.Wait()
		time.Sleep(10 * time.Minute)
		if n := f.origin.loads.Load(); n > 0 {
			t.Errorf("%d loads because something expired", n)
		}
		matrix.Tally(t, "F21", 3, 0)
	})
}

// Without a lease each of them loads for itself.
func TestFleetTwin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startFleet(t, 20, "?access=read") // who may not write cannot lead
		time.Sleep(2 * time.Second)
		if n := f.origin.loads.Load(); n < 20 {
			t.Errorf("%d loads by 20 processes without a lease: the test shows nothing", n)
		}
	})
}
