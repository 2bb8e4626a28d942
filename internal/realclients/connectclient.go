package main

import (
	"context"
	"errors"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	evaluationv2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
)

// connectTransport is connect-go with its own protocol over HTTP/1.1, as flagd's
// provider for Go uses it.
type connectTransport struct {
	evaluationv2.ServiceClient
	http     *http.Transport
	selector string
}

// connectDial returns how to connect with a selector, if any, and options.
func connectDial(selector string, opts ...connect.ClientOption) func(addresses) (transport, error) {
	return func(at addresses) (transport, error) {
		pool := &http.Transport{}
		client := evaluationv2.NewServiceClient(&http.Client{Transport: pool}, "http://"+at.Eval, opts...)
		return &connectTransport{client, pool, selector}, nil
	}
}

func (t *connectTransport) resolve(ctx context.Context, q question, who *structpb.Struct) (proto.Message, error) {
	switch q.Type {
	case "boolean":
		return unary(ctx, t, t.ResolveBoolean, &evaluationv2.ResolveBooleanRequest{FlagKey: q.Flag, Context: who})
	case "string":
		return unary(ctx, t, t.ResolveString, &evaluationv2.ResolveStringRequest{FlagKey: q.Flag, Context: who})
	case "number":
		return unary(ctx, t, t.ResolveFloat, &evaluationv2.ResolveFloatRequest{FlagKey: q.Flag, Context: who})
	case "integer":
		return unary(ctx, t, t.ResolveInt, &evaluationv2.ResolveIntRequest{FlagKey: q.Flag, Context: who})
	case "object":
		return unary(ctx, t, t.ResolveObject, &evaluationv2.ResolveObjectRequest{FlagKey: q.Flag, Context: who})
	default:
		return nil, errors.New("no type " + q.Type)
	}
}

func unary[Q, A any](ctx context.Context, t *connectTransport, call func(context.Context, *connect.Request[Q]) (*connect.Response[A], error), msg *Q) (proto.Message, error) {
	req := connect.NewRequest(msg)
	t.selecting(req.Header())
	resp, err := call(ctx, req)
	if err != nil {
		return nil, err
	}
	return any(resp.Msg).(proto.Message), nil
}

func (t *connectTransport) events(ctx context.Context) (func() (proto.Message, error), error) {
	req := connect.NewRequest(&evaluationv2.EventStreamRequest{})
	t.selecting(req.Header())
	stream, err := t.EventStream(ctx, req)
	if err != nil {
		return nil, err
	}
	return func() (proto.Message, error) {
		if !stream.Receive() {
			return nil, errors.Join(errors.New("the stream ended"), stream.Err(), stream.Close())
		}
		return stream.Msg(), nil
	}, nil
}

func (t *connectTransport) selecting(h http.Header) {
	if t.selector != "" {
		h.Set("Flagd-Selector", t.selector)
	}
}

func (*connectTransport) code(err error) codes.Code { return codes.Code(connect.CodeOf(err)) }

func (t *connectTransport) close() { t.http.CloseIdleConnections() }
