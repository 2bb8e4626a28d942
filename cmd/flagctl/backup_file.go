package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"

	"github.com/holdfast-flags/holdfast/flags"
)

// A backup file is
//
//	"HFBAK" | format version (1) | parts | 'E' | SHA-256 of all before it
//
// where a part is a letter, a length (4, big-endian) and the stored form of a
// checkpoint ('K'), with which a set begins, or of one of its commits ('C').
const (
	backupMagic   = "HFBAK"
	backupVersion = 1
	checkpointTag = 'K'
	commitTag     = 'C'
	endTag        = 'E'
)

// savedSet is a set as a backup has it: as it was, and what led there as far back
// as it was known.
type savedSet struct {
	checkpoint *flags.Checkpoint
	commits    []flags.Commit
}

// backupWriter writes a backup file.
type backupWriter struct {
	out io.Writer
	sum hash.Hash
}

func newBackupWriter(out io.Writer) (*backupWriter, error) {
	w := &backupWriter{out: out, sum: sha256.New()}
	return w, w.write([]byte(backupMagic + string(rune(backupVersion))))
}

func (w *backupWriter) write(b []byte) error {
	w.sum.Write(b)
	_, err := w.out.Write(b)
	return err
}

func (w *backupWriter) part(tag byte, v interface{ MarshalBinary() ([]byte, error) }) error {
	body, err := v.MarshalBinary()
	if err != nil {
		return err
	}
	head := binary.BigEndian.AppendUint32([]byte{tag}, uint32(len(body)))
	if err := w.write(head); err != nil {
		return err
	}
	return w.write(body)
}

func (w *backupWriter) end() error {
	if err := w.write([]byte{endTag}); err != nil {
		return err
	}
	_, err := w.out.Write(w.sum.Sum(nil))
	return err
}

// parseBackup reads a backup file whole and checks all that can be checked: its
// digest, that of each set, and that the commits of a set lead to its checkpoint.
// The error wraps flags.ErrFormat, flags.ErrDigest or flags.ErrTooLarge.
func parseBackup(data []byte) ([]savedSet, error) {
	body, ok := bytes.CutPrefix(data, []byte(backupMagic))
	switch {
	case !ok || len(body) == 0:
		return nil, fmt.Errorf("%w: no backup of flagctl", flags.ErrFormat)
	case body[0] != backupVersion:
		return nil, fmt.Errorf("%w: backup of format %d; this version reads %d", flags.ErrFormat, body[0], backupVersion)
	case len(body) < 2+sha256.Size || body[len(body)-sha256.Size-1] != endTag:
		return nil, fmt.Errorf("%w: the backup was cut off", flags.ErrFormat)
	}
	content, digest := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if sum := sha256.Sum256(content); !bytes.Equal(sum[:], digest) {
		return nil, fmt.Errorf("%w: the backup was damaged", flags.ErrDigest)
	}
	var sets []savedSet
	seen := map[string]bool{}
	for parts := body[1 : len(body)-sha256.Size-1]; len(parts) > 0; {
		tag, part, rest, err := cutPart(parts)
		if err != nil {
			return nil, err
		}
		parts = rest
		if sets, err = takePart(sets, seen, tag, part); err != nil {
			return nil, err
		}
	}
	for i := range sets {
		if n := len(sets[i].commits); n > 0 && sets[i].commits[n-1].Head() != sets[i].checkpoint.Head {
			return nil, fmt.Errorf("%w: the commits of %q lead elsewhere", flags.ErrFormat, sets[i].checkpoint.Set)
		}
	}
	return sets, nil
}

func cutPart(parts []byte) (tag byte, part, rest []byte, err error) {
	if len(parts) >= 5 {
		if n := binary.BigEndian.Uint32(parts[1:]); uint64(n) <= uint64(len(parts)-5) {
			return parts[0], parts[5 : 5+n], parts[5+n:], nil
		}
	}
	return 0, nil, nil, fmt.Errorf("%w: a part of the backup is cut off", flags.ErrFormat)
}

func takePart(sets []savedSet, seen map[string]bool, tag byte, part []byte) ([]savedSet, error) {
	switch {
	case tag == checkpointTag:
		cp := new(flags.Checkpoint)
		if err := cp.UnmarshalBinary(part); err != nil {
			return nil, err
		}
		if seen[cp.Set] {
			return nil, fmt.Errorf("%w: %q is in the backup twice", flags.ErrFormat, cp.Set)
		}
		seen[cp.Set] = true
		return append(sets, savedSet{checkpoint: cp}), nil
	case tag == commitTag && len(sets) > 0:
		var c flags.Commit
		if err := c.UnmarshalBinary(part); err != nil {
			return nil, err
		}
		s := &sets[len(sets)-1]
		if n := len(s.commits); c.Set != s.checkpoint.Set || n > 0 && !s.commits[n-1].Version.Before(c.Version) {
			return nil, fmt.Errorf("%w: commit %s is out of place", flags.ErrFormat, c.Head().Token())
		}
		s.commits = append(s.commits, c)
		return sets, nil
	default:
		return nil, fmt.Errorf("%w: a part of kind %q in the backup", flags.ErrFormat, tag)
	}
}
