package flagsvc_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// counted is a store that counts how often its journal is read, and how much of
// it at a time.
type counted struct {
	*memstore.Store
	reads   atomic.Int64
	largest atomic.Int64
}

func (c *counted) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	c.reads.Add(1)
	commits, err := c.Store.Commits(ctx, set, from, to, limit)
	c.largest.Store(max(c.largest.Load(), int64(len(commits))))
	return commits, err
}

// TestManyAwayForLong: clients that come back together after having been away for
// longer than the feed goes back cost one read of the journal together, wherever
// in it they are, and whatever is written meanwhile.
func TestManyAwayForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, writes = 40, 800
		mem := memstore.New(nil)
		st := &counted{Store: mem}
		r := newRigOver(t, mem, flagsvc.Options{Store: st}, nil)
		heads := []flags.Head{r.create(600_000)}
		for i := range writes {
			heads = append(heads, r.write(i%5, 120))
		}
		var wg sync.WaitGroup
		back := func(have flags.Head) {
			wg.Go(func() {
				stream := r.watch(r.conn, have)
				first := recv(t, stream)
				for first.GetHeartbeat().GetQueued() {
					first = recv(t, stream)
				}
				commits, err := wire.Decode(first.GetCommits())
				if err != nil || len(commits) == 0 || commits[0].Revision != have.Revision+1 {
					t.Errorf("from %s: got %T, %v", have.Token(), first.GetMessage(), err)
				}
			})
		}
		back(heads[0])
		synctest.Wait()
		for i := range clients {
			back(heads[i])
		}
		r.write(7, 120)
		wg.Wait()
		if n := st.reads.Load(); n != 1 {
			t.Errorf("%d clients cost %d reads of the journal, want 1", clients+1, n)
		}
		// Nothing of it is kept for good.
		time.Sleep(time.Minute)
		back(heads[1])
		wg.Wait()
		if n := st.reads.Load(); n != 2 {
			t.Errorf("a minute later there were %d reads, want 2", n)
		}
	})
}

// TestHistoryIsSentInPages: however much is asked for, little is held at a time,
// and nothing is left out between the pages.
func TestHistoryIsSentInPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const writes = 1500
		mem := memstore.New(nil)
		st := &counted{Store: mem}
		r := newRigOver(t, mem, flagsvc.Options{Store: st}, nil)
		r.create(100)
		for i := range writes {
			r.write(i%5, 120)
		}
		for _, c := range []struct {
			from, to uint64
			limit    uint32
			want     int
		}{
			{0, writes + 1, 10_000, writes + 1}, {1, 1, 10, 1}, {300, 811, 2000, 512}, {300, 812, 512, 512}, {1, 9999, 0, 1024}, {7, 6, 0, 0},
		} {
			stream, err := pb.NewFlagsClient(r.conn).ListCommits(t.Context(), &pb.ListCommitsRequest{
				Set: "shop", From: &pb.Version{Revision: c.from}, To: &pb.Version{Revision: c.to}, Limit: c.limit,
			})
			if err != nil {
				t.Fatal(err)
			}
			next, got := max(c.from, 1), 0
			for m, err := stream.Recv(); err == nil; m, err = stream.Recv() {
				commits, err := wire.Decode(m.GetCommits())
				if err != nil {
					t.Fatal(err)
				}
				for _, commit := range commits {
					if commit.Revision != next {
						t.Fatalf("%d to %d: revision %d where %d comes next", c.from, c.to, commit.Revision, next)
					}
					next, got = next+1, got+1
				}
			}
			if got != c.want {
				t.Errorf("%d to %d, at most %d: %d commits, want %d", c.from, c.to, c.limit, got, c.want)
			}
		}
		if n := st.largest.Load(); n > 256 {
			t.Errorf("%d commits were held at a time, want 256 at most", n)
		}
	})
}
