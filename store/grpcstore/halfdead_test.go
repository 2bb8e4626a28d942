package grpcstore_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// dying is a connection that looks well until it is next used, as one whose other end
// went away while nothing could be said.
type dying struct {
	net.Conn
	dead *atomic.Bool
}

func (c dying) Write(b []byte) (int, error) {
	if c.dead.Load() {
		_ = c.Close() // of a pipe: nothing can be wrong with that
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// TestHalfDeadConnection: a connection that dies under a head is not the router's fault,
// and the head is asked for on a new one; what the router itself answers is final.
func TestHalfDeadConnection(t *testing.T) {
	mem := memstore.New(nil)
	created, err := mem.Apply(t.Context(), flags.Commit{Set: "default", ID: flags.NewCommitID(), Op: flags.OpCreate})
	if err != nil {
		t.Fatal(err)
	}
	want := created.Head()
	listener := faultnet.NewPipes()
	var asked atomic.Int64
	var unavailable atomic.Bool
	serveOn(t, listener, mem, flagsvc.Options{}, grpc.ChainUnaryInterceptor(
		func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			asked.Add(1)
			if unavailable.Load() {
				return nil, status.Error(codes.Unavailable, "as told")
			}
			return next(ctx, req)
		}))
	var dead atomic.Bool
	var dials atomic.Int64
	s, err := grpcstore.Open("grpc://router:8015", &grpcstore.Options{Dial: func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := listener.DialContext(ctx)
		if dials.Add(1) == 1 && err == nil {
			conn = dying{conn, &dead}
		}
		return conn, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })

	head := func() error {
		got, err := s.Head(t.Context(), "default")
		if err == nil && got != want {
			t.Errorf("got %v, want %v", got, want)
		}
		return err
	}
	if err := head(); err != nil {
		t.Fatal(err)
	}
	dead.Store(true)
	if err := head(); err != nil || dials.Load() != 2 {
		t.Errorf("on a connection that died: %v after %d dials, want an answer from the second", err, dials.Load())
	}
	unavailable.Store(true)
	before := asked.Load()
	if err := head(); flags.ClassOf(err) != flags.ClassTransient || asked.Load() != before+1 {
		t.Errorf("got %v after asking %d times, want the router's own answer after one", err, asked.Load()-before)
	}
}
