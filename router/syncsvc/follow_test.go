package syncsvc_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/router/syncsvc"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// TestNeverBack: whatever a client is sent, by one router or the next, is never
// older than what it was sent before, while others write and routers come and go.
func TestNeverBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{})
		const rounds, writes = 6, 20
		var seen flags.Token
		for round := range rounds {
			s, doc := r.follow(r.client(), "")
			var wg sync.WaitGroup
			wg.Go(func() {
				for i := range writes {
					r.write(round*writes + i)
				}
			})
			for doc.token.Revision < uint64((round+1)*writes+1) {
				if doc.token.Before(seen.Version) {
					t.Fatalf("%s after %s", doc.token, seen)
				}
				if n := get(doc.root, "flags.n.variants.v"); uint64(n.Float())+2 != doc.token.Revision && doc.token.Revision > 1 {
					t.Fatalf("%s has %s: a set that never was", doc.token, n)
				}
				seen, doc = doc.token, next(t, s)
			}
			wg.Wait()
			r.stop()
			r.serve(setup{})
		}
	})
}

// lagging is a store whose streams stand still while it is held.
type lagging struct {
	*memstore.Store
	mu   sync.Mutex
	held chan struct{} // nil: not held
}

func (l *lagging) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = make(chan struct{})
}

func (l *lagging) free() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		close(l.held)
		l.held = nil
	}
}

func (l *lagging) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	s, err := l.Store.Watch(ctx, set, have)
	return &laggingStream{s, l, ctx}, err
}

type laggingStream struct {
	flags.Stream
	of  *lagging
	ctx context.Context
}

func (s *laggingStream) Next() (flags.Event, error) {
	ev, err := s.Stream.Next()
	s.of.mu.Lock()
	held := s.of.held
	s.of.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-s.ctx.Done():
		}
	}
	return ev, err
}

// behind runs a test with a client that has seen more of a set than the router has,
// which the store's head tells the router, or the client's token.
func behind(t *testing.T, heads, token bool, test func(l *lagging, s stream, seen flags.Head)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &lagging{}
		r := newRig(t, setup{})
		r.stop()
		l.Store = r.store
		s := setup{store: l}
		if heads {
			s.sync = syncsvc.Options{Heads: r.store}
		}
		r.serve(s)
		r.follow(r.client(), "") // it has the set from before
		l.hold()
		defer l.free()
		seen := r.write(1)
		synctest.Wait()
		ctx := t.Context()
		if token {
			ctx = metadata.AppendToOutgoingContext(ctx, "holdfast-revision", seen.Token().String())
		}
		again, err := r.client().SyncFlags(ctx, &pb.SyncFlagsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		test(l, again, seen)
	})
}

// TestBehind: a router that is behind what a client has seen, by its token or from
// another router of the same store, sends nothing until it is not.
func TestBehind(t *testing.T) {
	for _, how := range []struct{ heads, token bool }{{true, false}, {false, true}, {true, true}} {
		behind(t, how.heads, how.token, func(l *lagging, s stream, seen flags.Head) {
			time.AfterFunc(2*time.Second, func() { l.free() })
			if got := next(t, s); got.token.Before(seen.Version) {
				t.Errorf("%+v: sent %s to a client that has seen %s", how, got.token, seen.Token())
			}
		})
		behind(t, how.heads, how.token, func(_ *lagging, s stream, _ flags.Head) {
			if _, err := s.Recv(); status.Code(err) != codes.Unavailable {
				t.Errorf("%+v: of a router that stays behind: %v", how, err)
			}
		})
	}
}

// TestBehindIsSeen is its twin: a router that is not told sends what it has.
func TestBehindIsSeen(t *testing.T) {
	behind(t, false, false, func(_ *lagging, s stream, seen flags.Head) {
		if got := next(t, s); !got.token.Before(seen.Version) {
			t.Errorf("sent %s: the router was not behind %s", got.token, seen.Token())
		}
	})
}

