package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	pb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/syncsvc"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// syncFlags is how many flags the set of in-process clients has: all of them go to
// each client with each change, which is the protocol's way.
const syncFlags = 200

// syncMode is what headEnv says for clients of this protocol.
const syncMode = "sync"

// syncs shows how long a toggle takes to reach all of flagd's in-process clients, and
// what one of them costs, beside a bare grpc-go server that sends the same bytes.
func syncs(ctx context.Context, clients, rounds int) error {
	var p99 [2][]float64
	var ratios []float64
	ours, svc, err := syncFleet(ctx)
	if err != nil {
		return err
	}
	document, err := served(ctx, ours)
	if err != nil {
		return err
	}
	bare := bareSyncFleet(document)
	for _, f := range []*fleet{ours, bare} {
		if err := f.connectSync(ctx, clients); err != nil {
			return err
		}
	}
	before := svc.Sizes()[0].Encodings
	for i := range rounds + 3 {
		var last [2]float64
		for j, f := range []*fleet{ours, bare} {
			if last[j], err = f.round(clients); err != nil {
				return err
			}
		}
		if i >= 3 { // the first ones grow buffers
			p99[0], p99[1], ratios = append(p99[0], last[0]), append(p99[1], last[1]), append(ratios, last[0]/last[1])
		}
	}
	encodings := svc.Sizes()[0].Encodings - before
	ours.close()
	bare.close()
	fmt.Printf("\none toggle in %d flags (%d bytes each time) to %d SyncFlags clients: p99 %.1f ms, bare grpc-go %.1f ms, %.2fx; %.2f encodings a toggle\n",
		syncFlags, len(document), clients, median(p99[0])/1000, median(p99[1])/1000, median(ratios), float64(encodings)/float64(rounds+3))
	return syncMemories(ctx, clients, document)
}

func syncMemories(ctx context.Context, clients int, document string) error {
	ours, _, err := syncFleet(ctx)
	if err != nil {
		return err
	}
	var held [2]float64
	for i, f := range []*fleet{ours, bareSyncFleet(document)} {
		if held[i], err = f.syncMemory(ctx, clients); err != nil {
			return err
		}
	}
	fmt.Printf("a SyncFlags client holds %.1f KiB in the server, bare grpc-go %.1f KiB, %.2fx\n", held[0]/1024, held[1]/1024, held[0]/held[1])
	return nil
}

// syncFleet is a router's store, hub and service.
func syncFleet(ctx context.Context) (*fleet, *syncsvc.Service, error) {
	texts, floor := definitions()
	fill(texts, floor, syncFlags)
	st := memstore.New(nil)
	if _, err := st.Apply(ctx, commitOf(texts)); err != nil {
		return nil, nil, err
	}
	svc := syncsvc.New(syncsvc.Options{Evaluator: evaluator.New(evaluator.Options{Hub: hub.New(st, nil)}), Heads: st})
	f := newFleet(flagsvc.ServerOptions(nil, nil, nil)...)
	svc.Register(f.server)
	n := 0
	f.publish = func() error {
		n++
		_, err := st.Apply(ctx, toggle(n))
		return err
	}
	return f, svc, nil
}

// served returns the document that a fleet's server serves.
func served(ctx context.Context, f *fleet) (string, error) {
	if err := f.connectSync(ctx, 1); err != nil {
		return "", err
	}
	m, err := pb.NewFlagSyncServiceClient(f.conns[0]).FetchAllFlags(ctx, &pb.FetchAllFlagsRequest{Selector: "bench"})
	if err != nil {
		return "", err
	}
	f.dismiss()
	return m.GetFlagConfiguration(), nil
}

// dismiss closes the clients' connections; the server stays.
func (f *fleet) dismiss() {
	for _, c := range f.conns {
		_ = c.Close() // nothing was written
	}
	f.conns = nil
}

func bareSyncFleet(document string) *fleet {
	f := newFleet()
	bare := &bareSync{document: document}
	pb.RegisterFlagSyncServiceServer(f.server, bare)
	f.publish = func() error { bare.publish(); return nil }
	return f
}

// bareSync sends each stream the same document by a channel, and nothing else.
type bareSync struct {
	pb.UnimplementedFlagSyncServiceServer
	document string
	mu       sync.Mutex
	streams  []chan *pb.SyncFlagsResponse
}

func (s *bareSync) SyncFlags(_ *pb.SyncFlagsRequest, stream grpc.ServerStreamingServer[pb.SyncFlagsResponse]) error {
	messages := make(chan *pb.SyncFlagsResponse, 4)
	messages <- &pb.SyncFlagsResponse{FlagConfiguration: s.document}
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

func (s *bareSync) publish() {
	m := &pb.SyncFlagsResponse{FlagConfiguration: s.document}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.streams {
		c <- m
	}
}

// connectSync serves and has clients follow, each on a connection of its own.
func (f *fleet) connectSync(ctx context.Context, clients int) error {
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = f.server.Serve(lis) }() // ends with Stop
	f.arrived.Add(clients)
	for range clients {
		stream, err := f.followSync(ctx, lis.Addr().String())
		if err != nil {
			return err
		}
		go func() {
			for {
				if _, err := stream.Recv(); err != nil {
					return
				}
				f.mu.Lock()
				f.took = append(f.took, float64(time.Since(f.began).Nanoseconds())/1000)
				f.mu.Unlock()
				f.arrived.Done()
			}
		}()
	}
	f.arrived.Wait() // for the first document of each
	return nil
}

func (f *fleet) followSync(ctx context.Context, addr string) (grpc.ServerStreamingClient[pb.SyncFlagsResponse], error) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	f.conns = append(f.conns, conn)
	return pb.NewFlagSyncServiceClient(conn).SyncFlags(ctx, &pb.SyncFlagsRequest{ProviderId: "bench", Selector: "bench"})
}

// connectedSync is the clients' process; it ends with its standard input.
func connectedSync(ctx context.Context, addr string, clients int) error {
	f := &fleet{}
	for range clients {
		stream, err := f.followSync(ctx, addr)
		if err != nil {
			return err
		}
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
	fmt.Println("connected")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// syncMemory returns the bytes that one client in another process costs.
func (f *fleet) syncMemory(ctx context.Context, clients int) (float64, error) {
	if err := f.connectSync(ctx, 1); err != nil { // what the first one brings about is not the others'
		return 0, err
	}
	defer f.close()
	before := inUse()
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	child := exec.CommandContext(ctx, exe, "-clients", strconv.Itoa(clients))
	child.Env = append(os.Environ(), connectEnv+"="+f.conns[0].Target(), headEnv+"="+syncMode)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		return 0, err
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := child.Start(); err != nil {
		return 0, err
	}
	if _, err := stdout.Read(make([]byte, 1)); err != nil { // all of them are connected
		return 0, err
	}
	held := float64(inUse()-before) / float64(clients)
	_ = stdin.Close() // which is what the child waits for
	_ = child.Wait()
	return held, nil
}
