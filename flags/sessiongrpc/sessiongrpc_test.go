package sessiongrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/sessiongrpc"
	"github.com/holdfast-flags/holdfast/internal/session/sessiontest"
)

// A session that has seen a version is answered from it by an instance that has not
// heard of it, in calls of every kind.
func TestCallDemandsRevision(t *testing.T) {
	st := sessiontest.NewStore(t)
	conn := serve(t, sessiontest.NewClient(t, st, sessiontest.Never), silent)
	token := sessiontest.Write(t, st, 7)
	want := fmt.Sprintf("7 %s FRESH", token)
	ctx := flags.AtLeast(t.Context(), token)
	t.Run("unary", func(t *testing.T) {
		if got, err := call(ctx, conn, ""); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	})
	for _, desc := range []grpc.StreamDesc{followDesc, collectDesc} {
		t.Run(desc.StreamName, func(t *testing.T) {
			s, err := conn.NewStream(ctx, &desc, "/test.Flags/"+desc.StreamName)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.SendMsg(wrapperspb.String("")); err != nil {
				t.Fatal(err)
			}
			if err := s.CloseSend(); err != nil {
				t.Fatal(err)
			}
			var out wrapperspb.StringValue
			if err := s.RecvMsg(&out); err != nil || out.Value != want {
				t.Errorf("%q, %v; want %q", out.Value, err, want)
			}
			if desc.ServerStreams {
				if err := s.RecvMsg(&out); !errors.Is(err, io.EOF) {
					t.Errorf("at the end: %v", err)
				}
			}
		})
	}
}

// The session of whoever calls learns what the answer was made from.
func TestSessionLearns(t *testing.T) {
	st := sessiontest.NewStore(t)
	c := sessiontest.NewClient(t, st, nil)
	conn := serve(t, c, silent)
	token := c.Token(t.Context())
	check := func(t *testing.T, tokens []flags.Token) {
		t.Helper()
		if len(tokens) != 1 || tokens[0] != token {
			t.Errorf("the session has seen %v, want %v", tokens, token)
		}
	}
	t.Run("unary", func(t *testing.T) {
		ctx := flags.WithSession(t.Context())
		var trailer metadata.MD // the caller's own option goes on working
		if _, err := call(ctx, conn, "", grpc.Trailer(&trailer)); err != nil || len(trailer.Get(sessiongrpc.Key)) != 1 {
			t.Errorf("%v, trailer %v", err, trailer)
		}
		check(t, flags.SessionTokens(ctx))
	})
	t.Run("error", func(t *testing.T) {
		ctx := flags.WithSession(t.Context())
		if _, err := call(ctx, conn, "fail"); status.Code(err) != codes.Aborted {
			t.Error(err)
		}
		check(t, flags.SessionTokens(ctx))
	})
	t.Run("one answer to many messages", func(t *testing.T) {
		ctx := flags.WithSession(t.Context())
		s, err := conn.NewStream(ctx, &collectDesc, "/test.Flags/Collect")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := s.RecvMsg(new(wrapperspb.StringValue)); err != nil {
			t.Fatal(err)
		}
		check(t, flags.SessionTokens(ctx))
	})
	t.Run("stream", func(t *testing.T) {
		ctx := flags.WithSession(t.Context())
		s, err := conn.NewStream(ctx, &followDesc, "/test.Flags/Follow")
		if err != nil {
			t.Fatal(err)
		}
		exchange := func() {
			if err := s.SendMsg(wrapperspb.String("")); err != nil {
				t.Fatal(err)
			}
			if err := s.RecvMsg(new(wrapperspb.StringValue)); err != nil {
				t.Fatal(err)
			}
		}
		exchange()
		check(t, flags.SessionTokens(ctx)) // by the header
		token = sessiontest.Write(t, st, 7)
		if _, err := c.Require(flags.AtLeast(t.Context(), token)); err != nil {
			t.Fatal(err)
		}
		exchange()
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := s.RecvMsg(new(wrapperspb.StringValue)); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		check(t, flags.SessionTokens(ctx)) // by the trailer
	})
}

// A session goes through a service to the next, and comes back.
func TestSessionCrossesServices(t *testing.T) {
	st := sessiontest.NewStore(t)
	ahead, behind := sessiontest.NewClient(t, st, nil), sessiontest.NewClient(t, st, sessiontest.Never)
	near, far := serve(t, behind, silent), serve(t, ahead, silent)
	token := sessiontest.Write(t, st, 7)
	if _, err := ahead.Require(flags.AtLeast(t.Context(), token)); err != nil {
		t.Fatal(err)
	}
	ctx := flags.WithSession(t.Context())
	for i, want := range []string{"0 default@0.1", "7 " + token.String(), "7 " + token.String()} {
		conn := near
		if i == 1 {
			conn = far
		}
		if got, err := call(ctx, conn, ""); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("call %d: %q, %v; want %q", i+1, got, err, want)
		}
	}
}

func TestGarbageIsIgnored(t *testing.T) {
	var invalid, beyond atomic.Int64
	conn := serve(t, sessiontest.NewClient(t, sessiontest.NewStore(t), nil), &sessiongrpc.Options{
		Logger: slog.New(slog.DiscardHandler),
		Ignored: func(reason error) {
			switch {
			case errors.Is(reason, flags.ErrInvalid):
				invalid.Add(1)
			case errors.Is(reason, flags.ErrTooLarge):
				beyond.Add(1)
			}
		},
	})
	for _, garbage := range []string{"x", "default@", "default@0.1~zzz, ,,%00", strings.Repeat("a@0.1,", 1000)} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), sessiongrpc.Key, garbage) // the caller's own: sent as it is
		if got, err := call(ctx, conn, ""); err != nil || !strings.HasPrefix(got, "0 default@0.1~") || !strings.HasSuffix(got, " FRESH") {
			t.Errorf("%.20q: %q, %v", garbage, got, err)
		}
	}
	if invalid.Load() != 4 || beyond.Load() != 1 {
		t.Errorf("counted %d invalid and %d too large", invalid.Load(), beyond.Load())
	}
}

// The options of a connection are one list for all its calls: what one call adds must not land
// in the room behind it, where the next one writes too.
func TestCallOptionsAreNotShared(t *testing.T) {
	room := make([]grpc.CallOption, 1, 8)
	room[0] = grpc.WaitForReady(true)
	client := sessiongrpc.UnaryClient(silent)
	var passed int
	invoke := func(_ context.Context, _ string, _, _ any, _ *grpc.ClientConn, opts ...grpc.CallOption) error {
		passed = len(opts)
		return nil
	}
	if err := client(t.Context(), "/test.Flags/Read", nil, nil, nil, invoke, room...); err != nil {
		t.Fatal(err)
	}
	if passed <= len(room) || room[:2][1] != nil {
		t.Errorf("%d options were passed on, and behind those of the caller stands %v", passed, room[:2][1])
	}
}
