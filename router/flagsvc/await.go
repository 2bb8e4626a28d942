package flagsvc

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc/status"

	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
)

// await tells the client that there is no such set until there is. The echo tells how old
// whatever follows can be at most.
func (w *watcher) await(ctx context.Context, name string) error {
	host, _, _ := net.SplitHostPort(address(ctx)) // none within one process
	created, leave, ok := w.svc.opts.Hub.Await(name, authz.PrincipalOf(ctx).String()+" "+host)
	if !ok {
		return wire.FromError(store.Classify("watch", fmt.Errorf("%w: no flag set %q", store.ErrNotFound, name)))
	}
	defer leave()
	beat := time.NewTicker(w.svc.opts.Heartbeat)
	defer beat.Stop()
	for {
		w.echoed = w.pinged.Load()
		absent := &pb.Heartbeat{Absent: true, Echo: w.echoed}
		if err := w.stream.Send(&pb.WatchResponse{Message: &pb.WatchResponse_Heartbeat{Heartbeat: absent}}); err != nil {
			return err
		}
		select {
		case <-created:
			set, err := w.svc.opts.Hub.Open(ctx, name)
			w.set = set
			return wire.FromError(err)
		case <-w.nudge:
		case <-beat.C:
		case err := <-w.gone:
			return err
		case <-w.svc.drain:
			return w.leave(drainWait)
		case <-w.life.C:
			return w.leave(time.Millisecond)
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
}
