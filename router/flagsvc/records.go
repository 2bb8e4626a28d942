package flagsvc

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
)

// records returns the records for who may see them. They are of no set, so that who
// administers some sets only does not get at the keys of others.
func (s *Service) records(ctx context.Context) (store.Records, error) {
	if err := s.allow(ctx, authz.Admin, ""); err != nil {
		return nil, err
	}
	if s.opts.Records == nil {
		return nil, status.Error(codes.FailedPrecondition, "this router keeps no records")
	}
	return s.opts.Records, nil
}

// GetRecord implements the protocol.
func (s *Service) GetRecord(ctx context.Context, req *pb.GetRecordRequest) (*pb.GetRecordResponse, error) {
	records, err := s.records(ctx)
	if err != nil {
		return nil, err
	}
	it, err := records.GetRecord(ctx, req.GetKind(), req.GetId())
	if err != nil {
		return nil, wire.FromError(err)
	}
	return &pb.GetRecordResponse{Item: wire.FromItem(it)}, nil
}

// ListRecords implements the protocol.
func (s *Service) ListRecords(ctx context.Context, req *pb.ListRecordsRequest) (*pb.ListRecordsResponse, error) {
	records, err := s.records(ctx)
	if err != nil {
		return nil, err
	}
	items, err := records.ListRecords(ctx, req.GetKind())
	if err != nil {
		return nil, wire.FromError(err)
	}
	out := &pb.ListRecordsResponse{Items: make([]*pb.Item, 0, len(items))}
	for _, it := range items {
		out.Items = append(out.Items, wire.FromItem(it))
	}
	return out, nil
}

// PutRecord implements the protocol.
func (s *Service) PutRecord(ctx context.Context, req *pb.PutRecordRequest) (*pb.PutRecordResponse, error) {
	records, err := s.records(ctx)
	if err != nil {
		return nil, err
	}
	it, err := records.PutRecord(ctx, wire.ToItem(req.GetItem()))
	if err != nil {
		return nil, wire.FromError(err)
	}
	return &pb.PutRecordResponse{Item: wire.FromItem(it)}, nil
}

// DeleteRecord implements the protocol.
func (s *Service) DeleteRecord(ctx context.Context, req *pb.DeleteRecordRequest) (*pb.DeleteRecordResponse, error) {
	records, err := s.records(ctx)
	if err != nil {
		return nil, err
	}
	if err := records.DeleteRecord(ctx, req.GetKind(), req.GetId(), req.GetVersion()); err != nil {
		return nil, wire.FromError(err)
	}
	return &pb.DeleteRecordResponse{}, nil
}
