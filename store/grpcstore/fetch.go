package grpcstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/internal/remote"
)

// Fetch is flags.Source's.
func (s *Store) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	call := remote.NewDeadline(s.outgoing(ctx), s.opts.HeadTimeout, errHeadBudget)
	defer call.End(nil)
	u, err := s.fetch(call, set, have)
	if err != nil {
		return flags.Update{}, s.classify(ctx, call, "grpcstore: fetch "+set, err)
	}
	return u, nil
}

func (s *Store) fetch(call *remote.Deadline, set string, have flags.Head) (flags.Update, error) {
	asked := time.Now()
	stream, err := s.flags.Fetch(call, &pb.FetchRequest{Set: set, Have: fromHave(have), Version: wire.Version})
	if err != nil {
		return flags.Update{}, err
	}
	first, err := stream.Recv()
	if err != nil {
		return flags.Update{}, ended(err)
	}
	call.Extend(s.opts.BulkTimeout, errBulkBudget)
	u := flags.Update{AsOf: asked.Add(-wire.ToDuration(first.GetHead().GetAgeUs()))}
	if u.Head, err = answered(set, first.GetHead().GetHead()); err != nil {
		return flags.Update{}, err
	}
	var pieces wire.Assembler
	var commits commits
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			u.Commits = commits.got
			if pieces.Started() {
				return u, fmt.Errorf("%w: a snapshot was cut short", flags.ErrFormat)
			}
			return u, remote.Complete(&u, have)
		}
		if err != nil {
			return flags.Update{}, err
		}
		if err := collect(&u, &pieces, &commits, msg); err != nil {
			return flags.Update{}, err
		}
	}
}

func collect(u *flags.Update, pieces *wire.Assembler, commits *commits, msg *pb.FetchResponse) error {
	switch m := msg.GetMessage().(type) {
	case *pb.FetchResponse_Chunk:
		cp, err := pieces.Add(m.Chunk)
		if cp != nil {
			u.Checkpoint = cp
		}
		return err
	case *pb.FetchResponse_Commits:
		return commits.add(m.Commits)
	default: // of a newer router
		return nil
	}
}

// maxCommitsBytes is the most that the commits of one answer may come to in
// memory, about: many times what a router keeps to resume from, or puts on a page.
const maxCommitsBytes = 256 << 20

// commits are those of one answer so far.
type commits struct {
	got   []flags.Commit
	bytes int
}

// add takes over the commits in m. The error wraps flags.ErrFormat or flags.ErrTooLarge.
func (c *commits) add(m *pb.Commits) error {
	more, err := wire.Decode(m)
	if err != nil {
		return err
	}
	c.got = append(c.got, more...)
	c.bytes += proto.Size(m)
	for i := range more {
		for _, change := range more[i].Changes {
			c.bytes += len(change.Bytes)
		}
	}
	if c.bytes > maxCommitsBytes {
		return fmt.Errorf("%w: commits of %d bytes in one answer, at most %d", flags.ErrTooLarge, c.bytes, maxCommitsBytes)
	}
	return nil
}

func fromHave(have flags.Head) *pb.Head {
	if have.Version.IsZero() {
		return nil
	}
	return wire.FromHead(have)
}
