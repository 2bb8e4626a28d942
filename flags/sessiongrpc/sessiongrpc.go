// Package sessiongrpc carries the revision tokens of a session between services
// that speak gRPC, so that nobody in it reads older flags than the one before.
//
// A service is made with [UnaryServer] and [StreamServer], its connections to others with
// [UnaryClient] and [StreamClient]. Then the metadata holdfast-revision names, on a call, the
// versions that its reads must not be older than, and in the header or trailer of the
// answer, the versions that it was answered from.
//
// Tokens are no secrets and are not signed. One that was made up can only make reads of its
// own call wait, for at most what AtLeast of package flags says; no answer is ever refused for it.
package sessiongrpc

import (
	"context"
	"log/slog"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/holdfast-flags/holdfast/internal/session"
)

// Key is the metadata key: a list of tokens, one for each flag set, separated by
// commas.
const Key = "holdfast-revision"

// Options configure both directions. The zero value is ready for production.
//
// At most 4 KiB and 16 tokens of a message are looked at. What is no token or is beyond
// that is ignored: it is told to Ignored and logged, at most once per 10 s, with a running count.
type Options struct {
	Logger  *slog.Logger       // default slog.Default()
	Ignored func(reason error) // for metrics; reason wraps flags.ErrInvalid or flags.ErrTooLarge; may be called concurrently
}

func (o *Options) carrier() *session.Carrier {
	if o == nil {
		return &session.Carrier{}
	}
	return &session.Carrier{Logger: o.Logger, Ignored: o.Ignored}
}

// begin puts the session of an incoming call into its context.
func begin(ctx context.Context, c *session.Carrier) context.Context {
	return c.Begin(ctx, metadata.ValueFromIncomingContext(ctx, Key))
}

// outgoing adds the session of ctx to a call, unless the caller has.
func outgoing(ctx context.Context, c *session.Carrier) context.Context {
	if md, _ := metadata.FromOutgoingContext(ctx); len(md.Get(Key)) > 0 {
		return ctx
	}
	if tokens := c.Request(ctx); tokens != "" {
		return metadata.AppendToOutgoingContext(ctx, Key, tokens)
	}
	return ctx
}

// learn takes what an answer names into the session of ctx.
func learn(ctx context.Context, c *session.Carrier, md metadata.MD) {
	c.Learn(ctx, md.Get(Key))
}

// UnaryServer returns an interceptor that runs handlers in a session: reads with the
// call's context are at least at the versions that the call names, or report that they
// are not, and the answer, also an error, names what they were answered from. opts may be nil.
func UnaryServer(opts *Options) grpc.UnaryServerInterceptor {
	c := opts.carrier()
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		ctx = begin(ctx, c)
		resp, err := handler(ctx, req)
		if tokens := c.Response(ctx); tokens != "" {
			_ = grpc.SetTrailer(ctx, metadata.Pairs(Key, tokens)) // fails only where there is no call
		}
		return resp, err
	}
}

// UnaryClient returns an interceptor that names, on each call, what the session of its
// context has seen and demands, and takes what the answer names into that session. A call
// that names tokens already is sent as it is. opts may be nil.
//
// It tells whoever it calls the names of the sets: use it for services of your own.
func UnaryClient(opts *Options) grpc.UnaryClientInterceptor {
	c := opts.carrier()
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, callOpts ...grpc.CallOption) error {
		var header, trailer metadata.MD
		callOpts = slices.Concat(callOpts, []grpc.CallOption{grpc.Header(&header), grpc.Trailer(&trailer)}) // not appended: other calls use the same list
		err := invoker(outgoing(ctx, c), method, req, reply, cc, callOpts...)
		learn(ctx, c, header)
		learn(ctx, c, trailer)
		return err
	}
}
