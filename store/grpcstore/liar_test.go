package grpcstore_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// tale is what a server tells: a head, and what leads to it.
type tale struct {
	head flags.Head
	body func(send func(*pb.WatchResponse) error) error
}

// liar is a server that tells what it was told to tell.
type liar struct {
	pb.UnimplementedFlagsServer
	mu      sync.Mutex
	tale    tale
	changed chan struct{} // closed when the tale is another
}

func (l *liar) tell(t tale) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed != nil {
		close(l.changed)
	}
	l.tale, l.changed = t, make(chan struct{})
}

func (l *liar) now() (tale, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tale, l.changed
}

func (l *liar) Head(context.Context, *pb.HeadRequest) (*pb.HeadResponse, error) {
	t, _ := l.now()
	return &pb.HeadResponse{Head: wire.FromHead(t.head)}, nil
}

func (l *liar) Fetch(_ *pb.FetchRequest, stream grpc.ServerStreamingServer[pb.FetchResponse]) error {
	t, _ := l.now()
	first := &pb.FetchResponse{Message: &pb.FetchResponse_Head{Head: &pb.HeadResponse{Head: wire.FromHead(t.head)}}}
	if err := stream.Send(first); err != nil {
		return err
	}
	return t.body(func(m *pb.WatchResponse) error {
		if c := m.GetChunk(); c != nil {
			return stream.Send(&pb.FetchResponse{Message: &pb.FetchResponse_Chunk{Chunk: c}})
		}
		return stream.Send(&pb.FetchResponse{Message: &pb.FetchResponse_Commits{Commits: m.GetCommits()}})
	})
}

// Watch tells the tale, confirms its head at each ping, and ends when there is
// another tale to tell.
func (l *liar) Watch(stream grpc.BidiStreamingServer[pb.WatchRequest, pb.WatchResponse]) error {
	t, changed := l.now()
	if _, err := stream.Recv(); err != nil {
		return err
	}
	if err := t.body(stream.Send); err != nil {
		return err
	}
	pings := make(chan uint64)
	go func() {
		defer close(pings)
		for {
			m, err := stream.Recv()
			if err != nil {
				return
			}
			if m.GetPing() != nil {
				select {
				case pings <- m.GetPing().GetNonce():
				case <-stream.Context().Done():
					return
				}
			}
		}
	}()
	for nonce := uint64(0); ; {
		beat := &pb.Heartbeat{Head: wire.FromHead(t.head), Echo: nonce}
		if err := stream.Send(&pb.WatchResponse{Message: &pb.WatchResponse_Heartbeat{Heartbeat: beat}}); err != nil {
			return err
		}
		select {
		case nonce = <-pings:
		case <-changed:
			return status.Error(codes.Unavailable, "going away")
		case <-stream.Context().Done():
			return nil
		}
	}
}

func piece(data []byte, offset, total uint64, digest flags.Digest) *pb.WatchResponse {
	return &pb.WatchResponse{Message: &pb.WatchResponse_Chunk{Chunk: &pb.Chunk{Data: data, Offset: offset, Total: total, Digest: digest.Bytes()}}}
}

// pieces is a body of a snapshot in two pieces.
func pieces(encoded []byte, digest flags.Digest) func(func(*pb.WatchResponse) error) error {
	half := len(encoded) / 2
	return func(send func(*pb.WatchResponse) error) error {
		return errors.Join(
			send(piece(encoded[:half], 0, uint64(len(encoded)), digest)),
			send(piece(encoded[half:], uint64(half), uint64(len(encoded)), digest)))
	}
}

