package router

import (
	"time"

	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
)

// Mirrors returns how each set fares at each mirror.
func (r *Router) Mirrors() []SinkStatus { return statuses(r.mirrors) }

// Caches returns how each set fares at each cache.
func (r *Router) Caches() []SinkStatus { return statuses(r.caches) }

func statuses(ps []*publisher) []SinkStatus {
	var out []SinkStatus
	for _, p := range ps {
		out = append(out, p.status()...)
	}
	return out
}

// statusMessage is the answer to GetStatus.
func (r *Router) statusMessage() *pb.GetStatusResponse {
	out := &pb.GetStatusResponse{
		Store: r.opts.StoreKind, Version: r.opts.Version, StartedUs: r.started.UnixMicro(),
		Mirrors: sinkMessages(r.Mirrors()), Caches: sinkMessages(r.Caches()),
	}
	for _, set := range r.hub.Sets() {
		asOf := set.AsOf() // before the head
		n := uint64(set.Count())
		out.Clients += n
		out.Sets = append(out.Sets, &pb.SetStatus{Head: wire.FromHead(set.Head()), Clients: n, AgeUs: wire.Age(asOf, time.Now())})
	}
	return out
}

func sinkMessages(in []SinkStatus) []*pb.SinkStatus {
	out := make([]*pb.SinkStatus, 0, len(in))
	for _, s := range in {
		m := &pb.SinkStatus{Name: s.Name, Set: s.Set, Version: wire.FromVersion(s.Version), Lag: s.Lag}
		if s.Err != nil {
			m.Error = s.Err.Error()
		}
		out = append(out, m)
	}
	return out
}
