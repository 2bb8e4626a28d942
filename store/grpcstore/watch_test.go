package grpcstore_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// flagBytes is a flag definition of about the usual size, and hard to compress.
func flagBytes(n int) []byte {
	return fmt.Appendf(nil, `{"defaultVariant":"v","description":"%x","state":"ENABLED","variants":{"v":%d}}`, flags.EntryHash(flags.FlagKey("x"), fmt.Append(nil, n)).Bytes(), n)
}

// fill creates the set with so many flags.
func fill(t testing.TB, s store.Store, count int) flags.Head {
	t.Helper()
	c := flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate}
	for i := range count {
		c.Changes = append(c.Changes, flags.Mutation{Key: flags.FlagKey(fmt.Sprintf("flag-%05d", i)), Bytes: flagBytes(i)})
	}
	accepted, err := s.Apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return accepted.Head()
}

// write changes one flag.
func write(t testing.TB, s store.Store, set string, n int) flags.Head {
	t.Helper()
	accepted, err := s.Apply(t.Context(), flags.Commit{
		Set: set, ID: flags.NewCommitID(), Actor: flags.Actor{Kind: "user", ID: "ana", Via: "flagctl"},
		Changes: []flags.Mutation{{Key: flags.FlagKey("flag-00000"), Bytes: flagBytes(1_000_000 + n)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return accepted.Head()
}

// follow applies events until the contents are at a version.
func follow(t testing.TB, stream flags.Stream, contents *flags.Contents, until flags.Version) *flags.Contents {
	t.Helper()
	for contents.Head().Version.Before(until) {
		ev, err := stream.Next()
		if err != nil {
			t.Fatalf("at %s: %v", contents.Head().Token(), err)
		}
		contents = install(t, contents, ev.Update)
	}
	return contents
}

func install(t testing.TB, contents *flags.Contents, u flags.Update) *flags.Contents {
	t.Helper()
	if u.Checkpoint != nil {
		contents = flags.ContentsOf(u.Checkpoint)
	}
	for i := range u.Commits {
		if err := contents.Apply(&u.Commits[i]); err != nil {
			t.Fatal(err)
		}
	}
	return contents
}

// wired serves st on real TCP behind a proxy that counts and breaks.
func wired(t testing.TB, st store.Store, opts flagsvc.Options) (*faultnet.Proxy, *grpcstore.Store) {
	t.Helper()
	lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, lis, st, opts)
	proxy, err := faultnet.Listen(lis.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	s, err := grpcstore.Open("grpc://"+proxy.Addr(), &grpcstore.Options{HeadTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return proxy, s
}

// TestReconnectCost: who was away for ten commits gets ten commits, on the wire.
func TestReconnectCost(t *testing.T) {
	const count, away, most = 10_000, 10, 16 << 10
	mem := memstore.New(nil)
	fill(t, mem, count)
	proxy, s := wired(t, mem, flagsvc.Options{})

	stream, err := s.Watch(t.Context(), "shop", flags.Head{})
	if err != nil {
		t.Fatal(err)
	}
	contents := follow(t, stream, flags.NewContents("shop"), flags.Version{Revision: 1})
	whole := proxy.Stats().Down
	_ = stream.Close()
	// Its connection is gone as well, so that a new one is counted whole.
	_ = s.Close()

	var last flags.Head
	for i := range away {
		last = write(t, mem, "shop", i)
	}
	before := proxy.Stats()
	s, err = grpcstore.Open("grpc://"+proxy.Addr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	stream, err = s.Watch(t.Context(), "shop", contents.Head())
	if err != nil {
		t.Fatal(err)
	}
	contents = follow(t, stream, contents, last.Version)
	_ = stream.Close()
	after := proxy.Stats()
	moved := after.Down - before.Down + after.Up - before.Up
	t.Logf("first load %d bytes down; reconnect after %d commits %d bytes both ways", whole, away, moved)
	if contents.Head() != last {
		t.Fatalf("arrived at %+v, want %+v", contents.Head(), last)
	}
	if moved >= most {
		t.Errorf("reconnect moved %d bytes, want less than %d", moved, most)
	}
	if whole < 100*most/16 {
		t.Errorf("the first load moved %d bytes only: it cannot have been the whole set", whole)
	}
}

// TestCutAnywhere: a connection that ends at any byte of a snapshot leaves
// nothing behind that could be installed.
func TestCutAnywhere(t *testing.T) {
	mem := memstore.New(nil)
	head := fill(t, mem, 200)
	proxy, s := wired(t, mem, flagsvc.Options{})
	whole := load(t, s)
	if whole == nil || whole.Head() != head {
		t.Fatalf("unbroken load gave %+v", whole)
	}
	total := proxy.Stats().Down
	step := max(total/150, 1)
	cuts, empty := 0, 0
	for at := int64(1); at < total; at += step {
		if err := proxy.Set(faultnet.Faults{Mode: faultnet.Refuse}); err != nil { // end what is open
			t.Fatal(err)
		}
		if err := proxy.Set(faultnet.Faults{Down: faultnet.Path{CutAfter: at}}); err != nil {
			t.Fatal(err)
		}
		s.ResetConnectBackoff()
		cuts++
		got := load(t, s)
		if got == nil {
			empty++
			continue
		}
		if got.Head() != head || got.Checkpoint().Verify() != nil {
			t.Fatalf("cut at byte %d of %d: %+v was installed", at, total, got.Head())
		}
	}
	if empty < cuts/2 {
		t.Errorf("%d of %d cuts stopped a load: the cuts do not cut", empty, cuts)
	}
}

// load reads the whole set by Fetch or by Watch, in turns; nil if it failed.
func load(t testing.TB, s *grpcstore.Store) *flags.Contents {
	t.Helper()
	if u, err := s.Fetch(t.Context(), "shop", flags.Head{}); err == nil {
		return install(t, flags.NewContents("shop"), u)
	} else if flags.ClassOf(err) != flags.ClassTransient {
		t.Fatalf("class %s of %v", flags.ClassOf(err), err)
	}
	stream, err := s.Watch(t.Context(), "shop", flags.Head{})
	if err != nil {
		return nil
	}
	defer func() { _ = stream.Close() }()
	for {
		ev, err := stream.Next()
		if err != nil {
			return nil
		}
		if ev.Checkpoint != nil {
			return install(t, flags.NewContents("shop"), ev.Update)
		}
	}
}

// TestAsOf: a heartbeat bounds the age of what a client holds by its own clock.
func TestAsOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, s := pair(t, grpcstore.Options{})
		head := fill(t, mem, 3)
		stream, err := s.Watch(t.Context(), "shop", head)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = stream.Close() }()
		last := time.Time{}
		for range 20 {
			ev, err := stream.Next()
			if err != nil {
				t.Fatal(err)
			}
			if ev.Head.Version != head.Version || ev.AsOf.Before(last) || ev.AsOf.After(time.Now()) {
				t.Fatalf("heartbeat %+v after one as of %v", ev, last)
			}
			if age := time.Since(ev.AsOf); age > 1100*time.Millisecond {
				t.Fatalf("heartbeat is %v old on a line without delay", age)
			}
			last = ev.AsOf
		}
	})
}

// TestSilence: a router that goes quiet without closing is given up on after the
// bulk deadline, but a reader that takes its time is not taken for silence.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		head := fill(t, mem, 3)
		lis := serve(t, mem, flagsvc.Options{})
		proxy := faultnet.Wrap(lis.DialContext)
		s, err := grpcstore.Open("grpc://router:8015", &grpcstore.Options{
			Dial: func(ctx context.Context, _ string) (net.Conn, error) { return proxy.Dial(ctx) },
		})
		if err != nil {
			t.Fatal(err)
		}
		stream, err := s.Watch(t.Context(), "shop", head)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute / 4) // virtual: the reader is busy
		if _, err := stream.Next(); err != nil {
			t.Fatalf("after a pause of the reader: %v", err)
		}
		if err := proxy.Set(faultnet.Faults{Mode: faultnet.Pass, Down: faultnet.Path{Drop: true}}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for err == nil {
			_, err = stream.Next()
		}
		wantClass(t, err, flags.ClassTransient)
		if took := time.Since(began); took > 31*time.Second {
			t.Errorf("silence was noticed after %v", took)
		}
		_ = s.Close()
		_ = proxy.Close()
	})
}