// large is a flag of so many bytes.
func large(key string, n, size int) flags.Mutation {
	return put(key, fmt.Sprintf(`{"v":"%d %s"}`, n, strings.Repeat("x", size)), "v")
}

// TestStuck: a client that does not receive delays nobody, skips what came
// meanwhile, and is cut off when it has not taken a document for too long.
func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{})
		stuck, _ := r.follow(r.client(), "")
		slow, _ := r.follow(r.client(), "")
		quick, _ := r.follow(r.client(), "")
		last, took := r.writeMuch(quick)
		if took > time.Second { // of a clock that stands still unless all wait
			t.Errorf("changes took %v past a client that does not receive", took)
		}
		if n := reach(t, slow, last); n > 5 {
			t.Errorf("%d documents were waiting for a slow client", n)
		}
		time.Sleep(time.Minute)
		received := 0
		var err error
		for ; err == nil; received++ {
			_, err = stuck.Recv()
		}
		if status.Code(err) != codes.ResourceExhausted || received > 5 {
			t.Errorf("after a minute, and %d documents: %v", received, err)
		}
		if n := reach(t, slow, r.write(1)); n != 1 {
			t.Errorf("a client that receives again needed %d messages", n)
		}
	})
}

// writeMuch writes more than a connection takes that nobody reads from, past a client
// that receives, and returns how long that took.
func (r *rig) writeMuch(quick stream) (last flags.Head, took time.Duration) {
	began := time.Now()
	for i := range 24 {
		last = r.apply(flags.Commit{Changes: []flags.Mutation{large("n", i, 80_000)}})
		if n := reach(r.t, quick, last); n != 1 {
			r.t.Fatalf("a client that receives needed %d messages for one change", n)
		}
	}
	return last, time.Since(began)
}

// TestStuckInTurn is its twin: where streams wait for one another, one that does not
// receive delays the others.
func TestStuckInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, setup{sync: syncsvc.Options{}.InTurn()})
		r.follow(r.client(), "")
		quick, _ := r.follow(r.client(), "")
		if _, took := r.writeMuch(quick); took < 5*time.Second {
			t.Errorf("changes took only %v", took)
		}
	})
}

// TestOversize: what clients do not take unless they are told to is served to those
// that were, and said once.
func TestOversize(t *testing.T) {
	var log strings.Builder
	r := newRig(t, setup{sync: syncsvc.Options{Logger: lines(&log)}})
	s, doc := r.follow(r.client(grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20))), "")
	var c flags.Commit
	for i := range 5 {
		c.Changes = append(c.Changes, large(fmt.Sprint("big", i), i, 900_000))
	}
	for head := r.apply(c); doc.token.Before(head.Version); {
		doc = next(t, s)
	}
	if len(doc.text) <= syncsvc.MaxClientBytes || get(doc.root, "flags").Len() != 6 {
		t.Errorf("%d bytes of a set of %d flags", len(doc.text), get(doc.root, "flags").Len())
	}
	reach(t, s, r.write(1))
	if _, err := r.client().FetchAllFlags(t.Context(), &pb.FetchAllFlagsRequest{}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a client as they come: %v", err)
	}
	if sizes := r.svc.Sizes(); len(sizes) != 1 || !sizes[0].Oversize || sizes[0].Bytes <= syncsvc.MaxClientBytes {
		t.Errorf("sizes are %+v", sizes)
	}
	reach(t, s, r.apply(flags.Commit{Changes: []flags.Mutation{{Key: flags.FlagKey("big0")}}}))
	if sizes := r.svc.Sizes(); len(sizes) != 1 || sizes[0].Oversize {
		t.Errorf("sizes are %+v", sizes)
	}
	text := log.String()
	if strings.Count(text, "too large for sync clients") != 1 || strings.Count(text, "small enough") != 1 {
		t.Errorf("the log is %s", text)
	}
}
