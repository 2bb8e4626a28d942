package syncsvc_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	pb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/syncsvc"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// rig is a store and a router of it that serves nothing but this package.
type rig struct {
	t     testing.TB
	store *memstore.Store
	*served
}

// served is one router; stop ends it.
type served struct {
	svc  *syncsvc.Service
	lis  *faultnet.Pipes
	stop func()
}

// setup is what differs between tests.
type setup struct {
	evaluator.Options
	sync  syncsvc.Options
	store hub.Store // default: the rig's own
	tcp   net.Listener
}

func newRig(t testing.TB, s setup) *rig {
	t.Helper()
	r := &rig{t: t, store: memstore.New(nil)}
	for _, name := range []string{"default", "shop"} {
		r.apply(flags.Commit{Set: name, Op: flags.OpCreate, Changes: []flags.Mutation{put("greeting", `{"a":"Kia ora","b":"Hello"}`, "a")}})
	}
	r.serve(s)
	t.Cleanup(func() {
		r.stop()
		_ = r.store.Close()
	})
	return r
}

// serve starts a router of the rig's store, in place of the one before.
func (r *rig) serve(s setup) {
	r.t.Helper()
	if s.store == nil {
		s.store = r.store
	}
	h := hub.New(s.store, nil)
	s.Hub = h
	e := evaluator.New(s.Options)
	s.sync.Evaluator = e
	svc := syncsvc.New(s.sync)
	server := grpc.NewServer(flagsvc.ServerOptions(s.Policy, nil, nil)...)
	svc.Register(server)
	lis, done := faultnet.NewPipes(), make(chan struct{}, 2)
	go func() { _ = server.Serve(lis); done <- struct{}{} }() // ends with Stop
	if s.tcp != nil {
		go func() { _ = server.Serve(s.tcp); done <- struct{}{} }()
	} else {
		done <- struct{}{}
	}
	r.served = &served{svc: svc, lis: lis, stop: func() {
		server.Stop()
		<-done
		<-done
		e.Close()
		h.Close()
	}}
}

func put(key, variants, standard string) flags.Mutation {
	text := fmt.Appendf(nil, `{"defaultVariant":%q,"state":"ENABLED","variants":%s}`, standard, variants)
	return flags.Mutation{Key: flags.FlagKey(key), Bytes: text}
}

func (r *rig) apply(c flags.Commit) flags.Head {
	r.t.Helper()
	if c.Set == "" {
		c.Set = "default"
	}
	c.ID = flags.NewCommitID()
	accepted, err := r.store.Apply(context.Background(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return accepted.Head()
}

// write sets the flag "n" to a number.
func (r *rig) write(n int) flags.Head {
	r.t.Helper()
	return r.apply(flags.Commit{Changes: []flags.Mutation{put("n", fmt.Sprintf(`{"v":%d}`, n), "v")}})
}

// client connects over a pipe.
func (r *rig) client(opts ...grpc.DialOption) pb.FlagSyncServiceClient {
	r.t.Helper()
	lis := r.lis
	return dial(r.t, "passthrough:///router", append(opts,
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))...)
}

func dial(t testing.TB, target string, opts ...grpc.DialOption) pb.FlagSyncServiceClient {
	t.Helper()
	conn, err := grpc.NewClient(target, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return pb.NewFlagSyncServiceClient(conn)
}

type stream = grpc.ServerStreamingClient[pb.SyncFlagsResponse]

// follow opens a stream and takes the first document.
func (r *rig) follow(c pb.FlagSyncServiceClient, selector string) (stream, *definition) {
	r.t.Helper()
	s, err := c.SyncFlags(r.t.Context(), &pb.SyncFlagsRequest{ProviderId: "test", Selector: selector})
	if err != nil {
		r.t.Fatal(err)
	}
	return s, next(r.t, s)
}

// definition is a served document as a provider reads it.
type definition struct {
	text  string
	root  flags.Value
	token flags.Token
}

func next(t testing.TB, s stream) *definition {
	t.Helper()
	m, err := s.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return read(t, m.GetFlagConfiguration())
}

func read(t testing.TB, text string) *definition {
	t.Helper()
	root, err := flags.ParseValue([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	revision := get(root, "metadata.holdfastRevision")
	token, err := flags.ParseToken(revision.Str())
	if err != nil {
		t.Fatal(err)
	}
	return &definition{text, root, token}
}

// reach receives until a version has come, and returns in how many messages.
func reach(t testing.TB, s stream, want flags.Head) int {
	t.Helper()
	for n := 1; ; n++ {
		if got := next(t, s).token; !got.Before(want.Version) {
			return n
		}
	}
}

// get follows a path of names.
func get(v flags.Value, path string) flags.Value {
	for name := range strings.SplitSeq(path, ".") {
		v, _ = v.Get(name)
	}
	return v
}

// lines is a log.
func lines(into *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(into, nil)) }
