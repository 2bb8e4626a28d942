package grpcstore

import (
	"context"
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/store"
)

var _ store.Records = (*Store)(nil)

// GetRecord is store.Records'. All four are for administrators.
func (s *Store) GetRecord(ctx context.Context, kind, id string) (store.Item, error) {
	call, cancel := s.call(ctx)
	defer cancel()
	resp, err := s.items.GetRecord(call, &pb.GetRecordRequest{Kind: kind, Id: id})
	it := wire.ToItem(resp.GetItem())
	if err == nil {
		err = answeredItem(it, kind, id)
	}
	if err != nil {
		return store.Item{}, s.classify(ctx, call, "grpcstore: get record "+kind+"/"+id, err)
	}
	return it, nil
}

// ListRecords is store.Records'.
func (s *Store) ListRecords(ctx context.Context, kind string) ([]store.Item, error) {
	call, cancel := s.call(ctx)
	defer cancel()
	resp, err := s.items.ListRecords(call, &pb.ListRecordsRequest{Kind: kind})
	if err != nil {
		return nil, s.classify(ctx, call, "grpcstore: list records "+kind, err)
	}
	out := make([]store.Item, 0, len(resp.GetItems()))
	for _, m := range resp.GetItems() {
		out = append(out, wire.ToItem(m))
	}
	return out, nil
}

// PutRecord is store.Records'.
func (s *Store) PutRecord(ctx context.Context, it store.Item) (store.Item, error) {
	call, cancel := context.WithTimeoutCause(s.outgoing(ctx), s.opts.WriteTimeout, errHeadBudget)
	defer cancel()
	resp, err := s.items.PutRecord(call, &pb.PutRecordRequest{Item: wire.FromItem(it)})
	out := wire.ToItem(resp.GetItem())
	if err == nil {
		err = answeredItem(out, it.Kind, it.ID)
	}
	if err != nil {
		return store.Item{}, s.classify(ctx, call, "grpcstore: put record "+it.Kind+"/"+it.ID, err)
	}
	return out, nil
}

// DeleteRecord is store.Records'.
func (s *Store) DeleteRecord(ctx context.Context, kind, id string, version uint64) error {
	call, cancel := context.WithTimeoutCause(s.outgoing(ctx), s.opts.WriteTimeout, errHeadBudget)
	defer cancel()
	_, err := s.items.DeleteRecord(call, &pb.DeleteRecordRequest{Kind: kind, Id: id, Version: version})
	return s.classify(ctx, call, "grpcstore: delete record "+kind+"/"+id, err)
}

// answeredItem checks that an item is the one that was asked for.
func answeredItem(it store.Item, kind, id string) error {
	if it.Kind != kind || it.ID != id || it.Version == 0 {
		return fmt.Errorf("%w: asked for record %s/%s, got %s/%s", flags.ErrFormat, kind, id, it.Kind, it.ID)
	}
	return nil
}
