package router

import (
	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/syncsvc"
)

// newServer returns the gRPC server with everything that it serves.
func newServer(opts Options, svc *flagsvc.Service, sync *syncsvc.Service, metrics *grpcprom.ServerMetrics) (*grpc.Server, *healthService) {
	options := flagsvc.ServerOptions(opts.Policy, metrics, opts.Logger)
	if opts.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(speaking(opts.TLS, "h2"))))
	}
	server := grpc.NewServer(options...)
	svc.Register(server)
	sync.Register(server)
	state := newHealthService()
	healthpb.RegisterHealthServer(server, state)
	reflection.Register(server)
	metrics.InitializeMetrics(server)
	return server, state
}
