package flagsvc_test

import (
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
)

// What is written past a watcher that does not read, and how many messages may
// wait for it at most.
const (
	slowWrites  = 200
	slowSize    = 4096 // together far more than flow control lets through unread
	slowWaiting = 64
)

// TestSlowWatcher: one that does not read neither delays the others, who get every
// commit at once, nor costs a queue, and gets what it missed in few pieces.
func TestSlowWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, flagsvc.Options{}, nil)
		head := r.create(100)
		slow := r.watch(r.dial(), head)
		recv(t, slow)
		quick := []pb.Flags_WatchClient{r.watch(r.conn, head), r.watch(r.conn, head), r.watch(r.dial(), head)}
		for _, stream := range quick {
			recv(t, stream)
		}
		var last flags.Head
		for i := range slowWrites {
			last = r.write(i, slowSize)
			for _, stream := range quick {
				if got := reach(t, stream, last.Revision); got > 1 {
					t.Fatalf("a quick watcher needed %d messages for one commit", got)
				}
			}
		}
		if got := reach(t, slow, last.Revision); got > slowWaiting {
			t.Errorf("%d messages were waiting for a slow watcher of %d commits, want %d at most", got, slowWrites, slowWaiting)
		}
		matrix.Tally(t, "F26", slowWrites, 0)
	})
}

// TestQueuesAreFoundOut is its twin: the same past a server that has a queue for
// each watcher.
func TestQueuesAreFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queues := &bareServer{}
		r := newRigOf(t, func(s *grpc.Server) { pb.RegisterFlagsServer(s, queues) })
		slow := r.watch(r.dial(), flags.Head{})
		recv(t, slow)
		c := flags.Commit{Set: "shop", ID: flags.NewCommitID()}
		for i := range uint64(slowWrites) {
			c.Revision = i + 1
			c.Changes = []flags.Mutation{{Key: flags.FlagKey("n"), Bytes: text(int(i), slowSize)}}
			encoded, err := c.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			queues.publish(&pb.WatchResponse{Message: &pb.WatchResponse_Commits{Commits: &pb.Commits{Commits: [][]byte{encoded}}}})
		}
		if got := reach(t, slow, slowWrites); got <= slowWaiting {
			t.Errorf("a queue of %d commits was not seen: %d messages were waiting", slowWrites, got)
		}
	})
}
