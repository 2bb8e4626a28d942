package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	evalpb "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
	syncpb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
)

// bareCrowd is served the same bytes by the least code on the same stacks: grpc-go for
// documents, connect on net/http for events. Both are encoded before they are due.
func bareCrowd(ctx context.Context, document, event proto.Message) (*crowd, error) {
	on, err := listeners(ctx)
	if err != nil {
		return nil, err
	}
	_ = on.Ops.Close() // there is nothing to ask
	shared, err := wire.NewShared(document)
	if err != nil {
		return nil, err
	}
	text, err := proto.Marshal(event)
	if err != nil {
		return nil, err
	}
	documents, events := &broadcast[*wire.Shared]{message: shared}, &broadcast[*encoded]{message: &encoded{text}}
	syncing := grpc.NewServer(grpc.ForceServerCodecV2(wire.Codec()))
	syncpb.RegisterFlagSyncServiceServer(syncing, &bareSync{broadcast: documents})
	go func() { _ = syncing.Serve(on.GRPC) }() // ends with Stop
	evaluating := h2cServer(bareEvents(events))
	go func() { _ = evaluating.Serve(on.Eval) }() // ends with Close
	return &crowd{
		syncAddr: on.GRPC.Addr().String(), evalAddr: on.Eval.Addr().String(),
		publish: func() error {
			var both sync.WaitGroup
			both.Go(documents.publish)
			both.Go(events.publish)
			both.Wait()
			return nil
		},
		stop: func() {
			syncing.Stop()
			_ = evaluating.Close() // the process ends anyway
		},
	}, nil
}

// h2cServer serves HTTP/1.1 and HTTP/2 without TLS, as the router does.
func h2cServer(h http.Handler) *http.Server {
	s := &http.Server{Handler: h, Protocols: new(http.Protocols)} //nolint:gosec // its only clients are in this program
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	return s
}

// broadcast sends each stream the same message by a channel, and nothing else.
type broadcast[M any] struct {
	message M
	mu      sync.Mutex
	streams []chan M
}

func (b *broadcast[M]) publish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.streams {
		c <- b.message
	}
}

// serve sends to one stream, at once and with each publish, until it ends.
func (b *broadcast[M]) serve(ctx context.Context, send func(M) error) error {
	messages := make(chan M, 4)
	messages <- b.message
	b.mu.Lock()
	b.streams = append(b.streams, messages)
	b.mu.Unlock()
	for {
		select {
		case m := <-messages:
			if err := send(m); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

type bareSync struct {
	syncpb.UnimplementedFlagSyncServiceServer
	*broadcast[*wire.Shared]
}

// SyncFlags is the protocol's.
func (s *bareSync) SyncFlags(_ *syncpb.SyncFlagsRequest, stream grpc.ServerStreamingServer[syncpb.SyncFlagsResponse]) error {
	return s.serve(stream.Context(), func(m *wire.Shared) error { return stream.SendMsg(m) })
}

func bareEvents(b *broadcast[*encoded]) http.Handler {
	return connect.NewServerStreamHandler(evalpb.ServiceEventStreamProcedure,
		func(ctx context.Context, _ *connect.Request[evalpb.EventStreamRequest], out *connect.ServerStream[encoded]) error {
			return b.serve(ctx, out.Send)
		}, connect.WithCodec(encodedCodec{}))
}

// encoded is a message as it goes over the wire.
type encoded struct{ text []byte }

// encodedCodec is protobuf, but that what is sent is encoded already.
type encodedCodec struct{}

// Name is connect.Codec's.
func (encodedCodec) Name() string { return "proto" }

// Marshal is connect.Codec's.
func (encodedCodec) Marshal(m any) ([]byte, error) {
	e, ok := m.(*encoded)
	if !ok {
		return nil, fmt.Errorf("%T was to be sent", m)
	}
	return e.text, nil
}

// MarshalAppend spares a buffer, as the router's codec does.
func (c encodedCodec) MarshalAppend(dst []byte, m any) ([]byte, error) {
	text, err := c.Marshal(m)
	return append(dst, text...), err
}

// Unmarshal is connect.Codec's.
func (encodedCodec) Unmarshal(text []byte, m any) error {
	message, ok := m.(proto.Message)
	if !ok {
		return fmt.Errorf("%T was to be received", m)
	}
	return proto.Unmarshal(text, message)
}
