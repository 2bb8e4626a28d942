package grpcstore

import (
	"errors"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
)

// TestCommitsOfOneAnswerAreBounded: a router that never stops sending is cut off.
func TestCommitsOfOneAnswerAreBounded(t *testing.T) {
	c := commitAt(1)
	c.Changes = []flags.Mutation{{Key: flags.FlagKey("a"), Bytes: make([]byte, 1<<20)}} // some hundred bytes on the wire
	encoded, err := wire.Encode([]flags.Commit{c, c})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		bytes int
		want  error
	}{{0, nil}, {maxCommitsBytes - 3<<20, nil}, {maxCommitsBytes - 2<<20, flags.ErrTooLarge}} {
		got := commits{bytes: tc.bytes}
		if err := got.add(&pb.Commits{Commits: encoded}); !errors.Is(err, tc.want) || err == nil && len(got.got) != 2 {
			t.Errorf("after %d bytes: %d commits, %v; want %v", tc.bytes, len(got.got), err, tc.want)
		}
	}
}

func commitAt(revision uint64) flags.Commit {
	return flags.Commit{Set: "shop", Version: flags.Version{Revision: revision}}
}
