package flagsvc_test

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
)

// TestHeartbeats: a watch with nothing to say says so every ten seconds, and at
// once when pinged.
func TestHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, flagsvc.Options{}, nil)
		head := r.create(100)
		stream := r.watch(r.conn, head)
		began := time.Now()
		for i := range 4 {
			beat := recv(t, stream).GetHeartbeat()
			if beat == nil || beat.GetHead().GetVersion().GetRevision() != head.Revision || beat.GetQueued() || beat.GetEcho() != 0 {
				t.Fatalf("message %d is %v", i, beat)
			}
			if at := time.Since(began); at != time.Duration(i)*10*time.Second {
				t.Errorf("heartbeat %d came after %v", i, at)
			}
		}
		send(t, stream, &pb.WatchRequest{Message: &pb.WatchRequest_Ping{Ping: &pb.Ping{Nonce: 77}}})
		pinged := time.Now()
		beat := recv(t, stream).GetHeartbeat()
		if beat.GetEcho() != 77 || time.Since(pinged) > 0 {
			t.Errorf("ping was answered after %v by %v", time.Since(pinged), beat)
		}
		if age := beat.GetAgeUs(); age > 0 {
			t.Errorf("a store in the same process is %d us behind", age)
		}
	})
}

// TestRationing: initial loads take turns, those who wait are told, and one that
// takes its load slowly does not hold the others up for ever.
func TestRationing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, flagsvc.Options{Loads: 1}, nil)
		head := r.createLarge()
		stuck := r.watch(r.dial(), flags.Head{}) // does not read
		synctest.Wait()
		began := time.Now()
		second := r.watch(r.conn, flags.Head{})
		beat := recv(t, second).GetHeartbeat()
		if beat == nil || !beat.GetQueued() || beat.GetHead().GetVersion().GetRevision() != head.Revision {
			t.Fatalf("first message is %v, want a queued heartbeat", beat)
		}
		if at := time.Since(began); at > 0 {
			t.Errorf("the queued client was told after %v", at)
		}
		reach(t, second, head.Revision)
		if took := time.Since(began); took < time.Second || took > 5*time.Second {
			t.Errorf("the place was free after %v, want 5s at most", took)
		}
		resumed := r.watch(r.dial(), head)
		if beat := recv(t, resumed).GetHeartbeat(); beat == nil || beat.GetQueued() {
			t.Errorf("a client that resumes waits for initial loads")
		}
		reach(t, stuck, head.Revision)
	})
}

// TestLeavingTheQueue: a client that leaves while it waits for its turn takes
// nobody's turn with it.
func TestLeavingTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, flagsvc.Options{Loads: 1}, nil)
		r.createLarge()
		r.watch(r.dial(), flags.Head{}) // takes the only place and does not read
		synctest.Wait()
		leaving, waiting := r.watch(r.dial(), flags.Head{}), r.watch(r.dial(), flags.Head{})
		for _, stream := range []pb.Flags_WatchClient{leaving, waiting} {
			if beat := recv(t, stream).GetHeartbeat(); !beat.GetQueued() {
				t.Fatalf("first message is %v, want a queued heartbeat", beat)
			}
		}
		if err := leaving.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if m, err := leaving.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("who left got %T, %v", m.GetMessage(), err)
		}
		synctest.Wait()
		third := r.watch(r.dial(), flags.Head{})
		if beat := recv(t, third).GetHeartbeat(); !beat.GetQueued() {
			t.Error("the place of the first client was given away")
		}
	})
}

// TestResets: what cannot be gone on from is said, and followed by a snapshot.
func TestResets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, flagsvc.Options{}, nil)
		r.create(100)
		head := r.write(1, 100)
		for name, spoil := range map[string]func(h *flags.Head){
			"lineage": func(h *flags.Head) { h.Lineage = "zzzzzzzz" },
			"digest":  func(h *flags.Head) { h.Digest = flags.Digest{} },
			"future":  func(h *flags.Head) { h.Revision += 100 },
			"epoch":   func(h *flags.Head) { h.Epoch += 3 },
		} {
			have := head
			spoil(&have)
			stream := r.watch(r.conn, have)
			if reset := recv(t, stream).GetReset_(); reset.GetReason() == "" {
				t.Errorf("%s: no reset with a reason first: %v", name, reset)
			}
			reach(t, stream, head.Revision)
		}
	})
}

// TestDrain: watchers are told to leave before the router does.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, flagsvc.Options{Loads: 1}, nil)
		head := r.createLarge()
		idle := r.watch(r.conn, head)
		recv(t, idle)
		r.watch(r.dial(), flags.Head{}) // takes the only place and does not read
		synctest.Wait()
		queued := r.watch(r.dial(), flags.Head{})
		recv(t, queued)
		r.svc.Drain()
		for name, stream := range map[string]pb.Flags_WatchClient{"idle": idle, "queued": queued} {
			drain := recv(t, stream).GetDrain()
			if drain == nil || drain.GetRetryAfterUs() == 0 || drain.GetRetryAfterUs() > 2_000_000 {
				t.Errorf("%s: got %v, want a drain", name, drain)
			}
			if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
				t.Errorf("%s: after the drain: %v", name, err)
			}
		}
	})
}

