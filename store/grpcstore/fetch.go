package grpcstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
)

// Fetch is flags.Source's.
func (s *Store) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	call := newDeadline(s.outgoing(ctx), s.opts.HeadTimeout, errHeadBudget)
	defer call.end(nil)
	u, err := s.fetch(call, set, have)
	if err != nil {
		return flags.Update{}, s.classify(ctx, call, "grpcstore: fetch "+set, err)
	}
	return u, nil
}

func (s *Store) fetch(call *deadline, set string, have flags.Head) (flags.Update, error) {
	asked := time.Now()
	stream, err := s.flags.Fetch(call, &pb.FetchRequest{Set: set, Have: fromHave(have), Version: wire.Version})
	if err != nil {
		return flags.Update{}, err
	}
	first, err := stream.Recv()
	if err != nil {
		return flags.Update{}, ended(err)
	}
	call.extend(s.opts.BulkTimeout, errBulkBudget)
	u := flags.Update{AsOf: asked.Add(-wire.ToDuration(first.GetHead().GetAgeUs()))}
	if u.Head, err = answered(set, first.GetHead().GetHead()); err != nil {
		return flags.Update{}, err
	}
	var pieces wire.Assembler
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return u, complete(&u, have, pieces.Started())
		}
		if err != nil {
			return flags.Update{}, err
		}
		if err := collect(&u, &pieces, msg); err != nil {
			return flags.Update{}, err
		}
	}
}

func collect(u *flags.Update, pieces *wire.Assembler, msg *pb.FetchResponse) error {
	switch m := msg.GetMessage().(type) {
	case *pb.FetchResponse_Chunk:
		cp, err := pieces.Add(m.Chunk)
		if cp != nil {
			u.Checkpoint = cp
		}
		return err
	case *pb.FetchResponse_Commits:
		commits, err := wire.Decode(m.Commits)
		u.Commits = append(u.Commits, commits...)
		return err
	default: // of a newer router
		return nil
	}
}

// complete checks that the parts lead from have to the head, as a cut stream
// that looks like an end in good order would not.
func complete(u *flags.Update, have flags.Head, partial bool) error {
	at := have
	if u.Checkpoint != nil {
		at = u.Checkpoint.Head
	}
	if n := len(u.Commits); n > 0 {
		at = u.Commits[n-1].Head()
	}
	if partial || at.Version != u.Head.Version || at.Digest != u.Head.Digest || at.Lineage != u.Head.Lineage {
		return fmt.Errorf("%w: fetched up to %s of %s", flags.ErrFormat, at.Token(), u.Head.Token())
	}
	return nil
}

func fromHave(have flags.Head) *pb.Head {
	if have.Version.IsZero() {
		return nil
	}
	return wire.FromHead(have)
}
