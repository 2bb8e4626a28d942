package reststore_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/restapi"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/reststore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a router's REST API at work, in memory.
type rig struct {
	*restapi.Service
	hub *hub.Hub
	lis *faultnet.Pipes
}

// serve serves st as a router does.
func serve(t testing.TB, st restapi.Store, opts restapi.Options) *rig {
	t.Helper()
	h := hub.New(st.(hub.Store), nil)
	opts.Store, opts.Hub = st, h
	svc := restapi.New(opts)
	t.Cleanup(h.Close)
	return &rig{Service: svc, hub: h, lis: listen(t, svc)}
}

// listen serves a handler in memory.
func listen(t testing.TB, handler http.Handler) *faultnet.Pipes {
	t.Helper()
	lis := faultnet.NewPipes()
	server := &http.Server{Handler: handler}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(lis) }) // ends with Close
	t.Cleanup(func() {
		_ = server.Close()
		running.Wait()
	})
	return lis
}

// dial opens a client of lis.
func dial(t testing.TB, lis *faultnet.Pipes, opts reststore.Options) *reststore.Store {
	t.Helper()
	if opts.Dial == nil {
		opts.Dial = func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }
	}
	s, err := reststore.Open("rest+http://router:8016", &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// pair returns a store in memory and a client of a router over it.
func pair(t testing.TB, opts reststore.Options) (*memstore.Store, *reststore.Store) {
	t.Helper()
	mem := memstore.New(nil)
	t.Cleanup(func() { _ = mem.Close() })
	return mem, dial(t, serve(t, mem, restapi.Options{}).lis, opts)
}

func create(t testing.TB, st store.Writer, set string) flags.Head {
	t.Helper()
	return apply(t, st, flags.Commit{Set: set, Op: flags.OpCreate})
}

func write(t testing.TB, st store.Writer, set, text string) flags.Head {
	t.Helper()
	def := []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":"` + text + `"}}`)
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