func encode(t *testing.T, cp *flags.Checkpoint) []byte {
	t.Helper()
	b, err := cp.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// told is the tale of a checkpoint as it is.
func told(t *testing.T, cp *flags.Checkpoint) tale {
	t.Helper()
	return tale{cp.Head, pieces(encode(t, cp), cp.Digest)}
}

// versions returns the checkpoints of a set at revisions 1 to n, and the commits
// that lead to them. The flag "at" has the revision as its value.
func versions(t *testing.T, set string, n int) (cps []*flags.Checkpoint, commits [][]byte) {
	t.Helper()
	contents := flags.NewContents(set)
	for i := range n {
		def := `{"defaultVariant":"v","state":"ENABLED","variants":{"v":` + string(rune('1'+i)) + `}}`
		c := flags.Commit{Set: set, Changes: []flags.Mutation{{Key: flags.FlagKey("at"), Bytes: []byte(def)}}}
		if i == 0 {
			c.Op = flags.OpCreate
		}
		if err := errors.Join(contents.Seal(&c), contents.Apply(&c)); err != nil {
			t.Fatal(err)
		}
		encoded, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		cps, commits = append(cps, contents.Checkpoint()), append(commits, encoded)
	}
	return cps, commits
}

// forged returns cp with a flag changed, and the digest as it was or to match.
func forged(cp *flags.Checkpoint, digestToo bool) *flags.Checkpoint {
	bad := &flags.Checkpoint{Head: cp.Head, Entries: slices.Clone(cp.Entries)}
	e := &bad.Entries[0]
	e.Bytes = bytes.Replace(e.Bytes, []byte(`"v":`), []byte(`"v":7`), 1)
	if digestToo {
		bad.Digest = bad.Digest.Minus(flags.EntryHash(e.Key, cp.Entries[0].Bytes)).Plus(flags.EntryHash(e.Key, e.Bytes))
	}
	return bad
}

// bomb is a frame of a checkpoint that says it becomes 10 GiB.
func bomb() []byte {
	b := append([]byte("HFK\x01\x01"), binary.AppendUvarint(nil, 10<<30)...)
	b = append(b, bytes.Repeat([]byte{0}, 1000)...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

type lie struct {
	name       string
	tale       tale
	watch, ask string // why it is refused on a stream, and where heads are asked for
}

// lies are tales for a client that holds revision 2 of 4.
func lies(t *testing.T, cps []*flags.Checkpoint, commits [][]byte) []lie {
	older, held, next := cps[0], cps[1], cps[2]
	foreign, _ := versions(t, "default", 9)
	other, _ := versions(t, "other", 9)
	nothing := func(func(*pb.WatchResponse) error) error { return nil }
	future := encode(t, next)
	future[3] = 9
	ahead := next.Head
	ahead.Revision = 12
	return []lie{
		{"an older snapshot", told(t, older), "older", "older"},
		{"another set", told(t, other[8]), "malformed", "malformed"},
		{"another lineage", told(t, foreign[8]), "another lineage", "another lineage"},
		{"other contents at the same version", told(t, forged(held, true)), "digest", "digest"},
		{"a digest that is not that of the contents", told(t, forged(next, false)), "digest", "digest"},
		{"pieces with another digest", tale{next.Head, pieces(encode(t, next), held.Digest)}, "digest", "digest"},
		{"bytes that are nothing", tale{next.Head, pieces(bytes.Repeat([]byte("?"), 5000), next.Digest)}, "malformed", "malformed"},
		{"a future format", tale{next.Head, pieces(future, next.Digest)}, "malformed", "malformed"},
		{"a bomb", tale{next.Head, pieces(bomb(), next.Digest)}, "malformed", "malformed"},
		{"a snapshot of 10 GiB", tale{next.Head, func(send func(*pb.WatchResponse) error) error {
			return send(piece(make([]byte, 1<<20), 0, 10<<30, next.Digest))
		}}, "too large", "too large"},
		{"a head that changes midway", tale{next.Head, func(send func(*pb.WatchResponse) error) error {
			a, b := encode(t, next), append(encode(t, held), 0)
			return errors.Join(send(piece(a[:50], 0, uint64(len(a)), next.Digest)), send(piece(b[50:], 50, uint64(len(b)), held.Digest)))
		}}, "malformed", "malformed"},
		{"a head that nothing leads to", tale{ahead, nothing}, "digest", "malformed"},
		{"a commit left out", tale{cps[3].Head, func(send func(*pb.WatchResponse) error) error {
			return send(&pb.WatchResponse{Message: &pb.WatchResponse_Commits{Commits: &pb.Commits{Commits: commits[3:]}}})
		}}, "gap", "gap"},
	}
}

type lockedLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) lines(with string) (n int, all string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), with), l.b.String()
}

// TestLies: whatever a server says that cannot be, a client keeps what it had,
// counts and logs why, and believes the server again once it tells the truth.
func TestLies(t *testing.T) {
	cps, commits := versions(t, "default", 4)
	for _, lie := range lies(t, cps, commits) {
		t.Run("watched/"+lie.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lieTo(t, cps, lie.tale, lie.watch, func(o *flags.Options, s *grpcstore.Store) {
					o.Primary = flags.Layer{Source: s, Watcher: s}
				})
			})
		})
		t.Run("asked/"+lie.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lieTo(t, cps, lie.tale, lie.ask, func(o *flags.Options, s *grpcstore.Store) {
					o.Secondary = flags.Layer{Source: s}
				})
			})
		})
	}
}

