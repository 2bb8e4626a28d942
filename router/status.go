package router

import (
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/adminweb"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/syncsvc"
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

// upstreamOK is what upstream says of one that serves.
const upstreamOK = "ok"

// upstream says how the upstream of a relay does; empty where there is none.
func (r *Router) upstream() string {
	if r.opts.Upstream == nil {
		return ""
	}
	if err := r.opts.Upstream(); err != nil {
		return err.Error()
	}
	return upstreamOK
}

// storeKind names the store, and whether it is cut off from what is behind it.
func (r *Router) storeKind() string {
	if state := r.upstream(); state != "" && state != upstreamOK {
		return r.opts.StoreKind + ", cut off"
	}
	return r.opts.StoreKind
}

// statusMessage is the answer to GetStatus.
func (r *Router) statusMessage() *pb.GetStatusResponse {
	out := &pb.GetStatusResponse{
		Store: r.storeKind(), Version: r.opts.Version, StartedUs: r.started.UnixMicro(),
		Mirrors: sinkMessages(r.Mirrors()), Caches: sinkMessages(r.Caches()), Webhooks: sinkMessages(r.Webhooks()),
	}
	definitions := map[string]syncsvc.Size{}
	for _, size := range r.sync.Sizes() {
		definitions[size.Set] = size
	}
	for _, set := range r.hub.Sets() {
		asOf := set.AsOf() // before the head
		n := uint64(set.Count())
		out.Clients += n
		definition := definitions[set.Name()]
		out.Sets = append(out.Sets, &pb.SetStatus{
			Head: wire.FromHead(set.Head()), Clients: n, AgeUs: wire.Age(asOf, time.Now()), Bytes: encodedSize(set),
			SyncBytes: uint64(definition.Bytes), SyncOversize: definition.Oversize,
		})
	}
	return out
}

// pageHealth is what the page shows of the router.
func (r *Router) pageHealth() adminweb.Health {
	out := adminweb.Health{
		Store: r.opts.StoreKind, Upstream: r.upstream(), Version: r.opts.Version, Started: r.started,
		Mirrors: pagePlaces(r.Mirrors()), Caches: pagePlaces(r.Caches()), Webhooks: pagePlaces(r.Webhooks()),
	}
	for _, size := range r.sync.Sizes() {
		if size.Oversize {
			out.Large = append(out.Large, adminweb.Large{Set: size.Set, Bytes: size.Bytes, Limit: syncsvc.MaxClientBytes})
		}
	}
	return out
}

func pagePlaces(in []SinkStatus) []adminweb.Place {
	var out []adminweb.Place
	for _, s := range in {
		p := adminweb.Place{
			Name: s.Name, Set: s.Set, Revision: s.Version.String(), Lag: s.Lag,
			Status: s.Delivery.Status, NextTry: s.NextTry, Gaps: s.Delivery.Gaps,
		}
		if s.Err != nil {
			p.Error = s.Err.Error()
		}
		out = append(out, p)
	}
	return out
}

// encodedSize is what a reader without the set is sent, less the commits since. It is
// encoded once for all readers and kept, so asking costs nothing.
func encodedSize(set *hub.Set) uint64 {
	lead := set.Lead(flags.Head{})
	if lead.Base == nil {
		return 0
	}
	encoded, err := lead.Base.Encoded()
	if err != nil {
		return 0
	}
	return uint64(len(encoded))
}

func sinkMessages(in []SinkStatus) []*pb.SinkStatus {
	out := make([]*pb.SinkStatus, 0, len(in))
	for _, s := range in {
		m := &pb.SinkStatus{
			Name: s.Name, Set: s.Set, Version: wire.FromVersion(s.Version), Lag: s.Lag,
			HttpStatus: uint32(s.Delivery.Status), Gaps: s.Delivery.Gaps,
		}
		if s.Err != nil {
			m.Error, m.NextTryUs = s.Err.Error(), s.NextTry.UnixMicro()
		}
		out = append(out, m)
	}
	return out
}
