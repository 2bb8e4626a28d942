package router_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run has a router serve until the test ends or stop is called, which waits for its end.
func run(t testing.TB, r *router.Router, on router.Listeners) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(ctx, on) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// listen opens a port of this machine.
func listen(t testing.TB) net.Listener {
	t.Helper()
	lis, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return lis
}

// served is a router at work, in memory.
type served struct {
	*router.Router
	grpc, eval, http, ops *faultnet.Pipes
	stop                  func()
}

func serve(t testing.TB, opts router.Options) *served {
	t.Helper()
	s := &served{
		Router: router.New(opts),
		grpc:   faultnet.NewPipes(), eval: faultnet.NewPipes(), http: faultnet.NewPipes(), ops: faultnet.NewPipes(),
	}
	s.stop = run(t, s.Router, router.Listeners{GRPC: s.grpc, Eval: s.eval, HTTP: s.http, Ops: s.ops})
	return s
}

func (s *served) client(t testing.TB) *grpcstore.Store {
	t.Helper()
	c, err := grpcstore.Open("grpc://router:8015", &grpcstore.Options{
		Identity: grpcstore.Identity{Name: "app"}, HeadTimeout: time.Minute,
		Dial: func(ctx context.Context, _ string) (net.Conn, error) { return s.grpc.DialContext(ctx) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func create(t testing.TB, st store.Writer, set string) flags.Head {
	t.Helper()
	return apply(t, st, flags.Commit{Set: set, Op: flags.OpCreate})
}

func write(t testing.TB, st store.Writer, set string, n int) flags.Head {
	t.Helper()
	def := fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, n)
	return apply(t, st, flags.Commit{Set: set, Changes: []flags.Mutation{{Key: flags.FlagKey("n"), Bytes: def}}})
}

func apply(t testing.TB, st store.Writer, c flags.Commit) flags.Head {
	t.Helper()
	c.ID = flags.NewCommitID()
	accepted, err := st.Apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return accepted.Head()
}

// eventually waits for what other goroutines bring about. Within a synctest
// bubble it costs no time.
func eventually(t testing.TB, what string, limit time.Duration, holds func() bool) {
	t.Helper()
	end := time.NewTimer(limit)
	defer end.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-end.C:
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// breakable is a replica and a sink that can be out of order in several ways.
type breakable struct {
	*memstore.Store
	mu      sync.Mutex
	err     error
	hang    bool
	delay   time.Duration // of each append
	appends int           // commits
	seeds   int
}

func newBreakable() *breakable { return &breakable{Store: memstore.New(nil)} }

func (b *breakable) set(err error, hang bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err, b.hang = err, hang
}

func (b *breakable) fault(ctx context.Context) error {
	b.mu.Lock()
	err, hang := b.err, b.hang
	b.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (b *breakable) Head(ctx context.Context, set string) (flags.Head, error) {
	if err := b.fault(ctx); err != nil {
		return flags.Head{}, err
	}
	return b.Store.Head(ctx, set)
}

func (b *breakable) Append(ctx context.Context, set string, commits []flags.Commit) error {
	if err := b.fault(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	b.appends += len(commits)
	delay := b.delay
	b.mu.Unlock()
	<-time.After(delay) // a slow place, not a wait for anything
	return b.Store.Append(ctx, set, commits)
}

func (b *breakable) Seed(ctx context.Context, cp *flags.Checkpoint) error {
	if err := b.fault(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	b.seeds++
	b.mu.Unlock()
	return b.Store.Seed(ctx, cp)
}

func (b *breakable) at(t testing.TB, set string) flags.Head {
	t.Helper()
	head, err := b.Store.Head(context.Background(), set)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return head
}

var errDown = &flags.SourceError{Class: flags.ClassTransient, Op: "test", Err: errors.New("out of order")}
