package rig

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// Router is a router's services over a store in memory, and the way there.
type Router struct {
	Store *memstore.Store
	Link  *faultnet.Proxy

	hub   *hub.Hub
	tb    testing.TB
	fault atomic.Pointer[Fault]
	held  atomic.Bool

	mu    sync.Mutex
	calls []Call
}

// Call is one call that reached a layer, or was sent to it.
type Call struct {
	Op string // of a router: the method; of a client: head, fetch, watch, stream, put
	At time.Time
	// Of a client's:
	Took time.Duration
	Err  error
}

func newRouter(tb testing.TB) *Router {
	tb.Helper()
	r := &Router{tb: tb, Store: memstore.New(nil)}
	r.fault.Store(&Fault{})
	return r
}

// serveGRPC serves the router's own API.
func (r *Router) serveGRPC() {
	listener := faultnet.NewPipes() // bufconn's timers of no duration crash the race detector in a bubble: golang/go 78156
	r.hub = hub.New(r.Store, nil)
	server := grpc.NewServer(append(flagsvc.ServerOptions(nil, nil, nil),
		grpc.ChainUnaryInterceptor(r.unary), grpc.ChainStreamInterceptor(r.stream))...)
	flagsvc.New(flagsvc.Options{Store: r.Store, Hub: r.hub}).Register(server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with Stop
	}()
	r.Link = faultnet.Wrap(listener.DialContext)
	r.tb.Cleanup(func() {
		_ = r.Link.Close() // nothing can be wrong with closing pipes
		server.Stop()
		<-done
		r.hub.Close()
		_ = r.Store.Close() // a store in memory has nothing to lose
	})
}

// Set replaces what is wrong with the router. Streams that exist are ended where every call
// is to be answered with an error.
func (r *Router) Set(f Fault) {
	r.tb.Helper()
	r.fault.Store(&f)
	if f.Code != codes.OK && f.Only == "" {
		setLink(r.tb, r.Link, Reset.Net)
	}
	setLink(r.tb, r.Link, f.Net)
}

func setLink(tb testing.TB, link *faultnet.Proxy, f faultnet.Faults) {
	tb.Helper()
	if err := link.Set(f); err != nil {
		tb.Fatal(err)
	}
}

// Hold keeps what is written from a secondary, until false.
func (r *Router) Hold(hold bool) { r.held.Store(hold) }

// Calls returns how many calls of a method ("" any) have reached the router since an instant.
func (r *Router) Calls(method string, since time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return count(r.calls, method, since)
}

func count(calls []Call, op string, since time.Time) (n int) {
	for _, c := range calls {
		if (op == "" || c.Op == op) && !c.At.Before(since) {
			n++
		}
	}
	return n
}

// arrive notes a call and gives it what the fault has for it.
func (r *Router) arrive(ctx context.Context, method string) error {
	r.mu.Lock()
	r.calls = append(r.calls, Call{Op: method, At: time.Now()})
	r.mu.Unlock()
	f := r.fault.Load()
	if f.Only != "" && f.Only != method {
		return nil
	}
	pause(ctx, f.Wait)
	if err := ctx.Err(); err != nil {
		Wait(100 * time.Millisecond) // who hangs does not answer at the very instant that the caller gives up
		return status.FromContextError(err).Err()
	}
	if f.Code != codes.OK {
		return status.Error(f.Code, "as told")
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (r *Router) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := r.arrive(ctx, base(info.FullMethod)); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func (r *Router) stream(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := r.arrive(s.Context(), base(info.FullMethod)); err != nil {
		return err
	}
	return next(srv, &slowStream{ServerStream: s, router: r})
}

func base(method string) string {
	for i := len(method) - 1; i >= 0; i-- {
		if method[i] == '/' {
			return method[i+1:]
		}
	}
	return method
}

// slowStream pauses before each message but the first.
type slowStream struct {
	grpc.ServerStream
	router *Router
	sent   bool
}

func (s *slowStream) SendMsg(m any) error {
	if s.sent {
		pause(s.Context(), s.router.fault.Load().Between)
	}
	s.sent = true
	return s.ServerStream.SendMsg(m)
}

// feed brings the router's store up to another.
func (r *Router) feed(from *memstore.Store) {
	r.tb.Helper()
	ctx := context.Background() // also while the test is cleaning up
	head, err := from.Head(ctx, Set)
	if err != nil {
		r.tb.Fatal(err)
	}
	have := flags.Version{}
	if h, err := r.Store.Head(ctx, Set); err == nil {
		have = h.Version
	}
	next := flags.Version{Epoch: have.Epoch, Revision: have.Revision + 1}
	if have == head.Version {
		return
	}
	commits, err := from.Commits(ctx, Set, next, head.Version, 0)
	if err != nil {
		r.tb.Fatal(err)
	}
	if err := r.Store.Append(ctx, Set, commits); err != nil {
		r.tb.Fatal(err)
	}
}
