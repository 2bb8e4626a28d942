package e2e

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/test/bufconn"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	flagrouter "github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// TestEventsOfStreams: whoever follows a set gets each commit in order, once, and
// all of them, or a checkpoint in place of those that are forgotten; and goes on
// after a cut, wherever that is, from what it had. The journal forgets as it goes,
// so that those who were away find feeds, journal and nothing.
func TestEventsOfStreams(t *testing.T) {
	events := uint64(20_000)
	if os.Getenv("HOLDFAST_LONG") != "" {
		events = 1_000_000
	}
	w := newStreamWorld(t, &memstore.Options{KeepCommits: 1500})
	ctx, fail := context.WithCancel(t.Context())
	defer fail()
	// The writer keeps within sight of the one that keeps up.
	window := make(chan struct{}, 200)
	followers := map[string]func(*rand.Rand, flags.Event) (bool, uint64){
		"keeps up": func(_ *rand.Rand, ev flags.Event) (bool, uint64) {
			for range ev.Commits {
				<-window
			}
			return false, 0
		},
		"never cut":          func(*rand.Rand, flags.Event) (bool, uint64) { return false, 0 },
		"cut at every event": func(*rand.Rand, flags.Event) (bool, uint64) { return true, 0 },
		"cut at times":       func(r *rand.Rand, _ flags.Event) (bool, uint64) { return r.IntN(50) == 0, 0 },
		"away for long":      func(r *rand.Rand, _ flags.Event) (bool, uint64) { return true, r.Uint64N(4000) },
	}
	var wg sync.WaitGroup
	for name, cut := range followers {
		wg.Go(func() {
			f := &follower{world: w, cut: cut, random: rand.New(rand.NewPCG(1, 2)), contents: flags.NewContents("stream")}
			if err := f.run(ctx, events+1); err != nil {
				t.Errorf("%s: %v", name, err)
				fail()
			}
			t.Logf("%s: %d commits, %d checkpoints, %d cuts", name, f.commits, f.checkpoints, f.cuts)
			if name == "keeps up" && f.commits != events {
				t.Errorf("%s: %d commits of %d came", name, f.commits, events)
			}
			if strings.Contains(name, "at every") && f.cuts < 10 || strings.Contains(name, "away") && f.checkpoints < 2 {
				t.Errorf("%s: this shows nothing", name)
			}
		})
	}
	for range events {
		select {
		case window <- struct{}{}:
			w.write()
		case <-ctx.Done():
		}
	}
	wg.Wait()
}

// TestCutAtEveryEvent: one commit, one event, one cut, as often as it takes.
func TestCutAtEveryEvent(t *testing.T) {
	events := uint64(1000)
	if os.Getenv("HOLDFAST_LONG") != "" {
		events = 100_000
	}
	w := newStreamWorld(t, nil)
	always := func(*rand.Rand, flags.Event) (bool, uint64) { return true, 0 }
	f := &follower{world: w, cut: always, contents: flags.NewContents("stream")}
	for i := range events {
		if err := f.run(t.Context(), i+1); err != nil {
			t.Fatal(err)
		}
		w.write()
	}
	if err := f.run(t.Context(), events+1); err != nil {
		t.Fatal(err)
	}
	if f.commits != events || f.checkpoints != 1 || f.cuts < events {
		t.Errorf("%d commits, %d checkpoints, %d cuts in %d events", f.commits, f.checkpoints, f.cuts, events)
	}
	matrix.Tally(t, "F25", int(f.cuts), 0)
}

// TestFollowersFindWhatIsWrong is the twin of both: streams that are not as they
// should be, each in its own way, are found out.
func TestFollowersFindWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func([]flags.Commit) []flags.Commit
		want  error
	}{
		{"lost", func(c []flags.Commit) []flags.Commit { return c[1:] }, errNotReliable},
		{"twice", func(c []flags.Commit) []flags.Commit { return append(c[:1:1], c...) }, errNotUnique},
		{"swapped", func(c []flags.Commit) []flags.Commit { c[0], c[1] = c[1], c[0]; return c }, errNotReliable},
		{"repeated later", func(c []flags.Commit) []flags.Commit { return append(c, c[0]) }, errNotUnique},
		{"forged", func(c []flags.Commit) []flags.Commit { c[0].ID[9]++; return c }, errNotReliable},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newStreamWorld(t, nil)
			always := func(*rand.Rand, flags.Event) (bool, uint64) { return true, 0 }
			f := &follower{world: w, contents: flags.NewContents("stream"), cut: always}
			if err := f.run(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			for range 10 {
				w.write()
			}
			other := &follower{world: w, contents: flags.NewContents("stream"), cut: always}
			if err := other.run(t.Context(), 11); err != nil { // so that all of it comes in one piece
				t.Fatal(err)
			}
			f.spoil = c.spoil
			if err := f.run(t.Context(), 11); !errors.Is(err, c.want) {
				t.Errorf("found %v, want %v", err, c.want)
			}
		})
	}
}

