package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// fleet is clients that follow one server, each on a connection of its own.
type fleet struct {
	server  *grpc.Server
	sent    *atomic.Int64 // bytes, by the server
	publish func() error
	conns   []*grpc.ClientConn
	arrivals
}

// arrivals are when a message reached each of a number of clients.
type arrivals struct {
	mu    sync.Mutex
	began time.Time
	took  []float64 // microseconds
	due   sync.WaitGroup
}

// expect begins a round of messages to so many clients.
func (a *arrivals) expect(clients int) {
	a.due.Add(clients)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.took, a.began = a.took[:0], time.Now()
}

func (a *arrivals) note() {
	a.mu.Lock()
	a.took = append(a.took, float64(time.Since(a.began).Nanoseconds())/1000)
	a.mu.Unlock()
	a.due.Done()
}

// p99 returns how long the message took to nearly all, after it reached all.
func (a *arrivals) p99() float64 {
	a.due.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.Sort(a.took)
	return a.took[len(a.took)*99/100]
}

// fanOuts shows how long one toggle takes to reach all clients, beside the least
// that grpc-go needs for the same message to as many.
func fanOuts(ctx context.Context, clients, rounds int) error {
	ours, head, err := holdfastFleet(ctx)
	if err != nil {
		return err
	}
	defer ours.close()
	bare := bareFleet()
	defer bare.close()
	for _, f := range []*fleet{ours, bare} {
		if err := f.connect(ctx, clients, head); err != nil {
			return err
		}
	}
	var p99 [2][]float64
	var ratios []float64
	var bytes [2]int64
	for i := range rounds + 3 {
		var last [2]float64
		for j, f := range []*fleet{ours, bare} {
			before := f.sent.Load()
			if last[j], err = f.round(clients); err != nil {
				return err
			}
			if i >= 3 { // the first ones grow buffers
				p99[j], bytes[j] = append(p99[j], last[j]), bytes[j]+f.sent.Load()-before
			}
		}
		if i >= 3 {
			ratios = append(ratios, last[0]/last[1])
		}
	}
	n := int64(rounds * clients)
	fmt.Printf("\none toggle in %d flags to %d clients: p99 %.1f ms, bare grpc-go %.1f ms, %.2fx; %d bytes a client, bare %d\n",
		flagCount, clients, median(p99[0])/1000, median(p99[1])/1000, median(ratios), bytes[0]/n, bytes[1]/n)
	return nil
}

// holdfastFleet serves a set of the usual size as a router does.
func holdfastFleet(ctx context.Context) (*fleet, flags.Head, error) {
	texts, floor := definitions()
	fill(texts, floor, flagCount)
	st := memstore.New(nil)
	accepted, err := st.Apply(ctx, commitOf(texts))
	if err != nil {
		return nil, flags.Head{}, err
	}
	svc := flagsvc.New(flagsvc.Options{Store: st, Hub: hub.New(st, nil)})
	f := newFleet(flagsvc.ServerOptions(nil, nil, nil)...)
	svc.Register(f.server)
	n := 0
	f.publish = func() error {
		n++
		_, err := st.Apply(ctx, toggle(n))
		return err
	}
	return f, accepted.Head(), nil
}

func toggle(n int) flags.Commit {
	text := fmt.Appendf(nil, `{"defaultVariant":%q,"state":"ENABLED","variants":{"off":false,"on":true}}`, []string{"on", "off"}[n%2])
	return flags.Commit{
		Set: "bench", ID: flags.NewCommitID(), Actor: flags.Actor{Kind: "user", ID: "ana", Via: "flagctl"},
		Changes: []flags.Mutation{{Key: flags.FlagKey("toggled"), Bytes: text}},
	}
}

// bareFleet serves the same message by a channel for each stream, and nothing else.
func bareFleet() *fleet {
	f, bare := newFleet(), &bareServer{}
	pb.RegisterFlagsServer(f.server, bare)
	n := 0
	f.publish = func() error {
		n++
		c := toggle(n)
		c.Lineage, c.Time, c.Revision = "k7q2m9aa", time.Now(), uint64(n)
		encoded, err := c.MarshalBinary()
		bare.publish(&pb.WatchResponse{Message: &pb.WatchResponse_Commits{Commits: &pb.Commits{Commits: [][]byte{encoded}}}})
		return err
	}
	return f
}

func newFleet(opts ...grpc.ServerOption) *fleet {
	return &fleet{server: grpc.NewServer(opts...), sent: &atomic.Int64{}}
}

// connect serves and opens the clients' streams.
func (f *fleet) connect(ctx context.Context, clients int, head flags.Head) error {
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = f.server.Serve(counting{lis, f.sent}) }() // ends with Stop
	f.expect(clients)
	for range clients {
		stream, err := f.follow(ctx, lis.Addr().String(), head)
		if err != nil {
			return err
		}
		go f.receive(stream)
	}
	f.due.Wait() // for the first heartbeat of each
	return nil
}

func (f *fleet) follow(ctx context.Context, addr string, head flags.Head) (pb.Flags_WatchClient, error) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	f.conns = append(f.conns, conn)
	stream, err := pb.NewFlagsClient(conn).Watch(ctx)
	if err != nil {
		return nil, err
	}
	hello := &pb.Hello{Set: "bench", Version: wire.Version, Have: wire.FromHead(head)}
	return stream, stream.Send(&pb.WatchRequest{Message: &pb.WatchRequest_Hello{Hello: hello}})
}

// receive notes when messages come. Heartbeats but the first do not count.
func (f *fleet) receive(stream pb.Flags_WatchClient) {
	for first := true; ; first = false {
		m, err := stream.Recv()
		if err != nil {
			return
		}
		if !first && m.GetCommits() == nil {
			continue
		}
		if _, err := wire.Decode(m.GetCommits()); err != nil {
			return
		}
		f.note()
	}
}

// round publishes once and returns the p99 of the times to the clients.
func (f *fleet) round(clients int) (float64, error) {
	f.expect(clients)
	if err := f.publish(); err != nil {
		return 0, err
	}
	return f.p99(), nil
}

func (f *fleet) close() {
	for _, c := range f.conns {
		_ = c.Close() // the process ends anyway
	}
	f.server.Stop()
}

// counting counts what is written to the connections of a listener.
type counting struct {
	net.Listener
	sent *atomic.Int64
}

func (l counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &countedConn{c, l.sent}, err
}

type countedConn struct {
	net.Conn
	sent *atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// bareServer hands each message to each stream.
type bareServer struct {
	pb.UnimplementedFlagsServer
	mu      sync.Mutex
	streams []chan *pb.WatchResponse
}

func (s *bareServer) Watch(stream pb.Flags_WatchServer) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	messages := make(chan *pb.WatchResponse, 4)
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
