package hub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shaky is a store that can be unplugged, or exchanged for another.
type shaky struct {
	mu      sync.Mutex
	store   *memstore.Store
	down    error
	streams []flags.Stream
	heads   atomic.Int64
	open    atomic.Int64 // streams
}

type counted struct {
	flags.Stream
	over func()
}

func (c *counted) Close() error {
	c.over()
	return c.Stream.Close()
}

func (s *shaky) now() (*memstore.Store, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store, s.down
}

func (s *shaky) Head(ctx context.Context, set string) (flags.Head, error) {
	s.heads.Add(1)
	st, err := s.now()
	if err != nil {
		return flags.Head{}, err
	}
	return st.Head(ctx, set)
}

func (s *shaky) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	st, err := s.now()
	if err != nil {
		return flags.Update{}, err
	}
	return st.Fetch(ctx, set, have)
}

func (s *shaky) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	st, err := s.now()
	if err != nil {
		return nil, err
	}
	stream, err := st.Watch(ctx, set, have)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams = append(s.streams, stream)
	s.open.Add(1)
	return &counted{stream, sync.OnceFunc(func() { s.open.Add(-1) })}, nil
}

// plug replaces store and fault, and ends the open streams.
func (s *shaky) plug(st *memstore.Store, down error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store, s.down = st, down
	for _, stream := range s.streams {
		_ = stream.Close()
	}
	s.streams = nil
}

var errDown = &flags.SourceError{Class: flags.ClassTransient, Op: "test", Err: errors.New("unplugged")}

func create(t *testing.T, st *memstore.Store) {
	t.Helper()
	if _, err := st.Apply(t.Context(), flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate}); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, st *memstore.Store, n int) flags.Head {
	t.Helper()
	def := fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, n)
	accepted, err := st.Apply(t.Context(), flags.Commit{
		Set: "shop", ID: flags.NewCommitID(), Changes: []flags.Mutation{{Key: flags.FlagKey("a"), Bytes: def}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return accepted.Head()
}

func TestFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		create(t, mem)
		h := hub.New(&shaky{store: mem}, nil)
		set, err := h.Open(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		var last flags.Head
		for i := range 700 { // more than a feed keeps
			last = write(t, mem, i)
		}
		synctest.Wait()
		if set.Head() != last {
			t.Errorf("hub is at %+v, want %+v", set.Head(), last)
		}
		again, err := h.Open(t.Context(), "shop")
		if err != nil || again != set {
			t.Errorf("a set is followed twice: %v", err)
		}
		if _, err := h.Open(t.Context(), "nothing"); flags.ClassOf(err) != flags.ClassNotFound {
			t.Errorf("a set that does not exist: %v", err)
		}
		if n := len(h.Sets()); n != 1 {
			t.Errorf("%d sets are followed, want 1", n)
		}
		h.Close()
		h.Close()
		if lead := set.Lead(last); !lead.Closed {
			t.Error("the feed is open after the hub was closed")
		}
		if _, err := h.Open(t.Context(), "other"); err == nil {
			t.Error("a closed hub opened a set")
		}
		_ = mem.Close()
	})
}

// TestOutage: without its store the hub keeps what it has, says how old it is,
// and catches up afterwards.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		st := &shaky{store: mem}
		create(t, mem)
		before := write(t, mem, 1)
		h := hub.New(st, nil)
		set, err := h.Open(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		st.plug(mem, errDown)
		for i := range 20 {
			write(t, mem, i)
		}
		time.Sleep(time.Minute)
		set.Confirm(t.Context())
		if set.Head() != before {
			t.Errorf("hub is at %+v, want %+v", set.Head(), before)
		}
		if age := time.Since(set.AsOf()); age < time.Minute {
			t.Errorf("after a minute without the store the head is said to be %v old", age)
		}
		st.plug(mem, nil)
		last := write(t, mem, 100)
		time.Sleep(8 * time.Second) // the longest pause, and its spread
		if set.Head() != last {
			t.Errorf("hub is at %+v, want %+v", set.Head(), last)
		}
		set.Confirm(t.Context())
		if age := time.Since(set.AsOf()); age > time.Second {
			t.Errorf("a confirmed head is %v old", age)
		}
		h.Close()
		_ = mem.Close()
	})
}

// TestRefuses: what a store must never lead the clients of this router to.
func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		log  string
		make func(t *testing.T, was *memstore.Store, head flags.Head) *memstore.Store
	}{
		{"another lineage", "the store now has", func(t *testing.T, _ *memstore.Store, _ flags.Head) *memstore.Store {
			other := memstore.New(nil)
			create(t, other)
			for i := range 50 {
				write(t, other, i)
			}
			return other
		}},
		{"an older version", "the store went back", func(t *testing.T, was *memstore.Store, head flags.Head) *memstore.Store {
			other := memstore.New(nil)
			commits, err := was.Commits(t.Context(), "shop", flags.Version{}, flags.Version{Revision: head.Revision - 5}, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := other.Append(t.Context(), "shop", commits); err != nil {
				t.Fatal(err)
			}
			return other
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := memstore.New(nil)
				create(t, mem)
				var head flags.Head
				for i := range 10 {
					head = write(t, mem, i)
				}
				other := c.make(t, mem, head)
				st := &shaky{store: mem}
				var log bytes.Buffer
				h := hub.New(st, slog.New(slog.NewTextHandler(&log, nil)))
				set, err := h.Open(t.Context(), "shop")
				if err != nil {
					t.Fatal(err)
				}
				st.plug(other, nil)
				for range 60 {
					time.Sleep(time.Second)
					if set.Head() != head {
						t.Fatalf("hub went from %s to %s", head.Token(), set.Head().Token())
					}
				}
				st.plug(mem, nil)
				last := write(t, mem, 99)
				time.Sleep(8 * time.Second)
				if set.Head() != last {
					t.Errorf("hub is at %s, want %s", set.Head().Token(), last.Token())
				}
				h.Close()
				if !strings.Contains(log.String(), c.log) {
					t.Errorf("the log does not say %q: %s", c.log, log.String())
				}
				_, _ = mem.Close(), other.Close()
			})
		})
	}
}

