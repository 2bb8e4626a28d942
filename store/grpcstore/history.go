package grpcstore

import (
	"context"
	"errors"
	"io"
	"math"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/internal/remote"
)

// Sets is store.History's.
func (s *Store) Sets(ctx context.Context) ([]flags.Head, error) {
	call, cancel := s.call(ctx)
	defer cancel()
	resp, err := s.flags.ListSets(call, &pb.ListSetsRequest{})
	if err != nil {
		return nil, s.classify(ctx, call, "grpcstore: sets", err)
	}
	heads := make([]flags.Head, 0, len(resp.GetSets()))
	for _, m := range resp.GetSets() {
		h, err := wire.ToHead(m)
		if err != nil {
			return nil, s.classify(ctx, call, "grpcstore: sets", err)
		}
		heads = append(heads, h)
	}
	return heads, nil
}

// Commits is store.History's.
func (s *Store) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	call := remote.NewDeadline(s.outgoing(ctx), s.opts.HeadTimeout, errHeadBudget)
	defer call.End(nil)
	commits, err := s.commits(call, &pb.ListCommitsRequest{
		Set: set, From: wire.FromVersion(from), To: wire.FromVersion(to), Limit: uint32(min(max(limit, 0), math.MaxInt32)),
	})
	if err != nil {
		return nil, s.classify(ctx, call, "grpcstore: commits "+set, err)
	}
	return commits, nil
}

func (s *Store) commits(call *remote.Deadline, req *pb.ListCommitsRequest) ([]flags.Commit, error) {
	stream, err := s.flags.ListCommits(call, req)
	if err != nil {
		return nil, err
	}
	// The headers are the first answer. An error of theirs is Recv's as well, with
	// the status that Header does not give.
	if _, err := stream.Header(); err == nil {
		call.Extend(s.opts.BulkTimeout, errBulkBudget)
	}
	var out commits
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return out.got, nil
		}
		if err == nil {
			err = out.add(msg.GetCommits())
		}
		if err != nil {
			return nil, err
		}
	}
}
