package syncsvc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/syncsvc"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// TestAsFlagdDoes is what flagd does with a source of the kind grpc://host:8015: it
// fetches everything, follows with its provider id and selector, fetches again where it has doubts, and
// takes the static context along.
func TestAsFlagdDoes(t *testing.T) {
	tcp, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	region := map[string]flags.Value{"region": flags.StringValue("akl")}
	r := newRig(t, setup{Options: evaluator.Options{Context: region}, tcp: tcp})
	c := dial(t, tcp.Addr().String())
	fetched, err := c.FetchAllFlags(t.Context(), &pb.FetchAllFlagsRequest{ProviderId: "flagd-1", Selector: "flagSetId=shop"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.SyncFlags(t.Context(), &pb.SyncFlagsRequest{ProviderId: "flagd-1", Selector: "flagSetId=shop"})
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if first.GetFlagConfiguration() != fetched.GetFlagConfiguration() {
		t.Errorf("fetched %s, streamed %s", fetched.GetFlagConfiguration(), first.GetFlagConfiguration())
	}
	if got := first.GetSyncContext().AsMap(); len(got) != 1 || got["region"] != "akl" {
		t.Errorf("sync_context is %v", got)
	}
	old, err := c.GetMetadata(t.Context(), &pb.GetMetadataRequest{})
	if err != nil || old.GetMetadata().AsMap()["region"] != "akl" {
		t.Errorf("GetMetadata: %v, %v", old, err)
	}
	doc := read(t, first.GetFlagConfiguration())
	if get(doc.root, "flags.greeting.defaultVariant").Str() != "a" || get(doc.root, "metadata.flagSetId").Str() != "shop" {
		t.Errorf("served %s", doc.text)
	}
	head := r.apply(flags.Commit{Set: "shop", Changes: []flags.Mutation{put("greeting", `{"a":"Kia ora","b":"Hello"}`, "b")}})
	if got := next(t, s); got.token != head.Token() || get(got.root, "flags.greeting.defaultVariant").Str() != "b" {
		t.Errorf("after a change, %s", got.text)
	}
	md, err := s.Header()
	if err != nil || len(md.Get("holdfast-revision")) != 1 {
		t.Errorf("the header is %v, %v", md, err)
	}
}

func TestErrors(t *testing.T) {
	r := newRig(t, setup{})
	c := r.client()
	for _, tc := range []struct {
		header, selector string
		code             codes.Code
		text             string
	}{
		{"", "", codes.OK, ""},
		{"", "shop", codes.OK, ""},
		{"source=shop", "nonsense=1", codes.OK, ""}, // the header is what counts
		{"", "flagSetId=", codes.OK, ""},
		{"", "flagSetId=nowhere", codes.NotFound, "nowhere"},
		{"", "flagSetId=../x", codes.NotFound, "../x"},
		{"", "x=shop", codes.InvalidArgument, `invalid selector key "x", valid keys: "flagSetId", "source"`},
		{"x=shop", "", codes.InvalidArgument, `invalid selector key "x", valid keys: "flagSetId", "source"`},
	} {
		ctx := t.Context()
		if tc.header != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "flagd-selector", tc.header)
		}
		_, err := c.FetchAllFlags(ctx, &pb.FetchAllFlagsRequest{Selector: tc.selector})
		s, streamErr := c.SyncFlags(ctx, &pb.SyncFlagsRequest{Selector: tc.selector})
		if streamErr == nil {
			_, streamErr = s.Recv()
		}
		for _, err := range []error{err, streamErr} {
			if got := status.Convert(err); got.Code() != tc.code || !strings.Contains(got.Message(), tc.text) {
				t.Errorf("header %q, selector %q: %v", tc.header, tc.selector, err)
			}
		}
	}
	_, err := c.FetchAllFlags(metadata.AppendToOutgoingContext(t.Context(), "holdfast-revision", "nonsense"), &pb.FetchAllFlagsRequest{})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("a token that is none: %v", err)
	}
}

