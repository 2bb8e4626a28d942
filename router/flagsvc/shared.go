package flagsvc

import (
	"sync"

	"google.golang.org/grpc"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store"
)

// shared keeps what went to the last watcher of a set in the form it was sent
// in: most likely it goes to the next one, too.
type shared struct {
	mu     sync.Mutex
	base   *store.Base
	chunks []*wire.Shared
	newest batch // the newest and shortest: what those get who are not behind
	longer batch // the last other one: what those get who come back together
}

// batch is encoded commits.
type batch struct {
	from, to flags.Version // of the first and of the last
	messages []*wire.Shared
}

func (s *Service) sharedOf(set *hub.Set) *shared {
	if sh, ok := s.shared.Load(set); ok {
		return sh.(*shared)
	}
	sh, _ := s.shared.LoadOrStore(set, &shared{})
	return sh.(*shared)
}

// sendLead sends a lead, encoding it unless that was done for somebody else.
func (s *Service) sendLead(stream grpc.ServerStream, set *hub.Set, lead store.Lead) error {
	messages, err := s.sharedOf(set).messages(lead)
	if err != nil {
		return wire.FromError(err)
	}
	for _, m := range messages {
		if err := stream.SendMsg(m); err != nil {
			return err
		}
	}
	return nil
}

func (sh *shared) messages(lead store.Lead) ([]*wire.Shared, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var out []*wire.Shared
	if lead.Base != nil {
		if err := sh.encodeBase(lead.Base); err != nil {
			return nil, err
		}
		out = sh.chunks[:len(sh.chunks):len(sh.chunks)]
	}
	if len(lead.Records) == 0 {
		return out, nil
	}
	commits, err := sh.encodeCommits(lead.Records)
	if out == nil {
		return commits, err
	}
	return append(out, commits...), err
}

func (sh *shared) encodeBase(base *store.Base) error {
	if sh.base == base {
		return nil
	}
	encoded, err := base.Encoded()
	if err != nil {
		return err
	}
	var chunks []*wire.Shared
	for c := range wire.Chunks(encoded, base.Digest) {
		m, err := wire.NewShared(&pb.WatchResponse{Message: &pb.WatchResponse_Chunk{Chunk: c}})
		if err != nil {
			return err
		}
		chunks = append(chunks, m)
	}
	sh.base, sh.chunks = base, chunks
	return nil
}

func (sh *shared) encodeCommits(records []store.Record) ([]*wire.Shared, error) {
	from, to := records[0].Commit.Version, records[len(records)-1].Commit.Version
	for _, b := range []*batch{&sh.newest, &sh.longer} {
		if from == b.from && to == b.to {
			return b.messages, nil
		}
	}
	encoded := make([][]byte, 0, len(records))
	for _, r := range records {
		encoded = append(encoded, r.Bytes)
	}
	var out []*wire.Shared
	for batch := range wire.Batches(encoded) {
		m, err := wire.NewShared(&pb.WatchResponse{Message: &pb.WatchResponse_Commits{Commits: batch}})
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	if made := (batch{from, to, out}); !to.Before(sh.newest.to) && !from.Before(sh.newest.from) {
		sh.newest = made
		if sh.longer.to.Before(to) {
			sh.longer = batch{} // nobody is led to where it ends any more
		}
	} else {
		sh.longer = made
	}
	return out, nil
}
