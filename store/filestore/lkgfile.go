package filestore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// The file is
//
//	"HFLKG" | format version (1) | CRC-32C of all that follows (4) |
//	header length (4) | header | checkpoint length (8) | checkpoint | SHA-256 of these four
//
// all numbers big-endian. The header (as-of instant; head of the set, which is its
// name, lineage, epoch, revision and digest) is not compressed, so that a writer
// can see whether the file is newer than what it is about to write without decoding
// the set. The CRC comes first and costs next to nothing: it finds torn and
// flipped bytes. SHA-256 leaves no chance to what the CRC lets pass.
//
// Format 1 had no CRC and was never released.
const (
	fileMagic   = "HFLKG"
	fileVersion = 2
	crcAt       = len(fileMagic) + 1
	headerAt    = crcAt + 4 + 4
	maxHeader   = 4096
	maxFile     = flags.MaxCheckpointBytes + maxHeader + 1024
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// kept is the content of a last-known-good file.
type kept struct {
	head       flags.Head
	asOf       time.Time // wall clock of the origin's as-of instant
	checkpoint *flags.Checkpoint
}

func encodeKept(cp *flags.Checkpoint, asOf time.Time) ([]byte, error) {
	head, err := cp.Head.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode head: %w", err)
	}
	header := append(binary.BigEndian.AppendUint64(nil, uint64(asOf.UnixMicro())), head...)
	body, err := cp.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode checkpoint: %w", err)
	}
	out := make([]byte, 0, headerAt+len(header)+8+len(body)+sha256.Size)
	out = append(out, fileMagic...)
	out = append(out, fileVersion, 0, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(len(header)))
	out = append(out, header...)
	out = binary.BigEndian.AppendUint64(out, uint64(len(body)))
	out = append(out, body...)
	sum := sha256.Sum256(out[crcAt+4:])
	out = append(out, sum[:]...)
	binary.BigEndian.PutUint32(out[crcAt:], crc32.Checksum(out[crcAt+4:], castagnoli))
	return out, nil
}

// openKept checks that a file is whole and returns what its header says, and the
// encoded checkpoint. Trusting, it leaves the checksums out.
func openKept(data []byte, trusting bool) (k kept, body []byte, err error) {
	switch {
	case len(data) < crcAt || string(data[:len(fileMagic)]) != fileMagic:
		return k, nil, fmt.Errorf("%w: not a last-known-good file", flags.ErrFormat)
	case data[len(fileMagic)] != fileVersion:
		return k, nil, fmt.Errorf("%w: format version %d, this version reads %d", flags.ErrFormat, data[len(fileMagic)], fileVersion)
	case len(data) < headerAt+sha256.Size:
		return k, nil, fmt.Errorf("%w: short file", flags.ErrFormat)
	}
	if !trusting {
		if err := checkSums(data); err != nil {
			return k, nil, err
		}
	}
	rest := data[headerAt : len(data)-sha256.Size]
	n := binary.BigEndian.Uint32(data[headerAt-4:])
	if n < 8 || n > maxHeader || int(n)+8 > len(rest) {
		return k, nil, fmt.Errorf("%w: header length %d", flags.ErrFormat, n)
	}
	header, rest := rest[:n], rest[n:]
	k.asOf = time.UnixMicro(int64(binary.BigEndian.Uint64(header)))
	if err := k.head.UnmarshalBinary(header[8:]); err != nil {
		return kept{}, nil, err
	}
	if size := binary.BigEndian.Uint64(rest); size != uint64(len(rest)-8) {
		return kept{}, nil, fmt.Errorf("%w: checkpoint length %d", flags.ErrFormat, size)
	}
	return k, rest[8:], nil
}

func checkSums(data []byte) error {
	summed := data[crcAt+4:]
	if crc32.Checksum(summed, castagnoli) != binary.BigEndian.Uint32(data[crcAt:]) {
		return fmt.Errorf("%w: checksum", flags.ErrFormat)
	}
	content, sum := summed[:len(summed)-sha256.Size], summed[len(summed)-sha256.Size:]
	if want := sha256.Sum256(content); !bytes.Equal(want[:], sum) {
		return fmt.Errorf("%w: SHA-256", flags.ErrFormat)
	}
	return nil
}

// decodeKept verifies and decodes a whole file.
func decodeKept(data []byte, trusting bool) (kept, error) {
	k, body, err := openKept(data, trusting)
	if err != nil {
		return kept{}, err
	}
	k.checkpoint = new(flags.Checkpoint)
	if err := k.checkpoint.UnmarshalBinary(body); err != nil {
		return kept{}, err
	}
	if k.checkpoint.Head != k.head {
		return kept{}, fmt.Errorf("%w: header and checkpoint differ", flags.ErrFormat)
	}
	return k, nil
}

// readFile reads a file of a size that a good one can have. What is no regular
// file is refused unopened: a pipe would keep us waiting for ever.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is not a regular file", flags.ErrFormat, path)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%w: %s has %d bytes, at most %d", flags.ErrTooLarge, path, info.Size(), maxFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data bytes.Buffer
	data.Grow(int(info.Size()) + bytes.MinRead)
	_, err = data.ReadFrom(io.LimitReader(f, maxFile))
	return data.Bytes(), err
}