// TestOneEncoding: any number of clients, of any selectors of the set, on streams and
// with single calls, cost one encoding for each version.
func TestOneEncoding(t *testing.T) {
	r := newRig(t, setup{})
	var streams []stream
	for i := range 30 {
		s, _ := r.follow(r.client(), []string{"", "default", "source=default", "flagSetId=default"}[i%4])
		streams = append(streams, s)
	}
	const writes = 5
	for i := range writes {
		head := r.write(i)
		for _, s := range streams {
			reach(t, s, head)
		}
		if _, err := r.client().FetchAllFlags(t.Context(), &pb.FetchAllFlagsRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	sizes := r.svc.Sizes()
	if len(sizes) != 1 || sizes[0].Set != "default" || sizes[0].Encodings != writes+1 || sizes[0].Bytes == 0 || sizes[0].Oversize {
		t.Errorf("%+v, want %d encodings", sizes, writes+1)
	}
}

// TestDeleted: that a set has nothing any more is told to those who follow it, like
// any other change. To those who come later there is none.
func TestDeleted(t *testing.T) {
	r := newRig(t, setup{})
	s, _ := r.follow(r.client(), "shop")
	head := r.apply(flags.Commit{Set: "shop", Op: flags.OpDelete})
	if got := next(t, s); got.token != head.Token() || get(got.root, "flags").Len() != 0 {
		t.Errorf("after it was deleted: %s", got.text)
	}
	if _, err := r.client().FetchAllFlags(t.Context(), &pb.FetchAllFlagsRequest{Selector: "shop"}); status.Code(err) != codes.NotFound {
		t.Errorf("a deleted set: %v", err)
	}
}

// TestDrain: streams end, and none begin any more: a client that is given a document
// stays until it is told again to leave.
func TestDrain(t *testing.T) {
	r := newRig(t, setup{})
	c := r.client()
	s, _ := r.follow(c, "")
	r.svc.Drain()
	if _, err := s.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("at the end: %v", err)
	}
	for range 20 {
		late, err := c.SyncFlags(t.Context(), &pb.SyncFlagsRequest{})
		if err == nil {
			_, err = late.Recv()
		}
		if status.Code(err) != codes.Unavailable {
			t.Fatalf("a stream that comes now: %v", err)
		}
		if _, err := c.FetchAllFlags(t.Context(), &pb.FetchAllFlagsRequest{}); status.Code(err) != codes.Unavailable {
			t.Fatalf("a call that comes now: %v", err)
		}
	}
}

// TestLongLife: a stream outlives the pings of Go's provider, and ends in good order
// before its connection is closed for age; the next one begins at once.
func TestLongLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{})
		c := r.client(grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true}))
		for range 4 {
			began := time.Now()
			s, _ := r.follow(c, "")
			_, err := s.Recv()
			if lived := time.Since(began); status.Code(err) != codes.DeadlineExceeded || lived < 5*time.Minute || lived > 6*time.Minute {
				t.Errorf("after %v: %v", lived, err)
			}
		}
	})
}

// TestCancelled: what a client leaves behind is nothing.
func TestCancelled(t *testing.T) {
	r := newRig(t, setup{})
	ctx, cancel := context.WithCancel(t.Context())
	s, err := r.client().SyncFlags(ctx, &pb.SyncFlagsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	next(t, s)
	cancel()
	if _, err := s.Recv(); status.Code(err) != codes.Canceled || errors.Is(err, io.EOF) {
		t.Errorf("a cancelled stream: %v", err)
	}
}

// TestStaticContext: what the protocol cannot carry is left out, and said to be.
func TestStaticContext(t *testing.T) {
	var log strings.Builder
	mixed := map[string]flags.Value{"name": flags.StringValue("\xff"), "tier": flags.NumberValue(2)}
	r := newRig(t, setup{Options: evaluator.Options{Context: mixed}, sync: syncsvc.Options{Logger: lines(&log)}})
	m, err := r.client().GetMetadata(t.Context(), &pb.GetMetadataRequest{})
	if got := m.GetMetadata().AsMap(); err != nil || len(got) != 1 || got["tier"] != 2.0 || !strings.Contains(log.String(), "key=name") {
		t.Errorf("%v, %v; %s", got, err, &log)
	}
}

// talkative is a store that cannot be reached, and says where it is.
type talkative struct{ *memstore.Store }

func (talkative) Head(context.Context, string) (flags.Head, error) {
	return flags.Head{}, &flags.SourceError{Class: flags.ClassTransient, Op: "store", Err: errors.New("dial db.internal:27017: connection refused")}
}

// TestStoreDown: clients, of whom nobody may know anything, are told that there is no
// answer now, and operators why.
func TestStoreDown(t *testing.T) {
	var log strings.Builder
	mem := memstore.New(nil)
	defer func() { _ = mem.Close() }()
	r := newRig(t, setup{store: talkative{mem}, sync: syncsvc.Options{Logger: lines(&log)}})
	_, err := r.client().FetchAllFlags(t.Context(), &pb.FetchAllFlagsRequest{})
	if status.Code(err) != codes.Unavailable || strings.Contains(err.Error(), "db.internal") || !strings.Contains(log.String(), "db.internal") {
		t.Errorf("%v; %s", err, &log)
	}
}
