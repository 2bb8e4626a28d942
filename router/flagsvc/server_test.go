package flagsvc_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// asked notes what it is asked, and denies.
type asked struct {
	authz.Open
	questions []string
}

func (a *asked) Decide(p authz.Principal, action authz.Action, set string) error {
	a.questions = append(a.questions, fmt.Sprintf("%s %s %s", p, action, set))
	return fmt.Errorf("%w: %s may not %s %q", authz.ErrDenied, p, action, set)
}

// TestEveryHandlerAsks: no method of either service answers without a decision.
func TestEveryHandlerAsks(t *testing.T) {
	policy := &asked{}
	r := newRig(t, flagsvc.Options{Policy: policy}, nil)
	r.create(100)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer secret-key")
	fl, ad := pb.NewFlagsClient(r.conn), pb.NewAdminClient(r.conn)
	commit := func(op flags.Op) []byte {
		c := flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: op}
		b, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := func(stream interface{ RecvMsg(any) error }, err error) error {
		if err != nil {
			return err
		}
		return stream.RecvMsg(&pb.WatchResponse{})
	}
	calls := map[string]struct {
		call func() error
		want string
	}{
		"Head":        {func() error { _, err := fl.Head(ctx, &pb.HeadRequest{Set: "shop"}); return err }, "follow shop"},
		"Fetch":       {func() error { return first(fl.Fetch(ctx, &pb.FetchRequest{Set: "shop", Version: 1})) }, "follow shop"},
		"ListCommits": {func() error { return first(fl.ListCommits(ctx, &pb.ListCommitsRequest{Set: "shop"})) }, "read shop"},
		"ListSets":    {func() error { _, err := fl.ListSets(ctx, &pb.ListSetsRequest{}); return err }, "list "},
		"ListClients": {func() error { _, err := ad.ListClients(ctx, &pb.ListClientsRequest{Set: "shop"}); return err }, "administer shop"},
		"GetStatus":   {func() error { _, err := ad.GetStatus(ctx, &pb.GetStatusRequest{}); return err }, "administer "},
		"Apply":       {func() error { _, err := fl.Apply(ctx, &pb.ApplyRequest{Commit: commit(flags.OpChange)}); return err }, "write shop"},
		"Watch": {func() error {
			stream, err := fl.Watch(ctx)
			if err != nil {
				return err
			}
			send(t, stream, &pb.WatchRequest{Message: &pb.WatchRequest_Hello{Hello: &pb.Hello{Set: "shop", Version: wire.Version}}})
			_, err = stream.Recv()
			return err
		}, "follow shop"},
	}
	methods := len(pb.Flags_ServiceDesc.Methods) + len(pb.Flags_ServiceDesc.Streams) + len(pb.Admin_ServiceDesc.Methods) + len(pb.Admin_ServiceDesc.Streams)
	if len(calls) != methods {
		t.Errorf("%d methods are tried of %d that there are", len(calls), methods)
	}
	for name, c := range calls {
		t.Run(name, func(t *testing.T) {
			policy.questions = nil
			if err := c.call(); status.Code(err) != codes.PermissionDenied {
				t.Errorf("answered %v, want PermissionDenied", err)
			}
			want := "key:" + keyID("secret-key") + " " + c.want
			if len(policy.questions) != 1 || policy.questions[0] != want {
				t.Errorf("asked %q, want %q", policy.questions, want)
			}
		})
	}
	t.Run("deleting a set", func(t *testing.T) {
		policy.questions = nil
		_, err := fl.Apply(ctx, &pb.ApplyRequest{Commit: commit(flags.OpDelete)})
		if status.Code(err) != codes.PermissionDenied || !strings.HasSuffix(strings.Join(policy.questions, ";"), "administer shop") {
			t.Errorf("answered %v after asking %q", err, policy.questions)
		}
	})
}

func keyID(key string) string {
	p, err := authz.Open{}.Authenticate(authz.Credentials{Authorization: "Bearer " + key})
	if err != nil {
		return err.Error()
	}
	return p.ID
}

func TestMalformedCredentials(t *testing.T) {
	r := newRig(t, flagsvc.Options{}, nil)
	r.create(100)
	for _, header := range []string{"secret", "Basic c2VjcmV0", "Bearer ", "Bearer"} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", header)
		_, err := pb.NewFlagsClient(r.conn).Head(ctx, &pb.HeadRequest{Set: "shop"})
		if status.Code(err) != codes.Unauthenticated || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", header, err)
		}
	}
}

// panicking is a store with a fault in one method.
type panicking struct{ *memstore.Store }

func (panicking) Sets(context.Context) ([]flags.Head, error) { panic("out of order") }

var _ store.Store = panicking{}

// TestPanics: a handler that panics is one failed call, and is logged.
func TestPanics(t *testing.T) {
	var log bytes.Buffer
	mem := memstore.New(nil)
	r := newRig(t, flagsvc.Options{Store: panicking{mem}}, slog.New(slog.NewTextHandler(&log, nil)))
	_, err := pb.NewFlagsClient(r.conn).ListSets(t.Context(), &pb.ListSetsRequest{})
	if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "out of order") {
		t.Errorf("answered %v", err)
	}
	if _, err := pb.NewAdminClient(r.conn).GetStatus(t.Context(), &pb.GetStatusRequest{}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if !strings.Contains(log.String(), "out of order") {
		t.Errorf("the log does not tell: %s", log.String())
	}
	_ = mem.Close()
}

// TestCredentialsAreNotLogged looks at all that is said about a call with a key.
func TestCredentialsAreNotLogged(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, flagsvc.Options{}, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer secret-key")
	_, _ = pb.NewFlagsClient(r.conn).Head(ctx, &pb.HeadRequest{Set: "shop"}) // fails; only its log matters
	if !strings.Contains(log.String(), "Head") || strings.Contains(log.String(), "secret-key") {
		t.Errorf("log is %s", log.String())
	}
}