// streamWorld is a router in memory with a set that one writer writes to. Its
// commits carry their number in their id.
type streamWorld struct {
	t       testing.TB
	mem     *memstore.Store
	client  *grpcstore.Store
	written atomic.Uint64
	mu      sync.Mutex
	more    chan struct{} // closed and replaced when something was written
}

func newStreamWorld(t testing.TB, opts *memstore.Options) *streamWorld {
	t.Helper()
	w := &streamWorld{t: t, mem: memstore.New(opts), more: make(chan struct{})}
	lis, ended := bufconn.Listen(1<<20), make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	r := flagrouter.New(flagrouter.Options{Store: w.mem})
	go func() { ended <- r.Serve(ctx, flagrouter.Listeners{GRPC: lis}) }()
	var err error
	w.client, err = grpcstore.Open("grpc://router:8015", &grpcstore.Options{
		HeadTimeout: time.Minute, // this is about what comes, not when
		Dial:        func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.client.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	w.apply(flags.Commit{Op: flags.OpCreate})
	return w
}

func (w *streamWorld) write() {
	n := w.written.Load() + 1
	bytes := fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, n)
	w.apply(flags.Commit{Changes: []flags.Mutation{{Key: flags.FlagKey(fmt.Sprintf("f%d", n%20)), Bytes: bytes}}})
}

func (w *streamWorld) apply(c flags.Commit) {
	w.t.Helper()
	n := w.written.Load() + 1
	c.Set, c.ID = "stream", idAt(n)
	if _, err := w.mem.Apply(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
	w.written.Store(n)
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.more)
	w.more = make(chan struct{})
}

func idAt(revision uint64) (id flags.CommitID) {
	binary.BigEndian.PutUint64(id[8:], revision)
	return id
}

// await returns when a revision was written.
func (w *streamWorld) await(ctx context.Context, revision uint64) error {
	for {
		w.mu.Lock()
		more := w.more
		w.mu.Unlock()
		if w.written.Load() >= revision {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// What streams owe their readers.
var (
	errNotUnique    = errors.New("came twice")
	errNotReliable  = errors.New("is not what comes next")
	errNotResumable = errors.New("does not lead on from where the follower was")
)

// follower follows the set and checks all that it is told.
type follower struct {
	world    *streamWorld
	random   *rand.Rand
	cut      func(*rand.Rand, flags.Event) (cut bool, away uint64)
	spoil    func([]flags.Commit) []flags.Commit // sabotage: what becomes of commits on their way
	contents *flags.Contents

	commits, checkpoints, cuts uint64
}

// run follows until a revision has come, through cuts.
func (f *follower) run(ctx context.Context, revision uint64) error {
	for f.contents.Head().Revision < revision {
		away, err := f.follow(ctx, revision)
		if err != nil {
			return err
		}
		at := f.contents.Head().Revision
		if err := f.world.await(ctx, min(at+away, revision)); err != nil {
			return err
		}
	}
	return nil
}

// follow opens one stream and reads from it until it is cut.
func (f *follower) follow(ctx context.Context, revision uint64) (away uint64, err error) {
	stream, err := f.world.client.Watch(ctx, "stream", f.contents.Head())
	if err != nil {
		return 0, err
	}
	defer stream.Close()
	for f.contents.Head().Revision < revision {
		ev, err := stream.Next()
		if err != nil {
			return 0, err
		}
		if err := f.take(ev); err != nil {
			return 0, err
		}
		if cut, away := f.cut(f.random, ev); cut || ev.RetryAfter > 0 {
			f.cuts++
			return away, nil
		}
	}
	return 0, nil
}

func (f *follower) take(ev flags.Event) error {
	have := f.contents.Head()
	if cp := ev.Checkpoint; cp != nil {
		if cp.Version.Before(have.Version) || have.Lineage != "" && cp.Lineage != have.Lineage {
			return fmt.Errorf("%s after %s: %w", cp.Token(), have.Token(), errNotResumable)
		}
		if err := cp.Verify(); err != nil {
			return err
		}
		f.contents = flags.ContentsOf(cp)
		f.checkpoints++
	}
	if f.spoil != nil && len(ev.Commits) > 1 {
		ev.Commits = f.spoil(ev.Commits)
	}
	for i := range ev.Commits {
		c := &ev.Commits[i]
		at := f.contents.Head()
		if !at.Version.Before(c.Version) {
			return fmt.Errorf("%s %w: follower is at %s", c.Version, errNotUnique, at.Version)
		}
		if c.Revision != at.Revision+1 || c.ID != idAt(c.Revision) {
			return fmt.Errorf("%s (%s) %w after %s", c.Version, c.ID, errNotReliable, at.Version)
		}
		if err := f.contents.Apply(c); err != nil { // checks the digest
			return err
		}
		f.commits++
	}
	if ev.Head.Version != f.contents.Head().Version {
		return fmt.Errorf("event says %s, its contents lead to %s", ev.Head.Version, f.contents.Head().Version)
	}
	return nil
}
