package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/store"
)

// checkpoint is a set with so many flags of so many random bytes each.
func checkpoint(t testing.TB, count, size int) (*flags.Checkpoint, []byte) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	c := flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate}
	for i := range count {
		data := make([]byte, size)
		_, _ = random.Read(data) // never fails
		c.Changes = append(c.Changes, flags.Mutation{Key: flags.FlagKey(fmt.Sprint(i)), Bytes: data})
	}
	contents := flags.NewContents("shop")
	if err := contents.Seal(&c); err != nil {
		t.Fatal(err)
	}
	if err := contents.Apply(&c); err != nil {
		t.Fatal(err)
	}
	cp := contents.Checkpoint()
	encoded, err := cp.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return cp, encoded
}

func TestChunksRoundTrip(t *testing.T) {
	for _, size := range []int{10, 1000, 300_000} {
		cp, encoded := checkpoint(t, 10, size)
		var a wire.Assembler
		var got *flags.Checkpoint
		pieces := 0
		for c := range wire.Chunks(encoded, cp.Digest) {
			if pieces++; len(c.GetData()) > wire.ChunkBytes {
				t.Fatalf("a piece has %d bytes", len(c.GetData()))
			}
			if got != nil {
				t.Fatal("pieces after the last one")
			}
			var err error
			if got, err = a.Add(proto.CloneOf(c)); err != nil {
				t.Fatal(err)
			}
		}
		if want := (len(encoded) + wire.ChunkBytes - 1) / wire.ChunkBytes; pieces != want || got == nil || got.Head != cp.Head {
			t.Errorf("%d pieces, want %d; got %+v", pieces, want, got)
		}
		if a.Started() {
			t.Error("the assembler is not ready for the next snapshot")
		}
	}
}

func TestBatches(t *testing.T) {
	commits := [][]byte{make([]byte, 10), make([]byte, wire.BatchBytes-10), make([]byte, 1), make([]byte, 3*wire.BatchBytes), make([]byte, 2)}
	var sizes []int
	for m := range wire.Batches(commits) {
		sizes = append(sizes, len(m.GetCommits()))
	}
	if fmt.Sprint(sizes) != "[2 1 1 1]" {
		t.Errorf("batches of %v commits", sizes)
	}
	for range wire.Batches(nil) {
		t.Error("a message without commits")
	}
}

