package cachestrategy

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// The stored form of a Holding:
//
//	format (1 byte) | as-of, end, margin (varints, microseconds) | head | checkpoint | number of commits | commits
//
// where head, checkpoint and commits are preceded by their lengths.
const holdingFormat = 1

// MarshalBinary returns the stored form of the holding.
func (h *Holding) MarshalBinary() ([]byte, error) {
	// By the monotonic clock, so that a step of the wall clock cannot renew an entry.
	asOf := time.Now().Add(-time.Since(h.asOf)).UnixMicro()
	b := []byte{holdingFormat}
	b = binary.AppendVarint(b, asOf)
	b = binary.AppendVarint(b, asOf+h.end.Sub(h.asOf).Microseconds())
	b = binary.AppendVarint(b, h.margin.Microseconds())
	head, err := h.head.MarshalBinary()
	if err != nil {
		return nil, err
	}
	cp, err := h.base.MarshalBinary()
	if err != nil {
		return nil, err
	}
	b = appendPart(appendPart(b, head), cp)
	b = binary.AppendUvarint(b, uint64(len(h.tail)))
	for i := range h.tail {
		c, err := h.tail[i].MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = appendPart(b, c)
	}
	return b, nil
}

func appendPart(b, part []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

// UnmarshalBinary reads what MarshalBinary wrote and checks that it adds up. The
// error wraps ErrDamaged or ErrNewerFormat.
func (h *Holding) UnmarshalBinary(data []byte) error {
	if len(data) > 0 && data[0] > holdingFormat {
		return fmt.Errorf("%w: format %d, this version reads %d", ErrNewerFormat, data[0], holdingFormat)
	}
	next, err := parseHolding(data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	*h = *next
	return nil
}

func parseHolding(data []byte) (*Holding, error) {
	r := &partReader{rest: data}
	if format := r.next(1); len(format) == 0 || format[0] != holdingFormat {
		return nil, flags.ErrFormat
	}
	asOf, end, margin := r.varint(), r.varint(), r.varint()
	const last = 1 << 52 // microseconds, in the year 2112: durations from there fit
	if r.bad || asOf < 0 || end < asOf || end > last || margin < 0 || margin > end-asOf {
		return nil, flags.ErrFormat
	}
	now := time.Now()
	h := &Holding{asOf: now.Add(-time.Duration(now.UnixMicro()-asOf) * time.Microsecond), margin: time.Duration(margin) * time.Microsecond}
	h.end = h.asOf.Add(time.Duration(end-asOf) * time.Microsecond)
	if err := h.head.UnmarshalBinary(r.part()); err != nil {
		return nil, err
	}
	h.base = &flags.Checkpoint{}
	if err := h.base.UnmarshalBinary(r.part()); err != nil {
		return nil, err
	}
	for _, e := range h.base.Entries {
		h.bytes += mutationBytes(e.Key, e.Bytes)
	}
	return h, h.readTail(r)
}

func (h *Holding) readTail(r *partReader) error {
	contents := flags.ContentsOf(h.base)
	n := r.uvarint()
	if n > maxTail {
		return flags.ErrFormat
	}
	for range n {
		var c flags.Commit
		if err := c.UnmarshalBinary(r.part()); err != nil {
			return err
		}
		if err := contents.Apply(&c); err != nil {
			return err
		}
		h.extend([]flags.Commit{c})
	}
	if r.bad || len(r.rest) > 0 || !SameHead(contents.Head(), h.head) {
		return flags.ErrFormat
	}
	return nil
}

// partReader takes a stored form apart. After a fault all it returns is empty.
type partReader struct {
	rest []byte
	bad  bool
}

func (r *partReader) next(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	part := r.rest[:n:n]
	r.rest = r.rest[n:]
	return part
}

func (r *partReader) part() []byte { return r.next(r.uvarint()) }

func (r *partReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *partReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}
