package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/structpb"

	_ "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v1" // registers its messages
	_ "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2" // registers its messages
	_ "github.com/holdfast-flags/holdfast/internal/pb/schema/v1"           // registers its messages
)

// grpcTransport speaks one of the versions of the protocol over grpc-go.
type grpcTransport struct {
	conn     *grpc.ClientConn
	pkg      string // of the protocol
	selector string
}

// grpcDial returns how to connect with a version of the protocol, and what to
// select, if anything.
func grpcDial(pkg, selector string) func(addresses) (transport, error) {
	return func(at addresses) (transport, error) {
		conn, err := grpc.NewClient(at.Eval, grpc.WithTransportCredentials(insecure.NewCredentials()))
		return &grpcTransport{conn, pkg, selector}, err
	}
}

func (t *grpcTransport) resolve(ctx context.Context, q question, who *structpb.Struct) (proto.Message, error) {
	method, err := methodFor(q.Type)
	if err != nil {
		return nil, err
	}
	req, err := t.message(method + "Request")
	if err != nil {
		return nil, err
	}
	resp, err := t.message(method + "Response")
	if err != nil {
		return nil, err
	}
	fields := req.ProtoReflect().Descriptor().Fields()
	req.ProtoReflect().Set(fields.ByName("flag_key"), protoreflect.ValueOfString(q.Flag))
	req.ProtoReflect().Set(fields.ByName("context"), protoreflect.ValueOfMessage(who.ProtoReflect()))
	return resp, t.conn.Invoke(t.selecting(ctx), "/"+t.pkg+".Service/"+method, req, resp)
}

func (t *grpcTransport) events(ctx context.Context) (func() (proto.Message, error), error) {
	req, err := t.message("EventStreamRequest")
	if err != nil {
		return nil, err
	}
	stream, err := t.conn.NewStream(t.selecting(ctx), &grpc.StreamDesc{ServerStreams: true}, "/"+t.pkg+".Service/EventStream")
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(req); err != nil {
		return nil, err
	}
	return func() (proto.Message, error) {
		resp, err := t.message("EventStreamResponse")
		if err != nil {
			return nil, err
		}
		return resp, stream.RecvMsg(resp)
	}, stream.CloseSend()
}

// message makes one of the protocol's by its name, which all versions share.
func (t *grpcTransport) message(name string) (proto.Message, error) {
	typ, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(t.pkg + "." + name))
	if err != nil {
		return nil, err
	}
	return typ.New().Interface(), nil
}

func (t *grpcTransport) selecting(ctx context.Context) context.Context {
	if t.selector == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "flagd-selector", t.selector)
}

func (*grpcTransport) code(err error) codes.Code { return status.Code(err) }

func (t *grpcTransport) close() { _ = t.conn.Close() }
