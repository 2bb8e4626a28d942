package wire

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
)

// Chunks cuts an encoded checkpoint, whose entries add up to digest, into pieces
// that share its memory.
func Chunks(encoded []byte, digest flags.Digest) iter.Seq[*pb.Chunk] {
	return func(yield func(*pb.Chunk) bool) {
		for at := 0; at < len(encoded); at += ChunkBytes {
			piece := &pb.Chunk{
				Data:   encoded[at:min(at+ChunkBytes, len(encoded))],
				Offset: uint64(at), Total: uint64(len(encoded)), Digest: digest.Bytes(),
			}
			if !yield(piece) {
				return
			}
		}
	}
}

// Assembler puts a checkpoint together from its pieces. The zero Assembler is ready.
type Assembler struct {
	buf    []byte
	total  uint64
	digest []byte
}

// Started reports whether a piece has come and the last one has not.
func (a *Assembler) Started() bool { return a.total > 0 }

// Add takes the next piece and returns the checkpoint after the last one, nil
// before. The error wraps flags.ErrFormat, ErrTooLarge or ErrDigest; the
// assembler then starts over. Nothing but a whole, verified checkpoint ever
// comes out.
func (a *Assembler) Add(c *pb.Chunk) (*flags.Checkpoint, error) {
	cp, err := a.add(c)
	if err != nil || cp != nil {
		*a = Assembler{}
	}
	return cp, err
}

func (a *Assembler) add(c *pb.Chunk) (*flags.Checkpoint, error) {
	if !a.Started() {
		a.total, a.digest = c.GetTotal(), c.GetDigest()
	}
	end := c.GetOffset() + uint64(len(c.GetData()))
	switch {
	case c.GetCompression() != pb.Compression_COMPRESSION_UNSPECIFIED:
		return nil, fmt.Errorf("%w: snapshot compression %s", flags.ErrFormat, c.GetCompression())
	case a.total > flags.MaxCheckpointBytes:
		return nil, fmt.Errorf("%w: snapshot of %d bytes, at most %d", flags.ErrTooLarge, a.total, flags.MaxCheckpointBytes)
	case c.GetTotal() != a.total, !bytes.Equal(c.GetDigest(), a.digest), c.GetOffset() != uint64(len(a.buf)),
		len(c.GetData()) == 0, len(c.GetData()) > ChunkBytes, end > a.total:
		return nil, fmt.Errorf("%w: snapshot piece at %d of %d does not continue %d of %d",
			flags.ErrFormat, c.GetOffset(), c.GetTotal(), len(a.buf), a.total)
	}
	// The stated total is only trusted as far as bytes have come.
	a.buf = append(a.buf, c.GetData()...)
	if end < a.total {
		return nil, nil
	}
	cp := new(flags.Checkpoint)
	if err := cp.UnmarshalBinary(a.buf); err != nil {
		return nil, err
	}
	if !bytes.Equal(cp.Digest.Bytes(), a.digest) {
		return nil, fmt.Errorf("%w: snapshot %s adds up to %s, its pieces say %x", flags.ErrDigest, cp.Token(), cp.Digest, a.digest)
	}
	return cp, nil
}
