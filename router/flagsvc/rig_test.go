package flagsvc_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a service over a store in memory, and connections to it.
type rig struct {
	t    testing.TB
	mem  *memstore.Store
	hub  *hub.Hub
	svc  *flagsvc.Service
	lis  *bufconn.Listener
	conn *grpc.ClientConn
}

func newRig(t testing.TB, opts flagsvc.Options, log *slog.Logger) *rig {
	t.Helper()
	return newRigOver(t, memstore.New(nil), opts, log)
}

// newRigOver is for tests that put something between the service and its store.
func newRigOver(t testing.TB, mem *memstore.Store, opts flagsvc.Options, log *slog.Logger) *rig {
	t.Helper()
	h := hub.New(mem, nil)
	if opts.Store == nil {
		opts.Store = mem
	}
	opts.Hub = h
	svc := flagsvc.New(opts)
	t.Cleanup(func() {
		h.Close()
		_ = mem.Close()
	})
	r := newRigOf(t, func(s *grpc.Server) { svc.Register(s) }, flagsvc.ServerOptions(opts.Policy, nil, log)...)
	r.mem, r.hub, r.svc = mem, h, svc
	return r
}

// newRigOf is for tests of other services.
func newRigOf(t testing.TB, register func(*grpc.Server), opts ...grpc.ServerOption) *rig {
	t.Helper()
	r := &rig{t: t, lis: bufconn.Listen(1 << 16)}
	server := grpc.NewServer(opts...)
	register(server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(r.lis) // ends with Stop
	}()
	r.conn = r.dial()
	t.Cleanup(func() {
		server.Stop()
		<-done
	})
	return r
}

func (r *rig) dial() *grpc.ClientConn {
	r.t.Helper()
	conn, err := grpc.NewClient("passthrough:///router", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return r.lis.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wire.MaxMessageBytes)))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// create makes the set with one flag of so many bytes.
func (r *rig) create(size int) flags.Head {
	r.t.Helper()
	return r.apply(flags.Commit{Op: flags.OpCreate, Changes: []flags.Mutation{{Key: flags.FlagKey("big"), Bytes: text(0, size)}}})
}

// createLarge makes the set so large that its snapshot takes several pieces, more
// than flow control lets through unread.
func (r *rig) createLarge() flags.Head {
	r.t.Helper()
	entries := 3
	if os.Getenv("HOLDFAST_LONG") != "" {
		entries = 6
	}
	c := flags.Commit{Op: flags.OpCreate}
	for i := range entries {
		c.Changes = append(c.Changes, flags.Mutation{Key: flags.FlagKey(fmt.Sprint(i)), Bytes: text(i, 1_000_000)})
	}
	return r.apply(c)
}

func (r *rig) write(n, size int) flags.Head {
	r.t.Helper()
	key := flags.FlagKey(fmt.Sprintf("n%d", n))
	return r.apply(flags.Commit{Changes: []flags.Mutation{{Key: key, Bytes: text(n, size)}}})
}

func (r *rig) apply(c flags.Commit) flags.Head {
	r.t.Helper()
	c.Set, c.ID = "shop", flags.NewCommitID()
	accepted, err := r.mem.Apply(r.t.Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return accepted.Head()
}

// text is a flag of so many bytes that compress by half.
func text(seed, size int) []byte {
	random := make([]byte, size/2)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(random) // never fails
	return fmt.Appendf(nil, `{"defaultVariant":"v","description":"%x","state":"ENABLED","variants":{"v":1}}`, random)
}

// watch opens a raw stream and says hello.
func (r *rig) watch(conn *grpc.ClientConn, have flags.Head) pb.Flags_WatchClient {
	r.t.Helper()
	stream, err := pb.NewFlagsClient(conn).Watch(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	hello := &pb.Hello{Set: "shop", Version: wire.Version, Identity: &pb.Identity{Name: "app", Language: "go"}}
	if !have.Version.IsZero() {
		hello.Have = wire.FromHead(have)
	}
	send(r.t, stream, &pb.WatchRequest{Message: &pb.WatchRequest_Hello{Hello: hello}})
	return stream
}

func send(t testing.TB, stream pb.Flags_WatchClient, m *pb.WatchRequest) {
	t.Helper()
	if err := stream.Send(m); err != nil {
		t.Fatal(err)
	}
}

func recv(t testing.TB, stream pb.Flags_WatchClient) *pb.WatchResponse {
	t.Helper()
	m, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// reach reads until the stream has delivered a revision, and returns how many messages that took.
func reach(t testing.TB, stream pb.Flags_WatchClient, revision uint64) (messages int) {
	t.Helper()
	var pieces wire.Assembler
	for at := uint64(0); at < revision; messages++ {
		m := recv(t, stream)
		if c := m.GetChunk(); c != nil {
			cp, err := pieces.Add(c)
			if err != nil {
				t.Fatal(err)
			}
			if cp != nil {
				at = cp.Revision
			}
		}
		commits, err := wire.Decode(m.GetCommits())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range commits {
			at = c.Revision
		}
	}
	return messages
}
