// Package syncsvc serves flag sets to flagd's in-process providers, and to flagd
// itself, by the protocol flagd.sync.v1: whole definitions, sent again after every change.
//
// A client is not a queue but a place: it is sent the newest document it does not
// have, and waits. One that reads slowly skips what came meanwhile and costs the
// others nothing. All clients of a set are sent the same bytes, encoded once, and none is sent
// an older set than it had from this router.
package syncsvc

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// MaxClientBytes is what gRPC clients take in one message unless they are told
// otherwise. A larger set is served all the same, to those that were.
const MaxClientBytes = 4 << 20

// Bounds of a stream.
const (
	sendLimit   = 20 * time.Second // for a client to take one document while the next one waits
	streamFor   = 5*time.Minute + 30*time.Second
	streamExtra = 25 * time.Second // spread, so that a fleet does not come back at once
)

// Heads says where a set is in the store; flags.Source has it.
type Heads interface {
	Head(ctx context.Context, set string) (flags.Head, error)
}

// Options configure a Service. Evaluator is required.
type Options struct {
	// Evaluator says who may have which set, and holds the sets. Its static context is
	// what clients are sent as sync_context.
	Evaluator *evaluator.Evaluator
	// Heads, if set, is asked where a set is before a client gets its first document: it may have
	// been sent that by another router of the same store. While it cannot say, what is held is served. It should
	// share one question among many that ask at once.
	Heads Heads
	// SendLimit is how long a client may take to receive a document. Default 20 s.
	SendLimit time.Duration
	// StreamFor is how long a stream lasts before it ends with DEADLINE_EXCEEDED, on which providers open
	// another without a word: in time before its connection is closed for age. Default 5.5 to 6 min.
	StreamFor time.Duration
	// Logger takes what operators should know. Default: discarded.
	Logger *slog.Logger

	turn chan struct{} // twin tests: streams wait for one another; has a token while somebody sends
}

// Service is flagd.sync.v1.FlagSyncService. Make one with New. A server that it is
// registered with must be made with flagsvc.ServerOptions, whose codec sends shared messages.
type Service struct {
	pb.UnimplementedFlagSyncServiceServer

	opts    Options
	context *structpb.Struct // the static context; nil: none
	drain   chan struct{}    // closed when clients shall leave

	mu    sync.Mutex
	feeds map[string]*feed // by set
}

// New returns a service.
func New(opts Options) *Service {
	if opts.SendLimit <= 0 {
		opts.SendLimit = sendLimit
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{opts: opts, drain: make(chan struct{}), feeds: map[string]*feed{}}
	for key, v := range opts.Evaluator.StaticContext() {
		field, err := structpb.NewValue(v.Any())
		if err != nil {
			opts.Logger.Warn("the static context has what clients cannot be sent", "key", key, "err", err)
			continue
		}
		if s.context == nil {
			s.context = &structpb.Struct{Fields: map[string]*structpb.Value{}}
		}
		s.context.Fields[key] = field
	}
	return s
}

// Register adds the service to a server.
func (s *Service) Register(server grpc.ServiceRegistrar) { pb.RegisterFlagSyncServiceServer(server, s) }

// Drain ends all streams. Call it once, before the server stops.
func (s *Service) Drain() { close(s.drain) }

// GetMetadata implements the protocol, for clients that do not know sync_context.
func (s *Service) GetMetadata(ctx context.Context, _ *pb.GetMetadataRequest) (*pb.GetMetadataResponse, error) {
	// It is the same for all sets, but for those who may have one; whether that is there
	// does not matter.
	if _, err := s.opts.Evaluator.Begin(ctx, headerOf(ctx), authz.Sync, ""); errors.Is(err, authz.ErrUnauthenticated) || errors.Is(err, authz.ErrDenied) {
		return nil, statusOf(err)
	}
	if s.context == nil {
		return &pb.GetMetadataResponse{Metadata: &structpb.Struct{}}, nil
	}
	return &pb.GetMetadataResponse{Metadata: s.context}, nil
}

// FetchAllFlags implements the protocol.
func (s *Service) FetchAllFlags(ctx context.Context, req *pb.FetchAllFlagsRequest) (*pb.FetchAllFlagsResponse, error) {
	f, err := s.begin(ctx, req.GetSelector())
	if err != nil {
		return nil, err
	}
	doc, _ := f.newest()
	if err := grpc.SetHeader(ctx, doc.header()); err != nil {
		return nil, err
	}
	shared, err := doc.message()
	if err != nil {
		return nil, err
	}
	var m pb.SyncFlagsResponse
	if err := shared.Decode(&m); err != nil {
		return nil, err
	}
	return &pb.FetchAllFlagsResponse{FlagConfiguration: m.GetFlagConfiguration()}, nil
}

// SyncFlags implements the protocol.
func (s *Service) SyncFlags(req *pb.SyncFlagsRequest, stream grpc.ServerStreamingServer[pb.SyncFlagsResponse]) error {
	ctx := stream.Context()
	f, err := s.begin(ctx, req.GetSelector())
	if err != nil {
		return err
	}
	life := time.NewTimer(s.streamFor())
	defer life.Stop()
	w := &sender{stream: stream, limit: s.opts.SendLimit, drain: s.drain, done: make(chan error, 1), turn: s.opts.turn}
	var sent *document
	for {
		doc, changed := f.newest()
		if doc != sent {
			if sent == nil {
				if err := stream.SetHeader(doc.header()); err != nil {
					return err
				}
			}
			message, err := doc.message()
			if err != nil {
				return err
			}
			if err := w.send(message); err != nil {
				return err
			}
			sent = doc
			continue
		}
		select {
		case <-changed:
		case <-s.drain:
			return errDraining
		case <-life.C:
			return errAged
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
}

var (
	errDraining = status.Error(codes.Unavailable, "router is shutting down")
	errAged     = status.Error(codes.DeadlineExceeded, "open another stream")
	errSlow     = status.Error(codes.ResourceExhausted, "the client does not receive what it was sent")
)

func (s *Service) streamFor() time.Duration {
	if s.opts.StreamFor > 0 {
		return s.opts.StreamFor
	}
	return streamFor + rand.N(streamExtra)
}

// sender sends to one stream, whose flow control may keep it waiting for ever.
type sender struct {
	stream grpc.ServerStream
	limit  time.Duration
	drain  <-chan struct{}
	done   chan error
	turn   chan struct{} // sabotage
}

// send waits for the client no longer than it may take. A send that is given up ends with
// the stream, which ends when the handler returns.
func (w *sender) send(m *wire.Shared) error {
	if w.turn != nil {
		w.turn <- struct{}{}
		defer func() { <-w.turn }()
	}
	go func() { w.done <- w.stream.SendMsg(m) }()
	limit := time.NewTimer(w.limit)
	defer limit.Stop()
	select {
	case err := <-w.done:
		return err
	case <-limit.C:
		return errSlow
	case <-w.drain:
		return errDraining
	}
}

// header returns what says on the first answer where the set is.
func (d *document) header() metadata.MD {
	return metadata.Pairs(revisionHeader, d.snap.Token().String())
}