func TestHeads(t *testing.T) {
	cp, _ := checkpoint(t, 3, 10)
	head := cp.Head
	head.Time, head.Status = time.UnixMicro(1_700_000_000_000_001).UTC(), flags.StatusSealed
	if got, err := wire.ToHead(wire.FromHead(head)); err != nil || got != head {
		t.Errorf("got %+v, %v, want %+v", got, err, head)
	}
	if got, err := wire.ToHead(nil); err != nil || got != (flags.Head{}) {
		t.Errorf("nil is %+v, %v", got, err)
	}
	for _, bad := range []*pb.Head{{Digest: make([]byte, 15)}, {Status: 3}, {Count: 1 << 62}} {
		if _, err := wire.ToHead(bad); !errors.Is(err, flags.ErrFormat) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestAge(t *testing.T) {
	now := time.Now()
	for asOf, want := range map[time.Time]uint64{{}: 0, now: 0, now.Add(time.Second): 0, now.Add(-time.Second): 1_000_000} {
		if got := wire.Age(asOf, now); got != want {
			t.Errorf("Age(%v) = %d, want %d", asOf, got, want)
		}
	}
}

func TestFromError(t *testing.T) {
	own := status.Error(codes.Aborted, "mine")
	for _, c := range []struct {
		err  error
		want codes.Code
	}{
		{own, codes.Aborted},
		{errors.New("unheard of"), codes.Unavailable},
		{io.ErrUnexpectedEOF, codes.Unavailable},
		{store.ErrClosed, codes.Unavailable},
		{&flags.SourceError{Class: flags.ClassDenied, Err: errors.New("no")}, codes.PermissionDenied},
		{&flags.SourceError{Class: flags.ClassPermanent, Err: errors.New("no")}, codes.FailedPrecondition},
		{&flags.SourceError{Class: flags.ClassNotFound, Err: errors.New("no")}, codes.NotFound},
		{store.Classify("op", store.ErrNotFound), codes.NotFound},
		{store.Classify("op", store.ErrExists), codes.AlreadyExists},
		{store.Classify("op", &store.ConflictError{}), codes.FailedPrecondition},
		{store.Classify("op", store.ErrCompacted), codes.OutOfRange},
		{flags.ErrDigest, codes.DataLoss},
	} {
		if got := status.Code(wire.FromError(c.err)); got != c.want {
			t.Errorf("%v is %s, want %s", c.err, got, c.want)
		}
	}
	if wire.FromError(nil) != nil {
		t.Error("nil is an error")
	}
}

// TestFromErrorSaysItOnce: the router's own name for the operation stays there.
func TestFromErrorSaysItOnce(t *testing.T) {
	classified := store.Classify("boltstore: apply shop", store.ErrExists)
	for _, c := range []struct {
		err  error
		want string
	}{
		{classified, "store: already exists"},
		{&flags.SourceError{Op: "router", Err: classified}, "store: already exists"},
		{fmt.Errorf("mirror: %w", classified), "mirror: boltstore: apply shop: store: already exists"},
	} {
		if got := status.Convert(wire.FromError(c.err)).Message(); got != c.want {
			t.Errorf("%v travels as %q, want %q", c.err, got, c.want)
		}
	}
}

// FuzzAssembler: whatever comes in pieces, what comes out is a whole checkpoint
// or nothing.
func FuzzAssembler(f *testing.F) {
	cp, encoded := checkpoint(f, 3, 40)
	half := len(encoded) / 2
	f.Add(encoded[:half], encoded[half:], uint64(half), uint64(len(encoded)), cp.Digest.Bytes())
	f.Add(encoded, []byte{}, uint64(len(encoded)), uint64(len(encoded)), cp.Digest.Bytes())
	f.Add(encoded[:half], encoded[:half], uint64(0), uint64(1)<<63, []byte("short"))
	f.Add([]byte{1}, []byte{2}, uint64(1)<<63, uint64(2), []byte(nil))
	f.Fuzz(func(t *testing.T, first, second []byte, offset, total uint64, digest []byte) {
		var a wire.Assembler
		for _, c := range []*pb.Chunk{
			{Data: first, Total: total, Digest: digest},
			{Data: second, Offset: offset, Total: total, Digest: digest},
		} {
			got, err := a.Add(c)
			if err != nil && got != nil {
				t.Fatalf("both %+v and %v", got.Head, err)
			}
			if got == nil {
				continue
			}
			if err := got.Verify(); err != nil || !bytes.Equal(got.Digest.Bytes(), digest) {
				t.Fatalf("%+v came out: %v", got.Head, err)
			}
		}
	})
}

// FuzzMessages: no message of a client or a router makes the translation panic.
func FuzzMessages(f *testing.F) {
	cp, encoded := checkpoint(f, 1, 10)
	for _, m := range []proto.Message{
		wire.FromHead(cp.Head), &pb.Commits{Commits: [][]byte{encoded, nil}}, &pb.Chunk{Data: encoded, Total: uint64(len(encoded))},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		head, commits, chunk := new(pb.Head), new(pb.Commits), new(pb.Chunk)
		if proto.Unmarshal(data, head) == nil {
			if h, err := wire.ToHead(head); err == nil {
				if again, err := wire.ToHead(wire.FromHead(h)); err != nil || again != h {
					t.Fatalf("%+v became %+v, %v", h, again, err)
				}
			}
		}
		if proto.Unmarshal(data, commits) == nil {
			_, _ = wire.Decode(commits) // must not panic
		}
		if proto.Unmarshal(data, chunk) == nil {
			_, _ = new(wire.Assembler).Add(chunk) // must not panic
		}
	})
}
