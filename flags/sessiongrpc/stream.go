package sessiongrpc

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/holdfast-flags/holdfast/internal/session"
)

// StreamServer is [UnaryServer] for streams. What was read before the first message is
// named in the stream's header, everything at its end in the trailer. What a client learns while
// a stream lasts reaches the server with its next call.
func StreamServer(opts *Options) grpc.StreamServerInterceptor {
	c := opts.carrier()
	return func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		s := &serverStream{ServerStream: ss, ctx: begin(ss.Context(), c), carrier: c}
		err := handler(srv, s)
		if tokens := c.Response(s.ctx); tokens != "" {
			ss.SetTrailer(metadata.Pairs(Key, tokens))
		}
		return err
	}
}

type serverStream struct {
	grpc.ServerStream
	ctx     context.Context // of the call: a stream has no other place for it
	carrier *session.Carrier
	begun   sync.Once // with the first message, or the header the handler sends itself
}

// Context implements grpc.ServerStream.
func (s *serverStream) Context() context.Context { return s.ctx }

func (s *serverStream) begin() {
	s.begun.Do(func() {
		if tokens := s.carrier.Response(s.ctx); tokens != "" {
			_ = s.ServerStream.SetHeader(metadata.Pairs(Key, tokens)) // too late is not too bad: the trailer follows
		}
	})
}

// SendHeader implements grpc.ServerStream.
func (s *serverStream) SendHeader(md metadata.MD) error {
	s.begin()
	return s.ServerStream.SendHeader(md)
}

// SendMsg implements grpc.ServerStream.
func (s *serverStream) SendMsg(m any) error {
	s.begin()
	return s.ServerStream.SendMsg(m)
}

// StreamClient is [UnaryClient] for streams: the session learns from the header
// with the first message received, and from the trailer when receiving ends.
func StreamClient(opts *Options) grpc.StreamClientInterceptor {
	c := opts.carrier()
	return func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, callOpts ...grpc.CallOption) (grpc.ClientStream, error) {
		cs, err := streamer(outgoing(ctx, c), desc, cc, method, callOpts...)
		if err != nil {
			return nil, err
		}
		return &clientStream{ClientStream: cs, session: ctx, carrier: c, single: !desc.ServerStreams}, nil
	}
}

type clientStream struct {
	grpc.ClientStream
	session context.Context // the caller's, whose session learns
	carrier *session.Carrier
	single  bool // one message is the whole answer
	begun   bool // RecvMsg is for one goroutine at a time
}

// RecvMsg implements grpc.ClientStream.
func (s *clientStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if !s.begun {
		s.begun = true
		if header, err := s.Header(); err == nil { // there already: it comes before any message
			learn(s.session, s.carrier, header)
		}
	}
	if err != nil || s.single {
		learn(s.session, s.carrier, s.Trailer())
	}
	return err
}
