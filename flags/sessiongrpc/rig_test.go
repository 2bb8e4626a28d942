package sessiongrpc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/sessiongrpc"
	"github.com/holdfast-flags/holdfast/internal/session/sessiontest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var silent = &sessiongrpc.Options{Logger: slog.New(slog.DiscardHandler)}

// describe reads the flag: its number, revision and freshness.
func describe(ctx context.Context, c *flags.Client) *wrapperspb.StringValue {
	return wrapperspb.String(sessiontest.Read(ctx, c))
}

// reader is a gRPC service that reads the flag in calls of every kind.
type reader struct{ client *flags.Client }

func unary(srv any, ctx context.Context, dec func(any) error, run grpc.UnaryServerInterceptor) (any, error) { //nolint:revive // the order is grpc's
	var in wrapperspb.StringValue
	if err := dec(&in); err != nil {
		return nil, err
	}
	handler := func(ctx context.Context, _ any) (any, error) {
		out := describe(ctx, srv.(*reader).client)
		if in.Value == "fail" {
			return nil, status.Error(codes.Aborted, "as told")
		}
		return out, nil
	}
	if run == nil {
		return handler(ctx, &in)
	}
	return run(ctx, &in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/test.Flags/Read"}, handler)
}

// follow answers each message, until there are no more.
func follow(srv any, s grpc.ServerStream) error {
	for {
		var in wrapperspb.StringValue
		err := s.RecvMsg(&in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.SendMsg(describe(s.Context(), srv.(*reader).client)); err != nil {
			return err
		}
	}
}

// collect answers once, when there are no more messages.
func collect(srv any, s grpc.ServerStream) error {
	for {
		var in wrapperspb.StringValue
		if err := s.RecvMsg(&in); errors.Is(err, io.EOF) {
			return s.SendMsg(describe(s.Context(), srv.(*reader).client))
		} else if err != nil {
			return err
		}
	}
}

var (
	followDesc  = grpc.StreamDesc{StreamName: "Follow", Handler: follow, ServerStreams: true, ClientStreams: true}
	collectDesc = grpc.StreamDesc{StreamName: "Collect", Handler: collect, ClientStreams: true}
	serviceDesc = grpc.ServiceDesc{
		ServiceName: "test.Flags", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Read", Handler: unary}},
		Streams: []grpc.StreamDesc{followDesc, collectDesc},
	}
)

// serve starts a real server whose reads are answered by c, and returns a connection to it.
func serve(t *testing.T, c *flags.Client, opts *sessiongrpc.Options) *grpc.ClientConn {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(sessiongrpc.UnaryServer(opts)), grpc.StreamInterceptor(sessiongrpc.StreamServer(opts)))
	server.RegisterService(&serviceDesc, &reader{c})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(lis) // ends with Stop
	}()
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(sessiongrpc.UnaryClient(opts)), grpc.WithStreamInterceptor(sessiongrpc.StreamClient(opts)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		<-done
	})
	return conn
}

// call reads the flag by a unary call.
func call(ctx context.Context, conn *grpc.ClientConn, text string, opts ...grpc.CallOption) (string, error) {
	var out wrapperspb.StringValue
	err := conn.Invoke(ctx, "/test.Flags/Read", wrapperspb.String(text), &out, opts...)
	return out.Value, err
}
