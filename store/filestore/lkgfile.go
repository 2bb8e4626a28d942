package filestore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// The file is
//
//	"HFLKG" | format version (1) | header length (4) | header | checkpoint length (8) | checkpoint | SHA-256 of all before
//
// all numbers big-endian. The header (head of the set and as-of instant) is not
// compressed, so that a writer can see whether the file is newer than what it is
// about to write without decoding the set.
const (
	fileMagic   = "HFLKG"
	fileVersion = 1
	fixedBytes  = len(fileMagic) + 1 + 4
	maxHeader   = 4096
)

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
	out := make([]byte, 0, fixedBytes+len(header)+8+len(body)+sha256.Size)
	out = append(out, fileMagic...)
	out = append(out, fileVersion)
	out = binary.BigEndian.AppendUint32(out, uint32(len(header)))
	out = append(out, header...)
	out = binary.BigEndian.AppendUint64(out, uint64(len(body)))
	out = append(out, body...)
	sum := sha256.Sum256(out)
	return append(out, sum[:]...), nil
}

// readHeader reads what says which set and version a file holds. It does not
// verify the rest.
func readHeader(r io.Reader) (kept, error) {
	fixed := make([]byte, fixedBytes)
	if _, err := io.ReadFull(r, fixed); err != nil {
		return kept{}, fmt.Errorf("%w: short file", flags.ErrFormat)
	}
	if string(fixed[:len(fileMagic)]) != fileMagic {
		return kept{}, fmt.Errorf("%w: not a last-known-good file", flags.ErrFormat)
	}
	if v := fixed[len(fileMagic)]; v != fileVersion {
		return kept{}, fmt.Errorf("%w: format version %d, this version reads %d", flags.ErrFormat, v, fileVersion)
	}
	n := binary.BigEndian.Uint32(fixed[len(fileMagic)+1:])
	if n < 8 || n > maxHeader {
		return kept{}, fmt.Errorf("%w: header length %d", flags.ErrFormat, n)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(r, header); err != nil {
		return kept{}, fmt.Errorf("%w: short header", flags.ErrFormat)
	}
	k := kept{asOf: time.UnixMicro(int64(binary.BigEndian.Uint64(header)))}
	if err := k.head.UnmarshalBinary(header[8:]); err != nil {
		return kept{}, err
	}
	return k, nil
}

// openKept checks that a file is whole and returns what its header says, and the
// encoded checkpoint.
func openKept(data []byte) (k kept, body []byte, err error) {
	if len(data) < sha256.Size {
		return kept{}, nil, fmt.Errorf("%w: short file", flags.ErrFormat)
	}
	content, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if want := sha256.Sum256(content); !bytes.Equal(want[:], sum) {
		return kept{}, nil, fmt.Errorf("%w: checksum", flags.ErrFormat)
	}
	r := bytes.NewReader(content)
	if k, err = readHeader(r); err != nil {
		return kept{}, nil, err
	}
	var size uint64
	if err := binary.Read(r, binary.BigEndian, &size); err != nil || size != uint64(r.Len()) {
		return kept{}, nil, fmt.Errorf("%w: checkpoint length", flags.ErrFormat)
	}
	return k, content[len(content)-r.Len():], nil
}

// decodeKept verifies and decodes a whole file.
func decodeKept(data []byte) (kept, error) {
	k, body, err := openKept(data)
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

// readKept reads and verifies the file at path.
func readKept(path string) (kept, error) {
	data, err := readFile(path)
	if err != nil {
		return kept{}, err
	}
	k, err := decodeKept(data)
	if err != nil {
		return kept{}, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// readFile reads as much as a good file can have.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, flags.MaxCheckpointBytes+maxHeader+1024))
}

// replaceFile puts data at path so that a crash at any instant leaves either the
// old content or the new one: a temporary file in the same directory, fsync,
// rename, fsync of the directory (without which the rename itself may be lost).
func replaceFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp") // O_EXCL, 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name()))
		}
	}()
	if _, err := tmp.Write(data); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	return tmp.Close()
}

// keepPrevious links the present file to prev. The link is made under another
// name and renamed, so that prev never disappears.
func keepPrevious(path, prev string) error {
	next := prev + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Link(path, next); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return os.Rename(next, prev)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
