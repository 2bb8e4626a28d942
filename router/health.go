package router

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// healthService is grpc-go's, except that who watches the state is told of the
// shutdown and let go: such a stream never ends by itself, and a graceful stop
// would wait for it until it has no patience left.
type healthService struct {
	*health.Server
	stopping chan struct{}
}

func newHealthService() *healthService {
	return &healthService{Server: health.NewServer(), stopping: make(chan struct{})}
}

// stop ends the watches. Call it once.
func (h *healthService) stop() {
	h.Shutdown()
	close(h.stopping)
}

// Watch is healthpb.HealthServer's.
func (h *healthService) Watch(req *healthpb.HealthCheckRequest, stream healthpb.Health_WatchServer) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	watched := make(chan error, 1)
	go func() { watched <- h.Server.Watch(req, &watchStream{stream, ctx}) }()
	select {
	case err := <-watched:
		return err
	case <-h.stopping:
	}
	cancel()
	<-watched // two must not send at a time
	if err := stream.Send(&healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_NOT_SERVING}); err != nil {
		return err
	}
	return status.Error(codes.Unavailable, "router is shutting down")
}

// watchStream is a stream that can be ended from here.
type watchStream struct {
	grpc.ServerStreamingServer[healthpb.HealthCheckResponse]
	ctx context.Context
}

func (s *watchStream) Context() context.Context { return s.ctx }
