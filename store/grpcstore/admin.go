package grpcstore

import (
	"context"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
)

// Client is a process that follows a set at the router now.
type Client struct {
	ID        uint64
	Set       string
	Identity  Identity
	Address   string // host and port it came from
	Principal string // who it is to the router
	Connected time.Time
	Applied   flags.Ack // zero Head: it has not said yet
	Lag       uint64    // revisions from what it applied to the set's head
}

// Status is how a router does.
type Status struct {
	Version string // of the router
	Store   string // bolt, mongodb, memory
	Started time.Time
	Clients int
	Sets    []SetStatus
	Mirrors []SinkStatus
	Caches  []SinkStatus
	// Webhooks are their receivers, without the path and query of their addresses.
	Webhooks []SinkStatus
}

// SetStatus is a set that the router follows.
type SetStatus struct {
	Head    flags.Head
	Clients int
	Age     time.Duration // since its store last confirmed the head
	Bytes   uint64        // of its encoded checkpoint; 0 where the router does not say
	// SyncBytes is the size of the definition that in-process clients of flagd's
	// protocol are sent with each change; 0 while there were none. SyncOversize: it is
	// more than gRPC clients take unless they are told to.
	SyncBytes    uint64
	SyncOversize bool
}

// SinkStatus is how one set fares at one mirror, cache or webhook of the router.
type SinkStatus struct {
	Name    string
	Set     string
	Version flags.Version
	Lag     uint64    // revisions behind
	Error   string    // empty when the last attempt succeeded
	NextTry time.Time // after a failure; else zero
	Status  int       // of a webhook: that of the last answer, of HTTP; 0: none came
	Gaps    uint64    // of a webhook: times that commits were missing from the journal
}

// Clients returns who follows set, or any set where it is empty.
func (s *Store) Clients(ctx context.Context, set string) ([]Client, error) {
	call, cancel := s.call(ctx)
	defer cancel()
	resp, err := s.admin.ListClients(call, &pb.ListClientsRequest{Set: set})
	if err != nil {
		return nil, s.classify(ctx, call, "grpcstore: clients", err)
	}
	out := make([]Client, 0, len(resp.GetClients()))
	for _, m := range resp.GetClients() {
		applied, err := wire.ToHead(m.GetApplied())
		if err != nil {
			return nil, s.classify(ctx, call, "grpcstore: clients", err)
		}
		id := m.GetIdentity()
		out = append(out, Client{
			ID: m.GetId(), Set: m.GetSet(), Address: m.GetAddress(), Principal: m.GetPrincipal(), Lag: m.GetLag(),
			Identity:  Identity{Name: id.GetName(), Language: id.GetLanguage(), Version: id.GetVersion(), Instance: id.GetInstance()},
			Connected: time.UnixMicro(m.GetConnectedUs()), Applied: flags.Ack{Head: applied, Layers: m.GetLayers()},
		})
	}
	return out, nil
}

// Status returns how the router does.
func (s *Store) Status(ctx context.Context) (Status, error) {
	call, cancel := s.call(ctx)
	defer cancel()
	resp, err := s.admin.GetStatus(call, &pb.GetStatusRequest{})
	if err != nil {
		return Status{}, s.classify(ctx, call, "grpcstore: status", err)
	}
	out := Status{
		Version: resp.GetVersion(), Store: resp.GetStore(), Started: time.UnixMicro(resp.GetStartedUs()),
		Clients: int(resp.GetClients()), Mirrors: toSinks(resp.GetMirrors()), Caches: toSinks(resp.GetCaches()), Webhooks: toSinks(resp.GetWebhooks()),
	}
	for _, m := range resp.GetSets() {
		head, err := wire.ToHead(m.GetHead())
		if err != nil {
			return Status{}, s.classify(ctx, call, "grpcstore: status", err)
		}
		age := wire.ToDuration(m.GetAgeUs())
		out.Sets = append(out.Sets, SetStatus{
			Head: head, Clients: int(m.GetClients()), Age: age, Bytes: m.GetBytes(),
			SyncBytes: m.GetSyncBytes(), SyncOversize: m.GetSyncOversize(),
		})
	}
	return out, nil
}

func toSinks(in []*pb.SinkStatus) []SinkStatus {
	out := make([]SinkStatus, 0, len(in))
	for _, m := range in {
		s := SinkStatus{
			Name: m.GetName(), Set: m.GetSet(), Version: wire.ToVersion(m.GetVersion()), Lag: m.GetLag(), Error: m.GetError(),
			Status: int(m.GetHttpStatus()), Gaps: m.GetGaps(),
		}
		if us := m.GetNextTryUs(); us != 0 {
			s.NextTry = time.UnixMicro(us)
		}
		out = append(out, s)
	}
	return out
}
