package grpcstore_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// meddler changes what a router sends on one call.
type meddler struct {
	grpc.ServerStream
	change  func(c *pb.Chunk) []*pb.Chunk
	commits func(c *pb.Commits)
}

func (m *meddler) SendMsg(msg any) error {
	sent, ok := msg.(*wire.Shared)
	if !ok {
		return m.ServerStream.SendMsg(msg) // heads and heartbeats
	}
	// Snapshots and commits are encoded alike for Fetch and Watch.
	r := new(pb.WatchResponse)
	if err := sent.Decode(r); err != nil {
		return err
	}
	if r.GetChunk() == nil {
		m.commits(r.GetCommits())
		return m.ServerStream.SendMsg(r)
	}
	for _, c := range m.change(r.GetChunk()) {
		if err := m.ServerStream.SendMsg(&pb.WatchResponse{Message: &pb.WatchResponse_Chunk{Chunk: c}}); err != nil {
			return err
		}
	}
	return nil
}

// TestTampering: whatever a router or the way to it does to a set, it is refused.
func TestTampering(t *testing.T) {
	mem := memstore.New(nil)
	c := flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate}
	for i := range 600 { // several pieces' worth
		text := make([]byte, 0, 4096)
		for n := range 128 {
			text = fmt.Appendf(text, "%x", flags.EntryHash(flags.FlagKey("x"), fmt.Append(nil, i, n)).Bytes())
		}
		def := fmt.Appendf(nil, `{"defaultVariant":"v","description":"%s","state":"ENABLED","variants":{"v":1}}`, text)
		c.Changes = append(c.Changes, flags.Mutation{Key: flags.FlagKey(fmt.Sprintf("flag-%05d", i)), Bytes: def})
	}
	if _, err := mem.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	head := write(t, mem, "shop", 1)

	// One router for all, which encodes the set once.
	var current atomic.Pointer[meddler]
	lis := bufconn.Listen(1 << 20)
	serveOn(t, lis, mem, flagsvc.Options{}, grpc.ChainStreamInterceptor(
		func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			m := *current.Load()
			m.ServerStream = ss
			return handler(srv, &m)
		}))
	s := dial(t, lis, grpcstore.Options{})

	pass := func(c *pb.Chunk) []*pb.Chunk { return []*pb.Chunk{c} }
	keep := func(*pb.Commits) {}
	for _, c := range []struct {
		name    string
		chunk   func(c *pb.Chunk) []*pb.Chunk
		commits func(c *pb.Commits)
		ok      bool
	}{
		{"untouched", pass, keep, true},
		{"one bit", func(c *pb.Chunk) []*pb.Chunk { c.Data[len(c.Data)/2] ^= 1; return pass(c) }, keep, false},
		{"another digest", func(c *pb.Chunk) []*pb.Chunk { c.Digest[3] ^= 1; return pass(c) }, keep, false},
		{"first piece missing", func(c *pb.Chunk) []*pb.Chunk {
			if c.GetOffset() == 0 {
				return nil
			}
			return pass(c)
		}, keep, false},
		{"later pieces missing", func(c *pb.Chunk) []*pb.Chunk {
			if c.GetOffset() > 0 {
				return nil
			}
			return pass(c)
		}, keep, false},
		{"a piece twice", func(c *pb.Chunk) []*pb.Chunk { return []*pb.Chunk{c, c} }, keep, false},
		{"a smaller whole", func(c *pb.Chunk) []*pb.Chunk { c.Total = uint64(len(c.GetData())); return pass(c) }, keep, false},
		{"a piece too large", func(c *pb.Chunk) []*pb.Chunk { c.Data = slices.Concat(c.GetData(), c.GetData()); return pass(c) }, keep, false},
		{"a whole too large", func(c *pb.Chunk) []*pb.Chunk { c.Total = 1 << 40; return pass(c) }, keep, false},
		{"unknown compression", func(c *pb.Chunk) []*pb.Chunk { c.Compression = 7; return pass(c) }, keep, false},
		{"a commit missing", pass, func(c *pb.Commits) {
			if c != nil {
				c.Commits = c.GetCommits()[1:]
			}
		}, false},
		{"a bit in a commit", pass, func(c *pb.Commits) {
			for _, b := range c.GetCommits() {
				b[len(b)/2] ^= 1
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			current.Store(&meddler{change: c.chunk, commits: c.commits})
			u, err := s.Fetch(t.Context(), "shop", flags.Head{})
			checkTampered(t, "fetch", u, err, c.ok, head)
			u, err = watchWhole(t, s, head)
			checkTampered(t, "watch", u, err, c.ok, head)
		})
	}
}

func checkTampered(t *testing.T, what string, u flags.Update, err error, ok bool, head flags.Head) {
	t.Helper()
	if ok {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := install(t, flags.NewContents("shop"), u).Head(); got != head {
			t.Fatalf("%s: arrived at %+v, want %+v", what, got, head)
		}
		return
	}
	wantClass(t, err, flags.ClassTransient)
	if u.Checkpoint != nil && errors.Is(err, flags.ErrDigest) {
		t.Errorf("%s: delivered %s with error %v", what, u.Checkpoint.Token(), err)
	}
	if err == nil {
		t.Errorf("%s: what was tampered with was delivered: %s", what, u.Head.Token())
	}
}

// watchWhole returns what a watch delivers until head, as one update.
func watchWhole(t *testing.T, s *grpcstore.Store, head flags.Head) (flags.Update, error) {
	t.Helper()
	stream, err := s.Watch(t.Context(), "shop", flags.Head{})
	if err != nil {
		return flags.Update{}, err
	}
	defer func() { _ = stream.Close() }()
	var u flags.Update
	for {
		ev, err := stream.Next()
		if err != nil {
			return flags.Update{}, err
		}
		if ev.Checkpoint != nil {
			u.Checkpoint = ev.Checkpoint
		}
		u.Commits = append(u.Commits, ev.Commits...)
		if u.Head = ev.Head; u.Head.Version == head.Version {
			return u, nil
		}
	}
}
