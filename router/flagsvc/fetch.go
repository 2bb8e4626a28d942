package flagsvc

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// Fetch implements the protocol. The head is the store's own, not the hub's:
// whoever fetches after a write that another router took must see it. What leads
// there comes from the hub, encoded already, where the hub has it.
func (s *Service) Fetch(req *pb.FetchRequest, stream pb.Flags_FetchServer) error {
	ctx := stream.Context()
	have, err := s.hello(req.GetVersion(), req.GetSet(), req.GetHave())
	if err != nil {
		return err
	}
	if err := s.allow(ctx, authz.Sync, req.GetSet()); err != nil {
		return err
	}
	head, age, err := s.head(ctx, req.GetSet())
	if err != nil {
		return wire.FromError(err)
	}
	set, err := s.opts.Hub.Open(ctx, req.GetSet())
	if err != nil {
		return wire.FromError(err)
	}
	set.Reach(ctx, head)
	lead := set.LeadOn(ctx, s.opts.Store, have)
	if lead.Head.Version.Before(head.Version) {
		return s.fetchFromStore(req, have, stream)
	}
	if err := sendHead(stream, lead.Head, age); err != nil {
		return err
	}
	return s.sendLead(stream, set, lead)
}

func (s *Service) fetchFromStore(req *pb.FetchRequest, have flags.Head, stream pb.Flags_FetchServer) error {
	update, err := s.opts.Store.Fetch(stream.Context(), req.GetSet(), have)
	if err != nil {
		return wire.FromError(err)
	}
	if err := sendHead(stream, update.Head, wire.Age(update.AsOf, time.Now())); err != nil {
		return err
	}
	return sendUpdate(stream, update)
}

func sendHead(stream pb.Flags_FetchServer, head flags.Head, age uint64) error {
	m := &pb.HeadResponse{Head: wire.FromHead(head), AgeUs: age}
	return stream.Send(&pb.FetchResponse{Message: &pb.FetchResponse_Head{Head: m}})
}

func sendUpdate(stream pb.Flags_FetchServer, u flags.Update) error {
	if u.Checkpoint != nil {
		encoded, err := u.Checkpoint.MarshalBinary()
		if err != nil {
			return wire.FromError(err)
		}
		for chunk := range wire.Chunks(encoded, u.Checkpoint.Digest) {
			if err := stream.Send(&pb.FetchResponse{Message: &pb.FetchResponse_Chunk{Chunk: chunk}}); err != nil {
				return err
			}
		}
	}
	encoded, err := wire.Encode(u.Commits)
	if err != nil {
		return wire.FromError(err)
	}
	for batch := range wire.Batches(encoded) {
		if err := stream.Send(&pb.FetchResponse{Message: &pb.FetchResponse_Commits{Commits: batch}}); err != nil {
			return err
		}
	}
	return nil
}

// hello checks what opens a Fetch or a Watch and returns what the caller has.
func (s *Service) hello(version uint32, set string, have *pb.Head) (flags.Head, error) {
	if version == 0 {
		return flags.Head{}, status.Error(codes.InvalidArgument, "no protocol version")
	}
	head, err := wire.ToHead(have)
	if err != nil {
		return flags.Head{}, wire.FromError(err)
	}
	if have != nil && head.Set != set {
		return flags.Head{}, status.Errorf(codes.InvalidArgument, "have is of set %q, not %q", head.Set, set)
	}
	return head, nil
}
