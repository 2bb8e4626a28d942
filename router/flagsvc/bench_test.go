package flagsvc_test

import (
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// Clients of the fan-out benchmarks, and the connections they share.
const (
	benchWatchers = 500
	benchConns    = 50
)

// fanOut opens the watchers on real sockets and returns what makes one message
// reach them all.
func fanOut(b *testing.B, register func(*grpc.Server), opts []grpc.ServerOption, have *pb.Head) (reached func(publish func())) {
	b.Helper()
	lis, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := grpc.NewServer(opts...)
	register(server)
	go func() { _ = server.Serve(lis) }() // ends with Stop
	b.Cleanup(server.Stop)
	var arrived, readers sync.WaitGroup
	arrived.Add(benchWatchers)
	for range benchConns {
		conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		for range benchWatchers / benchConns {
			stream, err := pb.NewFlagsClient(conn).Watch(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			hello := &pb.Hello{Set: "shop", Version: wire.Version, Have: have}
			if err := stream.Send(&pb.WatchRequest{Message: &pb.WatchRequest_Hello{Hello: hello}}); err != nil {
				b.Fatal(err)
			}
			readers.Go(func() {
				for {
					if m, err := stream.Recv(); err != nil {
						return
					} else if m.GetHeartbeat() == nil || m.GetHeartbeat().GetEcho() == 0 {
						arrived.Done()
					}
				}
			})
		}
	}
	arrived.Wait() // the first heartbeats
	return func(publish func()) {
		arrived.Add(benchWatchers)
		publish()
		arrived.Wait()
	}
}

// BenchmarkFanOut is one change on its way to all watchers, beside the least that
// grpc-go needs for the same message.
func BenchmarkFanOut(b *testing.B) {
	b.Run("holdfast", func(b *testing.B) {
		mem := memstore.New(nil)
		h := hub.New(mem, nil)
		b.Cleanup(func() { h.Close(); _ = mem.Close() })
		r := &rig{t: b, mem: mem}
		head := r.create(100)
		svc := flagsvc.New(flagsvc.Options{Store: mem, Hub: h})
		reached := fanOut(b, func(s *grpc.Server) { svc.Register(s) }, flagsvc.ServerOptions(nil, nil, nil), wire.FromHead(head))
		for i := 0; b.Loop(); i++ {
			reached(func() { r.write(0, 100+i%7) })
		}
	})
	b.Run("bare", func(b *testing.B) {
		bare := &bareServer{}
		reached := fanOut(b, func(s *grpc.Server) { pb.RegisterFlagsServer(s, bare) }, nil, nil)
		for i := 0; b.Loop(); i++ {
			c := flags.Commit{Set: "shop", ID: flags.NewCommitID(), Changes: []flags.Mutation{{Key: flags.FlagKey("n0"), Bytes: text(0, 100+i%7)}}}
			encoded, err := c.MarshalBinary()
			if err != nil {
				b.Fatal(err)
			}
			m := &pb.WatchResponse{Message: &pb.WatchResponse_Commits{Commits: &pb.Commits{Commits: [][]byte{encoded}}}}
			reached(func() { bare.publish(m) })
		}
	})
}

// bareServer hands a message to each stream by a channel, and does nothing else.
type bareServer struct {
	pb.UnimplementedFlagsServer
	mu      sync.Mutex
	streams []chan *pb.WatchResponse
}

func (s *bareServer) Watch(stream pb.Flags_WatchServer) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	messages := make(chan *pb.WatchResponse, 256)
	messages <- &pb.WatchResponse{}
	s.mu.Lock()
	s.streams = append(s.streams, messages)
	s.mu.Unlock()
	for {
		select {
		case m := <-messages:
			if err := stream.Send(m); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return nil
		}
	}
}

func (s *bareServer) publish(m *pb.WatchResponse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.streams {
		c <- m
	}
}
