package flags

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

// A frame is the outer form of an encoded commit or checkpoint:
//
//	magic (3 bytes) | format version (1) | encoding (1) | uvarint plain length | body | CRC-32C of all before (4, big-endian)
//
// The checksum finds torn and flipped bytes anywhere; whether the contents are
// the right ones is for the digest inside to say.
const (
	frameVersion  = 1
	encodingPlain = 0
	encodingFlate = 1

	// compressAbove is the plain size from which compressing pays.
	compressAbove = 512
)

// Limits of encoded forms, in bytes.
const (
	MaxCommitBytes     = 8 << 20   // an encoded commit
	MaxCheckpointBytes = 64 << 20  // an encoded checkpoint
	MaxSetBytes        = 48 << 20  // keys and bytes of a set: its checkpoint fits, however badly it compresses
	maxPlainBytes      = 256 << 20 // either, decompressed: stops decompression bombs

	// maxList is the length of any list in them: a commit that replaces a full set
	// by another deletes and adds, and may have a condition for each.
	maxList = 4 * MaxEntries
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sealFrame(magic string, plain []byte) ([]byte, error) {
	if len(plain) > maxPlainBytes {
		return nil, fmt.Errorf("%w: %d bytes before compression, at most %d", ErrTooLarge, len(plain), maxPlainBytes)
	}
	var out bytes.Buffer
	out.WriteString(magic)
	out.WriteByte(frameVersion)
	encoding := byte(encodingPlain)
	if len(plain) > compressAbove {
		encoding = encodingFlate
	}
	out.WriteByte(encoding)
	out.Write(binary.AppendUvarint(nil, uint64(len(plain))))
	if encoding == encodingPlain {
		out.Write(plain)
	} else if err := deflate(&out, plain); err != nil {
		return nil, err
	}
	return binary.BigEndian.AppendUint32(out.Bytes(), crc32.Checksum(out.Bytes(), castagnoli)), nil
}

// deflaters are kept, for one takes more than a megabyte, whatever it is used for.
var deflaters = sync.Pool{New: func() any {
	fw, _ := flate.NewWriter(nil, flate.BestSpeed) // fails on levels that do not exist
	return fw
}}

func deflate(w io.Writer, plain []byte) error {
	fw := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(fw)
	fw.Reset(w)
	if _, err := fw.Write(plain); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	return fw.Close()
}

// openFrame checks the frame and returns the plain body, which may alias data.
func openFrame(magic string, data []byte) ([]byte, error) {
	const overhead = 5 + 1 + 4
	if len(data) < overhead || string(data[:3]) != magic {
		return nil, fmt.Errorf("%w: not a %s frame", ErrFormat, magic)
	}
	if data[3] != frameVersion {
		return nil, fmt.Errorf("%w: %s format version %d, this version reads %d", ErrFormat, magic, data[3], frameVersion)
	}
	body, sum := data[:len(data)-4], binary.BigEndian.Uint32(data[len(data)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, fmt.Errorf("%w: %s checksum", ErrFormat, magic)
	}
	encoding := body[4]
	size, n := binary.Uvarint(body[5:])
	if n <= 0 || size > maxPlainBytes {
		return nil, fmt.Errorf("%w: %s length", ErrFormat, magic)
	}
	body = body[5+n:]
	switch encoding {
	case encodingPlain:
		if uint64(len(body)) != size {
			return nil, fmt.Errorf("%w: %s length", ErrFormat, magic)
		}
		return body, nil
	case encodingFlate:
		return inflate(magic, body, int(size))
	default:
		return nil, fmt.Errorf("%w: %s encoding %d", ErrFormat, magic, encoding)
	}
}

func inflate(magic string, body []byte, size int) ([]byte, error) {
	// The stated size is believed only as far as flags usually compress; past
	// that the allocation grows with what really comes.
	plain := bytes.NewBuffer(make([]byte, 0, min(size, 32*len(body))+bytes.MinRead))
	n, err := plain.ReadFrom(io.LimitReader(flate.NewReader(bytes.NewReader(body)), int64(size)+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %s compression: %w", ErrFormat, magic, err)
	}
	if n != int64(size) {
		return nil, fmt.Errorf("%w: %s length", ErrFormat, magic)
	}
	if plain.Available() > plain.Len()/8 {
		return bytes.Clone(plain.Bytes()), nil // entries keep what they are read from
	}
	return plain.Bytes(), nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// fieldReader reads the fields of a plain body; the first fault sticks.
type fieldReader struct {
	rest []byte
	bad  bool
}

func (r *fieldReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *fieldReader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *fieldReader) string() string { return string(r.bytes()) }

// count reads the length of a list whose elements take at least so many bytes
// each. A forged length cannot make us allocate what the input has no bytes for,
// nor can a bomb of empty elements, which decoded are many times their size.
func (r *fieldReader) count(least int) int {
	n := r.uvarint()
	if n > uint64(len(r.rest)/least) || n > maxList {
		r.bad, r.rest = true, nil
		return 0
	}
	return int(n)
}

// checkList refuses to write what count would not read.
func checkList(what string, n int) error {
	if n > maxList {
		return fmt.Errorf("%w: %d %s, at most %d; split it", ErrTooLarge, n, what, maxList)
	}
	return nil
}

func (r *fieldReader) end(what string) error {
	if r.bad || len(r.rest) != 0 {
		return fmt.Errorf("%w: %s fields", ErrFormat, what)
	}
	return nil
}