// TestBusyReader: a reader that is busy for minutes, with more waiting for it than
// is read ahead, finds the stream alive and everything in it.
func TestBusyReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, s := pair(t, grpcstore.Options{})
		head := fill(t, mem, 1)
		stream, err := s.Watch(t.Context(), "shop", head)
		if err != nil {
			t.Fatal(err)
		}
		u, err := s.Fetch(t.Context(), "shop", flags.Head{})
		if err != nil {
			t.Fatal(err)
		}
		contents := install(t, flags.NewContents("shop"), u)
		var last flags.Head
		for i := range 12 { // 4.8 MB in all
			random := make([]byte, 400_000)
			_, _ = rand.Read(random) // never fails
			text := base64.StdEncoding.EncodeToString(random)
			accepted, err := mem.Apply(t.Context(), flags.Commit{Set: "shop", ID: flags.NewCommitID(), Changes: []flags.Mutation{{
				Key: flags.FlagKey(fmt.Sprint(i)), Bytes: fmt.Appendf(nil, `{"defaultVariant":"v","description":"%s","state":"ENABLED","variants":{"v":1}}`, text),
			}}})
			if err != nil {
				t.Fatal(err)
			}
			last = accepted.Head()
			synctest.Wait()
		}
		time.Sleep(3 * time.Minute)
		if contents = follow(t, stream, contents, last.Version); contents.Head() != last {
			t.Errorf("arrived at %+v, want %+v", contents.Head(), last)
		}
		_ = stream.Close()
	})
}

// TestDrain: a router that leaves says so, and when to come back.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		head := fill(t, mem, 3)
		lis := serve(t, mem, flagsvc.Options{WatchFor: time.Minute})
		s := dial(t, lis, grpcstore.Options{})
		stream, err := s.Watch(t.Context(), "shop", head)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var retry time.Duration
		for err == nil {
			var ev flags.Event
			if ev, err = stream.Next(); ev.RetryAfter > 0 {
				retry = ev.RetryAfter
			}
		}
		if took := time.Since(began); took != time.Minute || retry <= 0 || retry > 2*time.Second {
			t.Errorf("drained after %v, to come back after %v", took, retry)
		}
		wantClass(t, err, flags.ClassTransient)
		var se *flags.SourceError
		if !errors.As(err, &se) {
			t.Errorf("%T is not a *flags.SourceError", err)
		}
	})
}