func lieTo(t *testing.T, cps []*flags.Checkpoint, untrue tale, reason string, connect func(*flags.Options, *grpcstore.Store)) {
	server := &liar{}
	server.tell(told(t, cps[1]))
	s, stop := serveLiar(t, server)
	defer stop()
	log := &lockedLog{}
	o := flags.Options{Logger: slog.New(slog.NewTextHandler(log, nil))}
	connect(&o, s)
	client, err := flags.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	at := func() int64 { return client.Int(t.Context(), "at", flags.Entity("x"), -1) }
	if at() != 2 {
		t.Fatalf("begins at %d: %+v", at(), client.Status())
	}
	server.tell(untrue)
	const long = 2 * time.Minute
	time.Sleep(long)
	if at() != 2 || client.Token(t.Context()) != cps[1].Token() {
		t.Errorf("believed: at %d, %s", at(), client.Token(t.Context()))
	}
	layer := client.Status().Layers[0]
	if counted(layer, reason) == 0 {
		t.Errorf("not counted as %s: %+v", reason, layer)
	}
	n, text := log.lines("reason=" + quoted(reason))
	if most := int(long/(10*time.Second)) + 1; n == 0 || n > most {
		t.Errorf("logged %d times in %v, want 1 to %d:\n%s", n, long, most, text)
	}
	server.tell(told(t, cps[2]))
	time.Sleep(30 * time.Second)
	if at() != 3 {
		t.Errorf("the truth is not believed any more: at %d, %+v", at(), client.Status())
	}
}

func quoted(s string) string {
	if strings.Contains(s, " ") {
		return `"` + s + `"`
	}
	return s
}

func counted(s flags.LayerStatus, reason string) uint64 {
	switch reason {
	case "older":
		return s.Stale + s.RefusedOlder // a head that is behind, or a set that was delivered
	case "another lineage":
		return s.RefusedLineage
	case "digest":
		return s.RefusedDigest
	default:
		return s.RefusedFormat
	}
}

func serveLiar(t *testing.T, l *liar) (s *grpcstore.Store, stop func()) {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	pb.RegisterFlagsServer(server, l)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(lis) // ends with Stop
	}()
	s = dial(t, lis, grpcstore.Options{})
	return s, func() {
		_ = s.Close()
		server.Stop()
		<-done
	}
}

// TestEndlessSnapshots: a server that never stops sending is cut off with bounded
// memory, and one that drips with bounded time.
func TestEndlessSnapshots(t *testing.T) {
	cps, _ := versions(t, "default", 1)
	head, zeros := cps[0].Head, make([]byte, 1<<20)
	for _, tt := range []struct {
		name  string
		total uint64
		size  int
		pause time.Duration
		says  error
	}{
		{"announced as it is", 1 << 40, len(zeros), 0, flags.ErrTooLarge},
		{"announced as the greatest there is", flags.MaxCheckpointBytes, len(zeros), 0, flags.ErrFormat},
		{"announced as small", 3000, 2000, 0, flags.ErrFormat},
		{"byte by byte", flags.MaxCheckpointBytes, 1, time.Second, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &liar{}
				server.tell(tale{head, func(send func(*pb.WatchResponse) error) error {
					for offset := uint64(0); ; offset += uint64(tt.size) {
						if err := send(piece(zeros[:tt.size], offset, tt.total, head.Digest)); err != nil {
							return err
						}
						time.Sleep(tt.pause)
					}
				}})
				s, stop := serveLiar(t, server)
				defer stop()
				before, began := heapInUse(), time.Now()
				_, err := s.Fetch(t.Context(), "default", flags.Head{})
				if err == nil || tt.says != nil && !errors.Is(err, tt.says) || flags.ClassOf(err) != flags.ClassTransient {
					t.Errorf("error %v, want %v", err, tt.says)
				}
				if more := int64(heapInUse()) - int64(before); more > 4*flags.MaxCheckpointBytes {
					t.Errorf("%d MiB in use for it", more>>20)
				}
				if took := time.Since(began); took > time.Minute {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
