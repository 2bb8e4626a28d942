package reststore_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/reststore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

// writable is a client that writes past the API, which is for reading, to the
// store behind the router.
type writable struct {
	*reststore.Store
	behind *memstore.Store
	closed atomic.Bool
}

func (w *writable) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	if w.closed.Load() {
		return c, store.Classify("apply", store.ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return c, &flags.SourceError{Class: flags.ClassCanceled, Op: "apply", Err: fmt.Errorf("%w", err)}
	}
	return w.behind.Apply(ctx, c)
}

func (w *writable) Close() error {
	w.closed.Store(true)
	return w.Store.Close()
}

// TestSuite holds the client, the wire and the service to the contract of stores,
// as far as it is about reading.
func TestSuite(t *testing.T) {
	var behind sync.Map // client -> the store behind its router
	storetest.Run(t, storetest.Harness{
		New: func(t testing.TB) store.Store {
			mem, client := pair(t, reststore.Options{})
			w := &writable{Store: client, behind: mem}
			behind.Store(store.Store(w), mem)
			return w
		},
		Compact: func(t testing.TB, s store.Store, set string) {
			mem, _ := behind.Load(s)
			if err := mem.(*memstore.Store).Compact(t.Context(), set, 10); err != nil {
				t.Fatal(err)
			}
		},
		Except: map[string]string{
			"reopen":                               "the journal is the router's store's; its own driver is held to this",
			"volume/a commit too large is refused": "writes do not go through the API",
			"tamper":                               "the journal is the router's store's; its own driver is held to this",
		},
	})
}
