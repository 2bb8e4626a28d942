package openfeature_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"
	"google.golang.org/grpc/test/bufconn"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/openfeature"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// The whole way: a write to a router's store is an event and another answer in an application
// that knows OpenFeature only.
func TestThroughARouter(t *testing.T) {
	src := newSource(t, flag("f", onOff))
	lines := router.Listeners{GRPC: bufconn.Listen(1 << 16), HTTP: bufconn.Listen(1 << 16), Ops: bufconn.Listen(1 << 16)}
	served, ended := router.New(router.Options{Store: src.Store}), make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- served.Serve(ctx, lines) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}()
	remote, err := grpcstore.Open("grpc://router:8015", &grpcstore.Options{
		Dial: func(ctx context.Context, _ string) (net.Conn, error) {
			return lines.GRPC.(*bufconn.Listener).DialContext(ctx)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = remote.Close() }()
	client, err := flags.New(t.Context(), flags.Options{Primary: flags.Layer{Source: remote, Watcher: remote, Timeout: time.Minute}, StartTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	if err := of.SetNamedProviderAndWait("through-a-router", openfeature.NewProvider(client)); err != nil {
		t.Fatal(err)
	}
	defer of.Shutdown()
	c := of.NewClient("through-a-router")
	changed := make(chan []string, 16)
	handler := func(d of.EventDetails) { changed <- d.FlagChanges }
	c.AddHandler(of.ProviderConfigChange, &handler)
	if d, err := c.BooleanValueDetails(t.Context(), "f", true, of.EvaluationContext{}); d.Value || err != nil {
		t.Fatalf("before the write: %+v, %v", d, err)
	}
	token := src.apply(t, flags.OpChange, flag("f", `{"variants":{"on":true,"off":false},"defaultVariant":"on"}`))
	select {
	case keys := <-changed:
		if !slices.Equal(keys, []string{"f"}) {
			t.Errorf("changed: %q", keys)
		}
	case <-time.After(time.Minute):
		t.Fatal("no event a minute after a write")
	}
	d, err := c.BooleanValueDetails(t.Context(), "f", false, of.EvaluationContext{})
	if !d.Value || err != nil || d.FlagMetadata[openfeature.MetadataRevision] != token.String() {
		t.Errorf("after the event: %+v, %v; want revision %s", d, err, token)
	}
}