// TestAnotherBranch: a store that comes back with other commits at versions that
// were published already, and newer ones. Readers must begin again with a
// checkpoint: its newest commits do not lead on from what they have.
func TestAnotherBranch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, branch := memstore.New(nil), memstore.New(nil)
		create(t, mem)
		commits, err := mem.Commits(t.Context(), "shop", flags.Version{}, mustHead(t, mem).Version, 0)
		if err == nil {
			err = branch.Append(t.Context(), "shop", commits)
		}
		if err != nil {
			t.Fatal(err)
		}
		st := &shaky{store: mem}
		h := hub.New(st, nil)
		set, err := h.Open(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		have := write(t, mem, 1)
		var last flags.Head
		for i := range 3 {
			last = write(t, branch, 50+i)
		}
		synctest.Wait()
		st.plug(branch, nil)
		time.Sleep(8 * time.Second)
		if lead := set.Lead(have); lead.Head != last || lead.Base == nil {
			t.Errorf("from %s to %s lead %d commits, without a checkpoint", have.Token(), lead.Head.Token(), len(lead.Records))
		}
		h.Close()
		_, _ = mem.Close(), branch.Close()
	})
}

func mustHead(t *testing.T, st *memstore.Store) flags.Head {
	t.Helper()
	head, err := st.Head(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// TestConfirmIsShared: a thousand clients that ping at once are one question.
func TestConfirmIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		st := &shaky{store: mem}
		create(t, mem)
		h := hub.New(st, nil)
		set, err := h.Open(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		before := st.heads.Load()
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { set.Confirm(t.Context()) })
		}
		wg.Wait()
		if asked := st.heads.Load() - before; asked != 1 {
			t.Errorf("the store was asked %d times, want once", asked)
		}
		h.Close()
		_ = mem.Close()
	})
}

// TestAwait: names of sets that are not there cost a stream each while somebody waits,
// nothing afterwards, and never more than so many.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		st := &shaky{store: mem}
		h := hub.New(st, nil)
		var leave []func()
		await := func(name, client string) bool {
			_, l, ok := h.Await(name, client)
			if ok {
				leave = append(leave, l)
			}
			return ok
		}
		for i := range 100 {
			client := fmt.Sprint("client ", i/20)
			if got, want := await(fmt.Sprint("set", i), client), i < 80 && i%20 < 16; got != want {
				t.Errorf("%s awaits set %d: %v, want %v", client, i, got, want)
			}
		}
		if await("no set", "another") {
			t.Error("a name that no set can have is awaited")
		}
		if !await("set3", "another") || await("set999", "another") {
			t.Error("it is the names that are counted")
		}
		synctest.Wait()
		if n := st.open.Load(); n != 64 {
			t.Errorf("%d streams, want 64", n)
		}
		for _, l := range leave {
			l()
		}
		synctest.Wait()
		if n := st.open.Load(); n != 0 {
			t.Errorf("%d streams after everybody has left", n)
		}

		created, l, _ := h.Await("shop", "client")
		st.plug(mem, errDown) // an outage while they wait
		time.Sleep(time.Minute)
		st.plug(mem, nil)
		time.Sleep(8 * time.Second)
		create(t, mem)
		<-created
		set, err := h.Open(t.Context(), "shop")
		l()
		last := write(t, mem, 1)
		synctest.Wait()
		if err != nil || set.Head() != last || len(h.Sets()) != 1 {
			t.Errorf("hub is at %v, want %v; %v", set.Head(), last, err)
		}
		h.Close()
		_ = mem.Close()
	})
}

func TestMembers(t *testing.T) {
	mem := memstore.New(nil)
	defer func() { _ = mem.Close() }()
	create(t, mem)
	h := hub.New(&shaky{store: mem}, nil)
	defer h.Close()
	set, err := h.Open(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	a := set.Join(hub.Client{Identity: hub.Identity{Name: "a"}})
	b := set.Join(hub.Client{Identity: hub.Identity{Name: "b"}})
	a.Applied(flags.Ack{Head: set.Head()})
	clients := set.Clients()
	if len(clients) != 2 || clients[0].Identity.Name != "a" || clients[0].Lag != 0 || clients[1].Lag != 1 || clients[1].Set != "shop" {
		t.Errorf("clients are %+v", clients)
	}
	a.Leave()
	b.Leave()
	if n := set.Count(); n != 0 {
		t.Errorf("%d clients after all have left", n)
	}
}

func TestLag(t *testing.T) {
	for _, c := range []struct {
		from, to flags.Version
		want     uint64
	}{
		{flags.Version{}, flags.Version{}, 0},
		{flags.Version{Revision: 3}, flags.Version{Revision: 8}, 5},
		{flags.Version{Revision: 8}, flags.Version{Revision: 3}, 0},
		{flags.Version{Epoch: 1, Revision: 90}, flags.Version{Epoch: 2, Revision: 4}, 4},
	} {
		if got := hub.Lag(c.from, c.to); got != c.want {
			t.Errorf("Lag(%s, %s) = %d, want %d", c.from, c.to, got, c.want)
		}
	}
}
