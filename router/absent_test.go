package router_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/reststore"
)

// TestAbsentSet: who follows a set that is not there yet has it by the same stream once
// it is created, over either protocol, and no client has a router wait for any number of names.
func TestAbsentSet(t *testing.T) {
	for _, name := range []string{"grpc", "rest"} {
		t.Run(name, func(t *testing.T) {
			mem := memstore.New(nil) // and a router of its own: names are counted by client, and all here have one address
			r := serve(t, router.Options{Store: mem})
			admin := r.client(t)
			var client flags.Watcher = admin
			if name == "rest" {
				rest, err := reststore.Open("rest+http://router", &reststore.Options{
					HeadTimeout: time.Minute,
					Dial:        func(ctx context.Context, _ string) (net.Conn, error) { return r.http.DialContext(ctx) },
				})
				if err != nil {
					t.Fatal(err)
				}
				defer rest.Close()
				client = rest
			}
			stream := awaited(t, client, name)
			head := write(t, mem, create(t, mem, name).Set, 1)
			for at := (flags.Head{}); at != head; {
				ev, err := stream.Next()
				if err != nil || ev.Reset != "" {
					t.Fatalf("%+v, %v", ev, err)
				}
				at = ev.Head
			}
			if ack := (flags.Ack{Head: head}); stream.Applied(ack) != nil {
				t.Error("the stream takes no acknowledgement")
			}
			eventually(t, "the acknowledgement", time.Minute, func() bool {
				clients, err := admin.Clients(t.Context(), name)
				return err == nil && len(clients) == 1 && clients[0].Applied.Head.Version == head.Version
			})
			bounded(t, client)
		})
	}
}

// awaited opens a stream of a set that is not there.
func awaited(t *testing.T, client flags.Watcher, set string) flags.Stream {
	t.Helper()
	stream, err := client.Watch(t.Context(), set, flags.Head{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close() })
	if ev, err := stream.Next(); err != nil || !ev.Absent || !ev.Head.IsZero() {
		t.Fatalf("%+v, %v; want that there is no such set", ev, err)
	}
	return stream
}

// bounded wants one client to be able to wait for some names, and no more.
func bounded(t *testing.T, client flags.Watcher) {
	t.Helper()
	var streams []flags.Stream
	for i := range 16 {
		streams = append(streams, awaited(t, client, fmt.Sprint("never", i)))
	}
	awaited(t, client, "never3") // is waited for already
	for range 3 {
		if _, err := client.Watch(t.Context(), "once-more", flags.Head{}); flags.ClassOf(err) != flags.ClassNotFound {
			t.Fatalf("a name too many: %v", err)
		}
	}
	if err := streams[7].Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a place for another name", time.Minute, func() bool {
		stream, err := client.Watch(t.Context(), "once-more", flags.Head{})
		if err != nil {
			return false
		}
		return stream.Close() == nil
	})
}
