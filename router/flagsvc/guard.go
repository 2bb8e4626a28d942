package flagsvc

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// guard finds out who calls, before any handler, and ends a stream when its caller
// loses the right to it.
type guard struct{ policy authz.Policy }

func (g *guard) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	who, err := g.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handler(authz.WithPrincipal(ctx, who), req)
}

func (g *guard) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	who, err := g.admit(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	ctx, stop := authz.Bind(stream.Context(), who)
	defer stop()
	err = handler(srv, &guarded{stream, authz.WithPrincipal(ctx, who)})
	if cause := context.Cause(ctx); errors.Is(cause, authz.ErrUnauthenticated) {
		return refusal(ctx, cause)
	}
	return err
}

// guarded is a stream whose context ends with its caller's rights.
type guarded struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *guarded) Context() context.Context { return s.ctx }

// RecvMsg is not woken when the rights end, so what comes after that is refused.
func (s *guarded) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return refusal(s.ctx, context.Cause(s.ctx))
}

// admit returns who calls a method. One that is not in the table of permissions is
// nobody's; those that are for all ask nobody.
func (g *guard) admit(ctx context.Context, method string) (authz.Principal, error) {
	if _, open := g.policy.(authz.Open); !open {
		rule, ok := authz.RuleOf(method)
		if !ok {
			return authz.Principal{}, status.Errorf(codes.PermissionDenied, "%v: nobody may call %s", authz.ErrDenied, method)
		}
		if rule.Public {
			return authz.Principal{}, nil
		}
	}
	who, err := g.policy.Authenticate(shown(ctx))
	return who, refusal(ctx, err)
}

// shown returns what a call shows of its caller.
func shown(ctx context.Context) authz.Credentials {
	c := authz.Credentials{Authorization: strings.Join(metadata.ValueFromIncomingContext(ctx, "authorization"), ", ")}
	if p, ok := peer.FromContext(ctx); ok {
		c.Address = address(ctx)
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			c.Certificate = authz.Certificate(&info.State)
		}
	}
	return c
}

// refusal returns the status error of an error of a policy; nil stays nil.
func refusal(ctx context.Context, err error) error {
	often := new(authz.LimitError)
	switch {
	case errors.As(err, &often):
		_ = grpc.SetTrailer(ctx, metadata.Pairs("retry-after", often.Seconds())) // best effort
		return status.Error(codes.ResourceExhausted, err.Error())
	case errors.Is(err, authz.ErrUnauthenticated):
		return status.Error(codes.Unauthenticated, err.Error())
	case errors.Is(err, authz.ErrDenied):
		return status.Error(codes.PermissionDenied, err.Error())
	}
	return wire.FromError(err)
}
