package flagsvc

import (
	"context"

	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/hub"
)

// ListClients implements the protocol.
func (s *Service) ListClients(ctx context.Context, req *pb.ListClientsRequest) (*pb.ListClientsResponse, error) {
	if err := s.allow(ctx, authz.Admin, req.GetSet()); err != nil {
		return nil, err
	}
	out := &pb.ListClientsResponse{}
	for _, set := range s.opts.Hub.Sets() {
		if req.GetSet() != "" && req.GetSet() != set.Name() {
			continue
		}
		for _, c := range set.Clients() {
			out.Clients = append(out.Clients, fromClient(c))
		}
	}
	return out, nil
}

// GetStatus implements the protocol.
func (s *Service) GetStatus(ctx context.Context, _ *pb.GetStatusRequest) (*pb.GetStatusResponse, error) {
	if err := s.allow(ctx, authz.Admin, ""); err != nil {
		return nil, err
	}
	return s.opts.Status(), nil
}

func fromClient(c hub.Client) *pb.Client {
	m := &pb.Client{
		Id: c.ID, Set: c.Set, Address: c.Address, ConnectedUs: c.Connected.UnixMicro(),
		Layers: c.Applied.Layers, Lag: c.Lag, Principal: c.Principal,
		Identity: &pb.Identity{
			Name: c.Identity.Name, Language: c.Identity.Language, Version: c.Identity.Version, Instance: c.Identity.Instance,
		},
	}
	if !c.Applied.Head.Version.IsZero() {
		m.Applied = wire.FromHead(c.Applied.Head)
	}
	return m
}
