package flagsvc

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// ServerOptions returns how a gRPC server is to be set up for this service and
// those beside it. Interceptors, from the outside in: metrics, logging,
// authentication, recovery. Each argument may be nil: everybody may do
// everything, nothing is counted, nothing is logged.
func ServerOptions(policy authz.Policy, metrics *grpcprom.ServerMetrics, log *slog.Logger) []grpc.ServerOption {
	if policy == nil {
		policy = authz.Open{}
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	logger := logging.LoggerFunc(func(ctx context.Context, level logging.Level, msg string, fields ...any) {
		log.Log(ctx, slog.Level(level), msg, fields...)
	})
	logOpts := []logging.Option{
		logging.WithLogOnEvents(logging.FinishCall),
		logging.WithLevels(level),
		logging.WithDisableLoggingFields(logging.SystemTag[0], logging.ComponentFieldKey, logging.MethodTypeFieldKey),
	}
	who := &guard{policy}
	recovered := recovery.WithRecoveryHandlerContext(func(ctx context.Context, p any) error {
		log.ErrorContext(ctx, "handler panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		return status.Error(codes.Internal, "internal error")
	})
	unary := []grpc.UnaryServerInterceptor{
		logging.UnaryServerInterceptor(logger, logOpts...), who.unary, recovery.UnaryServerInterceptor(recovered),
	}
	stream := []grpc.StreamServerInterceptor{
		logging.StreamServerInterceptor(logger, logOpts...), who.stream, recovery.StreamServerInterceptor(recovered),
	}
	if metrics != nil {
		unary = append([]grpc.UnaryServerInterceptor{metrics.UnaryServerInterceptor()}, unary...)
		stream = append([]grpc.StreamServerInterceptor{metrics.StreamServerInterceptor()}, stream...)
	}
	return append(limits(), grpc.ChainUnaryInterceptor(unary...), grpc.ChainStreamInterceptor(stream...))
}

func limits() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(wire.Codec()),
		grpc.MaxRecvMsgSize(wire.MaxMessageBytes),
		grpc.MaxHeaderListSize(64 << 10),
		grpc.MaxConcurrentStreams(1024),
		grpc.ConnectionTimeout(10 * time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: 20 * time.Second, Timeout: 5 * time.Second,
			// A watch outlives the notice that its connection is too old (sent after 4.5
			// to 5.5 min) and ends by itself within the grace; see Options.WatchFor.
			MaxConnectionAge: 5 * time.Minute, MaxConnectionAgeGrace: 90 * time.Second,
		}),
	}
}

// level keeps the log quiet: what clients do wrong and what ends as it must is
// for debugging, what the router does wrong is not.
func level(code codes.Code) logging.Level {
	switch code {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return logging.LevelError
	case codes.PermissionDenied, codes.Unauthenticated, codes.ResourceExhausted:
		return logging.LevelWarn
	default:
		return logging.LevelDebug
	}
}
