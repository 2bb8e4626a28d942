package grpcstore_test

import (
	"sync"
	"testing"

	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

// TestSuite holds the client, the wire and the service to the contract of stores.
func TestSuite(t *testing.T) {
	var behind sync.Map // client -> the store behind its router
	storetest.Run(t, storetest.Harness{
		New: func(t testing.TB) store.Store {
			mem, client := pair(t, grpcstore.Options{})
			behind.Store(client, mem)
			return client
		},
		Compact: func(t testing.TB, s store.Store, set string) {
			mem, _ := behind.Load(s)
			if err := mem.(*memstore.Store).Compact(t.Context(), set, 10); err != nil {
				t.Fatal(err)
			}
		},
		Except: map[string]string{
			"reopen": "the journal is the router's store's; its own driver is held to this",
			"tamper": "the journal is the router's store's; its own driver is held to this",
		},
	})
}