// TestManners: what a client must not do, and how it is told.
func TestManners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, flagsvc.Options{}, nil)
		r.create(100)
		hello := func(h *pb.Hello) *pb.WatchRequest { return &pb.WatchRequest{Message: &pb.WatchRequest_Hello{Hello: h}} }
		good := hello(&pb.Hello{Set: "shop", Version: wire.Version})
		for _, c := range []struct {
			name string
			say  []*pb.WatchRequest
			want codes.Code
		}{
			{"nothing", nil, codes.DeadlineExceeded},
			{"something else first", []*pb.WatchRequest{{Message: &pb.WatchRequest_Ping{Ping: &pb.Ping{Nonce: 1}}}}, codes.InvalidArgument},
			{"an empty message first", []*pb.WatchRequest{{}}, codes.InvalidArgument},
			{"no version", []*pb.WatchRequest{hello(&pb.Hello{Set: "shop"})}, codes.InvalidArgument},
			{"have of another set", []*pb.WatchRequest{hello(&pb.Hello{Set: "shop", Version: 1, Have: &pb.Head{Set: "x"}})}, codes.InvalidArgument},
			{"a digest of three bytes", []*pb.WatchRequest{hello(&pb.Hello{Set: "shop", Version: 1, Have: &pb.Head{Set: "shop", Digest: []byte("abc")}})}, codes.InvalidArgument},
			{"no such set", []*pb.WatchRequest{hello(&pb.Hello{Set: "nothing", Version: 1})}, codes.NotFound},
			{"hello again", []*pb.WatchRequest{good, good}, codes.InvalidArgument},
			{"applied nonsense", []*pb.WatchRequest{good, {Message: &pb.WatchRequest_Applied{Applied: &pb.Applied{Head: &pb.Head{Status: 9}}}}}, codes.InvalidArgument},
		} {
			stream, err := pb.NewFlagsClient(r.conn).Watch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range c.say {
				send(t, stream, m)
			}
			began := time.Now()
			for err == nil {
				_, err = stream.Recv()
			}
			if status.Code(err) != c.want {
				t.Errorf("%s: %v, want %s", c.name, err, c.want)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s: told after %v", c.name, took)
			}
		}
	})
}

// TestClients: who is connected, and what each has applied.
func TestClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, flagsvc.Options{}, nil)
		first := r.create(100)
		stream := r.watch(r.conn, first)
		recv(t, stream)
		send(t, stream, &pb.WatchRequest{Message: &pb.WatchRequest_Applied{
			Applied: &pb.Applied{Head: wire.FromHead(first), Layers: map[string]string{"primary": "closed"}},
		}})
		reach(t, stream, r.write(1, 100).Revision)
		synctest.Wait()
		admin := pb.NewAdminClient(r.conn)
		list := func(set string) []*pb.Client {
			resp, err := admin.ListClients(t.Context(), &pb.ListClientsRequest{Set: set})
			if err != nil {
				t.Fatal(err)
			}
			return resp.GetClients()
		}
		got := list("")
		if len(got) != 1 || got[0].GetIdentity().GetName() != "app" || got[0].GetLag() != 1 ||
			got[0].GetApplied().GetVersion().GetRevision() != 1 || got[0].GetLayers()["primary"] != "closed" || got[0].GetPrincipal() != "anonymous" {
			t.Errorf("clients are %v", got)
		}
		if got := list("other"); len(got) != 0 {
			t.Errorf("clients of another set are %v", got)
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := list("shop"); len(got) != 0 {
			t.Errorf("clients after all have left are %v", got)
		}
	})
}

// TestTalkativeClient: what a client says about itself is kept within bounds.
func TestTalkativeClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, flagsvc.Options{}, nil)
		head := r.create(100)
		stream, err := pb.NewFlagsClient(r.conn).Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("ü", 100_000)
		send(t, stream, &pb.WatchRequest{Message: &pb.WatchRequest_Hello{Hello: &pb.Hello{
			Set: "shop", Version: wire.Version, Identity: &pb.Identity{Name: "x" + long, Instance: long},
		}}})
		layers := map[string]string{}
		for i := range 1000 {
			layers[strconv.Itoa(i)+long[:2000]] = long[:2000]
		}
		send(t, stream, &pb.WatchRequest{Message: &pb.WatchRequest_Applied{Applied: &pb.Applied{Head: wire.FromHead(head), Layers: layers}}})
		synctest.Wait()
		set, err := r.hub.Open(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		client := set.Clients()[0]
		kept := client.Identity.Name + client.Identity.Instance
		for name, state := range client.Applied.Layers {
			kept += name + state
		}
		if len(kept) > 10_000 || !utf8.ValidString(kept) || client.Applied.Head.Version != head.Version {
			t.Errorf("%d bytes are kept of a client at %s", len(kept), client.Applied.Head.Token())
		}
	})
}

// TestAwayForLong: a client behind more than the hub remembers gets commits from
// the journal as long as they are less than everything, and a snapshot beyond.
func TestAwayForLong(t *testing.T) {
	for _, c := range []struct {
		name   string
		writes int
		chunks bool
	}{
		{"commits are less", 700, false},
		{"far behind", 2100, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, flagsvc.Options{}, nil)
				have := r.create(600_000)
				var last flags.Head
				for i := range c.writes {
					last = r.write(i%5, 120)
				}
				stream := r.watch(r.conn, have)
				first := recv(t, stream)
				if got := first.GetReset_() != nil; got != c.chunks {
					t.Fatalf("first message is %T", first.GetMessage())
				}
				if c.chunks {
					reach(t, stream, last.Revision)
					return
				}
				commits, err := wire.Decode(first.GetCommits())
				if err != nil || commits[0].Revision != have.Revision+1 || commits[len(commits)-1].Revision != last.Revision {
					t.Errorf("got %d commits, %v", len(commits), err)
				}
			})
		})
	}
}
