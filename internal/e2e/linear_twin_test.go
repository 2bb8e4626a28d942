package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	flagrouter "github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// earlyEnv is the file of the test binary's store, when a test starts it as a
// router that acknowledges too early; earlyGRPC and earlyOps are its addresses.
const (
	earlyEnv  = "HOLDFAST_E2E_EARLY"
	earlyGRPC = "HOLDFAST_E2E_EARLY_GRPC"
	earlyOps  = "HOLDFAST_E2E_EARLY_OPS"
)

// newEarlyRouter prepares a router that acknowledges writes which are in its
// memory only, and puts them on disk a moment later.
func newEarlyRouter(t *testing.T, path string) *router {
	t.Helper()
	r := newRouter(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r.exe = exe
	r.env = []string{earlyEnv + "=" + path, earlyGRPC + "=" + r.grpc, earlyOps + "=" + r.ops}
	return r
}

// serveEarly is the process of such a router. It ends by being killed.
func serveEarly() int {
	err := func() error {
		disk, err := boltstore.Open(os.Getenv(earlyEnv), &boltstore.Options{LockTimeout: 10 * time.Second})
		if err != nil {
			return err
		}
		ctx, memory := context.Background(), memstore.New(nil)
		if err := copyAll(ctx, disk, memory); err != nil {
			return err
		}
		go func() {
			for range time.Tick(50 * time.Millisecond) {
				if err := copyAll(ctx, memory, disk); err != nil {
					fmt.Fprintln(os.Stderr, err)
				}
			}
		}()
		var on flagrouter.Listeners
		var config net.ListenConfig
		if on.GRPC, err = config.Listen(ctx, "tcp", os.Getenv(earlyGRPC)); err != nil {
			return err
		}
		if on.Ops, err = config.Listen(ctx, "tcp", os.Getenv(earlyOps)); err != nil {
			return err
		}
		return flagrouter.New(flagrouter.Options{Store: memory}).Serve(ctx, on)
	}()
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// copyAll brings every set of one store to the other, commit by commit.
func copyAll(ctx context.Context, from store.Store, to store.Replica) error {
	heads, err := from.Sets(ctx)
	if err != nil {
		return err
	}
	for _, head := range heads {
		at, err := to.Head(ctx, head.Set)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		for at.Version.Before(head.Version) {
			next := flags.Version{Epoch: at.Epoch, Revision: at.Revision + 1}
			commits, err := from.Commits(ctx, head.Set, next, head.Version, 0)
			if err == nil {
				err = to.Append(ctx, head.Set, commits)
			}
			if err != nil {
				return err
			}
			at = commits[len(commits)-1].Head()
		}
	}
	return nil
}
