package restwire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/holdfast-flags/holdfast/flags"
)

// A stream of parts is
//
//	"HFR" | format version (1 byte) | parts, the last one of kind E
//	part: kind (1 byte) | length (4, big-endian) | body
//
// Kinds that a reader does not know are passed over.
const (
	partsMagic = "HFR\x01"

	kindHead       = 'H' // where the parts lead
	kindReason     = 'R' // why there is a checkpoint although the reader had something
	kindCheckpoint = 'C'
	kindCommit     = 'c'
	kindEnd        = 'E'
)

// Bounds of what one stream of parts may make its reader hold.
const (
	maxSmall  = 64 << 10  // any part but checkpoints and commits
	maxTotal  = 256 << 20 // of all parts, and of the changes in them
	mostSmall = 1024      // parts but checkpoints and commits

	commitOverhead = 512 // bytes that a commit takes in memory besides those of its changes, about
)

// Parts is a stream of parts to be sent. Its pieces share the memory of what was
// added; nobody may change it.
type Parts struct {
	pieces [][]byte
	size   int
}

// NewParts returns a stream that leads to head.
func NewParts(head flags.Head) *Parts {
	p := &Parts{}
	p.push([]byte(partsMagic))
	encoded, _ := head.MarshalBinary() // documented never to fail
	p.add(kindHead, encoded)
	return p
}

// Reason says why the checkpoint that follows is sent.
func (p *Parts) Reason(why string) { p.add(kindReason, []byte(why)) }

// Checkpoint adds an encoded checkpoint.
func (p *Parts) Checkpoint(encoded []byte) { p.add(kindCheckpoint, encoded) }

// Commit adds an encoded commit.
func (p *Parts) Commit(encoded []byte) { p.add(kindCommit, encoded) }

// End ends the stream and returns its pieces and their size in bytes.
func (p *Parts) End() (pieces [][]byte, size int) {
	p.add(kindEnd, nil)
	return p.pieces, p.size
}

func (p *Parts) add(kind byte, body []byte) {
	p.push(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body))))
	if len(body) > 0 {
		p.push(body)
	}
}

func (p *Parts) push(piece []byte) {
	p.pieces = append(p.pieces, piece)
	p.size += len(piece)
}

// Received is what a stream of parts has brought.
type Received struct {
	Head       flags.Head
	Reason     string
	Checkpoint *flags.Checkpoint
	Commits    []flags.Commit
	Bytes      int // received, and of the changes

	small int // parts but checkpoints and commits
}

// ReadParts reads a stream to its end part. Each time something has come it calls
// progress, which may be nil. The error is that of r, io.ErrUnexpectedEOF where the
// stream was cut, or wraps flags.ErrFormat, flags.ErrTooLarge or flags.ErrDigest.
func ReadParts(r io.Reader, progress func(*Received)) (*Received, error) {
	r = bufio.NewReader(r)
	magic := make([]byte, len(partsMagic))
	if _, err := io.ReadFull(r, magic); err != nil {
		return nil, cut(err)
	}
	if string(magic) != partsMagic {
		return nil, fmt.Errorf("%w: not a stream of parts of a version this one reads", flags.ErrFormat)
	}
	got := &Received{}
	for {
		kind, body, err := got.part(r)
		if err != nil {
			return nil, err
		}
		if kind == kindEnd {
			return got, nil
		}
		if err := got.take(kind, body); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(got)
		}
	}
}

func (g *Received) part(r io.Reader) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, cut(err)
	}
	kind, size := head[0], int(binary.BigEndian.Uint32(head[1:]))
	limit := maxSmall
	switch kind {
	case kindCheckpoint:
		limit = flags.MaxCheckpointBytes
	case kindCommit:
		limit = flags.MaxCommitBytes
	default:
		g.small++
	}
	g.Bytes += size
	if size > limit || g.Bytes > maxTotal || g.small > mostSmall {
		return 0, nil, fmt.Errorf("%w: a part of %d bytes, at most %d; all so far %d, at most %d; %d others, at most %d",
			flags.ErrTooLarge, size, limit, g.Bytes, maxTotal, g.small, mostSmall)
	}
	// The stated size is only trusted as far as bytes come.
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(r, int64(size)))
	if err == nil && n < int64(size) {
		err = io.ErrUnexpectedEOF
	}
	return kind, buf.Bytes(), err
}

func (g *Received) take(kind byte, body []byte) error {
	switch kind {
	case kindHead:
		return g.Head.UnmarshalBinary(body)
	case kindReason:
		g.Reason = string(body)
	case kindCheckpoint:
		if g.Checkpoint != nil || len(g.Commits) > 0 {
			return fmt.Errorf("%w: a checkpoint comes first, and once", flags.ErrFormat)
		}
		g.Checkpoint = new(flags.Checkpoint)
		return g.Checkpoint.UnmarshalBinary(body)
	case kindCommit:
		var c flags.Commit
		if err := c.UnmarshalBinary(body); err != nil {
			return err
		}
		g.Bytes += commitOverhead
		for _, change := range c.Changes {
			g.Bytes += len(change.Bytes)
		}
		g.Commits = append(g.Commits, c)
	}
	return nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
