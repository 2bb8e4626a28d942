// Package flagsvc serves the router's own gRPC API: reading, following and
// writing flag sets, and who is connected.
//
// A watcher is not a queue but a place in the set's feed: it asks what leads on
// from there, sends that, and waits. One that reads slowly gets all it missed in
// one piece, and costs the others nothing.
package flagsvc

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store"
)

// Options configure a Service. Store and Hub are required.
type Options struct {
	Store store.Store
	Hub   *hub.Hub // over Store
	// Policy decides who may do what. Default authz.Open.
	Policy authz.Policy
	// Records are what administrators may read and write. Default: none.
	Records store.Records
	// Status answers GetStatus. Default: an empty answer.
	Status func() *pb.GetStatusResponse
	// Loads is how many initial snapshots are sent at a time. Default 16.
	Loads int
	// Heartbeat is the longest silence on a watch. Default 10 s.
	Heartbeat time.Duration
	// WatchFor is how long a watch lasts before the client is asked to open
	// another, so that it ends in good order before its connection is closed for
	// age. Default 5.5 to 6 min.
	WatchFor time.Duration
	// Logger takes what operators should know. Default: discarded.
	Logger *slog.Logger
}

// Service is all services of the protocol.
type Service struct {
	pb.UnimplementedFlagsServer
	pb.UnimplementedAdminServer
	pb.UnimplementedRecordsServer

	opts   Options
	shared sync.Map      // *hub.Set -> *shared
	slots  chan struct{} // one per snapshot being sent
	drain  chan struct{} // closed when watchers shall leave
}

// New returns a service.
func New(opts Options) *Service {
	if opts.Policy == nil {
		opts.Policy = authz.Open{}
	}
	if opts.Status == nil {
		opts.Status = func() *pb.GetStatusResponse { return &pb.GetStatusResponse{} }
	}
	if opts.Loads <= 0 {
		opts.Loads = 16
	}
	if opts.Heartbeat <= 0 {
		opts.Heartbeat = store.HeartbeatEvery
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Service{opts: opts, slots: make(chan struct{}, opts.Loads), drain: make(chan struct{})}
}

// Register adds the services to a server.
func (s *Service) Register(server grpc.ServiceRegistrar) {
	pb.RegisterFlagsServer(server, s)
	pb.RegisterAdminServer(server, s)
	pb.RegisterRecordsServer(server, s)
}

// Drain asks all watchers to leave. Call it once, before the server stops.
func (s *Service) Drain() { close(s.drain) }

func (s *Service) allow(ctx context.Context, a authz.Action, set string) error {
	return refusal(ctx, s.opts.Policy.Decide(authz.PrincipalOf(ctx), a, set))
}

// Head implements the protocol.
func (s *Service) Head(ctx context.Context, req *pb.HeadRequest) (*pb.HeadResponse, error) {
	if err := s.allow(ctx, authz.Sync, req.GetSet()); err != nil {
		return nil, err
	}
	head, age, err := s.head(ctx, req.GetSet())
	if err != nil {
		return nil, wire.FromError(err)
	}
	return &pb.HeadResponse{Head: wire.FromHead(head), AgeUs: age}, nil
}

// head returns the store's head and, where the store could not ask its own origin for it
// now, its age.
func (s *Service) head(ctx context.Context, set string) (head flags.Head, age uint64, err error) {
	asked := time.Now()
	head, asOf, err := flags.HeadAsOf(ctx, s.opts.Store, set)
	if asOf.Before(asked) {
		age = max(wire.Age(asOf, time.Now()), 1)
	}
	return head, age, err
}

// Apply implements the protocol.
func (s *Service) Apply(ctx context.Context, req *pb.ApplyRequest) (*pb.ApplyResponse, error) {
	var c flags.Commit
	if err := c.UnmarshalBinary(req.GetCommit()); err != nil {
		return nil, wire.FromError(err)
	}
	action := authz.Write
	if c.Op != flags.OpChange {
		action = authz.Admin
	}
	if err := s.allow(ctx, action, c.Set); err != nil {
		return nil, err
	}
	if err := s.sign(ctx, &c); err != nil {
		return nil, err
	}
	if err := checkSaid(&c); err != nil {
		return nil, wire.FromError(err)
	}
	accepted, err := s.opts.Store.Apply(ctx, c)
	if err != nil {
		return nil, wire.FromError(err)
	}
	encoded, err := accepted.MarshalBinary()
	if err != nil {
		return nil, wire.FromError(err)
	}
	return &pb.ApplyResponse{Commit: encoded}, nil
}

// ListSets implements the protocol.
func (s *Service) ListSets(ctx context.Context, _ *pb.ListSetsRequest) (*pb.ListSetsResponse, error) {
	if err := s.allow(ctx, authz.List, ""); err != nil {
		return nil, err
	}
	heads, err := s.opts.Store.Sets(ctx)
	if err != nil {
		return nil, wire.FromError(err)
	}
	out := &pb.ListSetsResponse{Sets: make([]*pb.Head, 0, len(heads))}
	for _, h := range heads {
		if s.allow(ctx, authz.Read, h.Set) == nil {
			out.Sets = append(out.Sets, wire.FromHead(h))
		}
	}
	return out, nil
}

// address returns where a call comes from; empty where that is not a network
// address, as within one process.
func address(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	if tcp, ok := p.Addr.(*net.TCPAddr); ok {
		return tcp.String()
	}
	return ""
}
