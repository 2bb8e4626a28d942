package adminweb

import (
	"bytes"
	"context"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// largeCommits is a journal of commits that all change one large entry beside others.
type largeCommits struct{ store.History }

func (largeCommits) Commits(_ context.Context, _ string, from, _ flags.Version, _ int) ([]flags.Commit, error) {
	whole := bytes.Repeat([]byte("x"), 4<<20)
	return []flags.Commit{{Version: from, Changes: []flags.Mutation{
		{Key: flags.FlagKey("f"), Bytes: whole[:1<<20]}, {Key: flags.FlagKey("g"), Bytes: whole[1<<20:]},
	}}}, nil
}

// TestTrailIsBounded: however much of the past is looked at, and however often, what is
// kept of it is bounded by size.
func TestTrailIsBounded(t *testing.T) {
	tr := newTrail("default")
	for range 2 {
		for i := range uint64(40) {
			if data, err := tr.at(t.Context(), largeCommits{}, flags.FlagKey("f"), flags.Version{Revision: i + 1}); err != nil || len(data) != 1<<20 {
				t.Fatal(len(data), err)
			}
		}
	}
	held := 0
	for _, data := range tr.forms {
		held += cap(data)
	}
	if held > mostBytes+1<<20 || held < 1<<20 || tr.held > mostBytes {
		t.Errorf("%d bytes are held, and %d counted", held, tr.held)
	}
}
