// Package sessiontest is for tests of protocols that carry sessions: a set of one flag
// that is written to, and clients of it that may hear of it late.
package sessiontest

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// Flag is the key of the flag, a number.
const Flag = "counter"

// Anyone is whom the flag is read for.
var Anyone = flags.Entity("tenant-42")

// NewStore returns a store with one set of one flag, which is 0.
func NewStore(t *testing.T) *memstore.Store {
	t.Helper()
	st := memstore.New(nil)
	t.Cleanup(func() { st.Close() })
	apply(t, st, flags.OpCreate, 0)
	return st
}

// Write gives the flag a number and returns the token of the commit.
func Write(t *testing.T, st *memstore.Store, n int) flags.Token {
	t.Helper()
	return apply(t, st, flags.OpChange, n)
}

func apply(t *testing.T, st *memstore.Store, op flags.Op, n int) flags.Token {
	t.Helper()
	text := fmt.Sprintf(`{"defaultVariant":"it","state":"ENABLED","variants":{"it":%d}}`, n)
	c, err := st.Apply(t.Context(), flags.Commit{
		Set: "default", ID: flags.NewCommitID(), Op: op,
		Changes: []flags.Mutation{{Key: flags.FlagKey(Flag), Bytes: []byte(text)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Head().Token()
}

// NewClient returns a client of the store whose stream is late by what late does; nil for not at all.
func NewClient(t *testing.T, st *memstore.Store, late func(context.Context)) *flags.Client {
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

// Never is how late a stream is that has stopped telling news.
func Never(ctx context.Context) { <-ctx.Done() }

// Read says the flag's number, its token and its freshness.
func Read(ctx context.Context, c *flags.Client) string {
	d := c.IntDetails(ctx, Flag, Anyone, -1)
	return fmt.Sprintf("%d %s %s", d.Value, d.Token(), d.Freshness)
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
