package sessionhttp_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/sessionhttp"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	anyone = flags.Entity("tenant-42")
	silent = &sessionhttp.Options{Logger: slog.New(slog.DiscardHandler)}
)

// newStore returns a store with one set of one flag.
func newStore(t *testing.T) *memstore.Store {
	t.Helper()
	st := memstore.New(nil)
	t.Cleanup(func() { st.Close() })
	write(t, st, flags.OpCreate, 0)
	return st
}

// write gives the flag a number and returns the token of the commit.
func write(t *testing.T, st *memstore.Store, op flags.Op, n int) flags.Token {
	t.Helper()
	text := fmt.Sprintf(`{"defaultVariant":"it","state":"ENABLED","variants":{"it":%d}}`, n)
	c, err := st.Apply(t.Context(), flags.Commit{
		Set: "default", ID: flags.NewCommitID(), Op: op,
		Changes: []flags.Mutation{{Key: flags.FlagKey("counter"), Bytes: []byte(text)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Head().Token()
}

// newClient returns a client of the store whose stream is late by what late does.
func newClient(t *testing.T, st *memstore.Store, late func(context.Context)) *flags.Client {
	t.Helper()
	c, err := flags.New(t.Context(), flags.Options{
		Primary: flags.Layer{Source: st, Watcher: lateWatcher{st, late}},
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// lateWatcher is the stream of a router that is slow: events wait before they are told.
type lateWatcher struct {
	flags.Watcher
	late func(context.Context)
}

func (w lateWatcher) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	s, err := w.Watcher.Watch(ctx, set, have)
	if w.late == nil || err != nil {
		return s, err
	}
	return lateStream{s, ctx, w.late}, nil
}

type lateStream struct {
	flags.Stream
	ctx  context.Context
	late func(context.Context)
}

func (s lateStream) Next() (flags.Event, error) {
	ev, err := s.Stream.Next()
	if len(ev.Commits) > 0 {
		s.late(s.ctx)
	}
	return ev, err
}

// never is a stream that has stopped telling news.
func never(ctx context.Context) { <-ctx.Done() }

// read answers with the number, its revision and its freshness.
func read(c *flags.Client) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d := c.IntDetails(r.Context(), "counter", anyone, -1)
		fmt.Fprintf(w, "%d %s %s", d.Value, d.Token(), d.Freshness)
	}
}
