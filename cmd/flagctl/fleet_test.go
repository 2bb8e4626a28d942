package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	syncpb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// fleet is a router in this process, with a set of one flag.
type fleet struct {
	t    *testing.T
	addr string
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := router.New(router.Options{Store: memstore.New(nil), DrainTimeout: time.Second})
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := r.Serve(ctx, router.Listeners{GRPC: listener}); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		serving.Wait()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &fleet{t: t, addr: listener.Addr().String()}
	f.want(exitOK, "sets", "create", "default")
	f.want(exitOK, "create", "checkout")
	return f
}

// want runs a command line, which must exit with code, and returns what it prints.
func (f *fleet) want(code int, args ...string) string {
	f.t.Helper()
	return f.wantIn(f.t.Context(), code, args...)
}

func (f *fleet) wantIn(ctx context.Context, code int, args ...string) string {
	f.t.Helper()
	var out bytes.Buffer
	std := stdio{in: strings.NewReader(""), out: &out, err: &out, getenv: func(string) string { return "" }}
	if got := run(ctx, append([]string{"--server", f.addr, "-o", "table"}, args...), std); got != code {
		f.t.Errorf("flagctl %v: exit code %d, want %d\n%s", args, got, code, &out)
	}
	return out.String()
}

// follower connects a client that says what it has applied only when it is told to.
func (f *fleet) follower() (stream flags.Stream, head flags.Head) {
	f.t.Helper()
	st, err := grpcstore.Open("grpc://"+f.addr, &grpcstore.Options{Identity: grpcstore.Identity{Name: "shop"}, HeadTimeout: time.Minute})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { st.Close() })
	if head, err = st.Head(f.t.Context(), "default"); err != nil {
		f.t.Fatal(err)
	}
	if stream, err = st.Watch(f.t.Context(), "default", head); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { stream.Close() })
	return stream, head
}

// TestWait: a write is confirmed once every client has applied it, not before.
func TestWait(t *testing.T) {
	f := newFleet(t)
	f.want(exitOK, "toggle", "checkout", "--wait") // nobody is connected
	stream, head := f.follower()
	other := head
	other.Lineage, other.Revision = flags.NewLineage(), 999
	if err := stream.Applied(flags.Ack{Head: other}); err != nil { // it answers from another history
		t.Fatal(err)
	}
	for told := time.Now(); !strings.Contains(f.want(exitOK, "clients"), other.Token().String()); {
		if time.Since(told) > time.Minute {
			t.Fatal("the router does not know what the client has applied")
		}
	}
	out := f.want(exitNotConfirmed, "toggle", "checkout", "--wait=2s")
	if !strings.Contains(out, "1 connected clients have not applied it") {
		t.Errorf("got %s", out)
	}
	if out := f.want(exitOK, "clients"); !strings.Contains(out, "shop") {
		t.Errorf("got %s", out)
	}
	interrupted, interrupt := context.WithTimeout(t.Context(), 2*time.Second)
	defer interrupt()
	begun := time.Now()
	f.wantIn(interrupted, exitNotConfirmed, "enable", "checkout", "--wait=1m") // nothing to write, yet not applied
	if time.Since(begun) > 30*time.Second {
		t.Error("the wait could not be interrupted")
	}
	var applying sync.WaitGroup
	applying.Go(func() {
		for {
			ev, err := stream.Next()
			if err != nil || stream.Applied(flags.Ack{Head: ev.Head}) != nil {
				return
			}
		}
	})
	f.want(exitOK, "toggle", "checkout", "--wait=20s")
	stream.Close()
	applying.Wait()
}

// TestPatience: a router that is far away, or busy, is waited for as long as --timeout says.
func TestPatience(t *testing.T) {
	f := newFleet(t)
	far, err := faultnet.Listen(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	if err := far.Set(faultnet.Faults{Down: faultnet.Path{Delay: 1200 * time.Millisecond}}); err != nil {
		t.Fatal(err)
	}
	f.addr = far.Addr()
	f.want(exitOK, "get", "checkout", "--timeout", "1m")
	if out := f.want(exitFailed, "get", "checkout", "--timeout", "100ms"); !strings.Contains(out, "100ms") {
		t.Errorf("got %s", out)
	}
}

// TestStatusWarnsOfOversizedSets: a set whose definition in-process clients refuse as
// they come is named, with its size, from the first time that one was served.
func TestStatusWarnsOfOversizedSets(t *testing.T) {
	f := newFleet(t)
	st, err := grpcstore.Open("grpc://"+f.addr, &grpcstore.Options{HeadTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	text := strings.Repeat("x", 500<<10)
	for i := range 10 { // in several commits: one is bounded too
		c := flags.Commit{Set: "default", ID: flags.NewCommitID(), Changes: []flags.Mutation{{
			Key:   flags.FlagKey(fmt.Sprintf("large-%d", i)),
			Bytes: fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%q}}`, text),
		}}}
		if _, err := st.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if out := f.want(exitOK, "status"); strings.Contains(out, "warning") {
		t.Errorf("warned before anybody was served: %s", out)
	}
	conn, err := grpc.NewClient(f.addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := syncpb.NewFlagSyncServiceClient(conn).FetchAllFlags(t.Context(), &syncpb.FetchAllFlagsRequest{}); err != nil {
		t.Fatal(err) // a client that allows more is served
	}
	if out := f.want(exitOK, "status"); !strings.Contains(out, "warning: in-process clients of default are sent 4.9 MiB") {
		t.Errorf("got %s", out)
	}
	if out := f.want(exitOK, "status", "-o", "json"); !strings.Contains(out, `"oversize"`) {
		t.Errorf("got %s", out)
	}
}
