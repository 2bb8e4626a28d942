package grpcstore_test

import (
	"context"
	"net"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve serves st as a router does and returns its listener in memory.
func serve(t testing.TB, st store.Store, opts flagsvc.Options) *bufconn.Listener {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	serveOn(t, lis, st, opts)
	return lis
}

func serveOn(t testing.TB, lis net.Listener, st store.Store, opts flagsvc.Options, more ...grpc.ServerOption) {
	t.Helper()
	h := hub.New(st, nil)
	opts.Store, opts.Hub = st, h
	svc := flagsvc.New(opts)
	server := grpc.NewServer(append(flagsvc.ServerOptions(nil, nil, nil), more...)...)
	svc.Register(server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(lis) // ends with Stop
	}()
	t.Cleanup(func() {
		server.Stop()
		<-done
		h.Close()
		_ = st.Close()
	})
}

// dial opens a client of lis.
func dial(t testing.TB, lis *bufconn.Listener, opts grpcstore.Options) *grpcstore.Store {
	t.Helper()
	opts.Dial = func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }
	s, err := grpcstore.Open("grpc://router:8015", &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// pair returns a store in memory and a client of a router over it.
func pair(t testing.TB, opts grpcstore.Options) (*memstore.Store, *grpcstore.Store) {
	t.Helper()
	mem := memstore.New(nil)
	return mem, dial(t, serve(t, mem, flagsvc.Options{}), opts)
}
