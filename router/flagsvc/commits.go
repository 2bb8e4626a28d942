package flagsvc

import (
	"cmp"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// Bounds of one ListCommits.
const (
	commitsPage  = 256    // read from the store and held at a time
	commitsUsual = 1024   // where no limit is asked for
	commitsMost  = 10_000 // whatever limit is asked for
)

// ListCommits implements the protocol. It reads and sends page by page, so that a
// long answer is never held as a whole.
func (s *Service) ListCommits(req *pb.ListCommitsRequest, stream pb.Flags_ListCommitsServer) error {
	if err := s.allow(stream.Context(), authz.Read, req.GetSet()); err != nil {
		return err
	}
	from, to := wire.ToVersion(req.GetFrom()), wire.ToVersion(req.GetTo())
	left := int(min(cmp.Or(req.GetLimit(), commitsUsual), commitsMost))
	for first := true; first || left > 0; first = false {
		page, err := s.opts.Store.Commits(stream.Context(), req.GetSet(), from, to, min(left, commitsPage))
		if err != nil {
			return wire.FromError(err)
		}
		if first {
			// The store has answered; what follows is bulk, which the client gives more time.
			if err := stream.SendHeader(nil); err != nil {
				return err
			}
		}
		if len(page) == 0 {
			return nil
		}
		if err := sendCommits(stream, page); err != nil {
			return err
		}
		left -= len(page)
		if from = page[len(page)-1].Version; !from.Before(to) {
			return nil
		}
		from.Revision++
	}
	return nil
}

func sendCommits(stream pb.Flags_ListCommitsServer, page []flags.Commit) error {
	encoded, err := wire.Encode(page)
	if err != nil {
		return wire.FromError(err)
	}
	for batch := range wire.Batches(encoded) {
		if err := stream.Send(&pb.ListCommitsResponse{Commits: batch}); err != nil {
			return err
		}
	}
	return nil
}
