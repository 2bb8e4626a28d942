package flags

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

const (
	commitMagic     = "HFC"
	checkpointMagic = "HFK"
)

// Fewest bytes of a list element: empty strings and small numbers.
const (
	leastKey       = 3 // kind, name, entity
	leastCondition = leastKey + 2
	leastMutation  = leastKey + 1
	leastEntry     = leastKey + 2
)

// MarshalBinary returns the one stored and sent form of a commit. The error
// wraps ErrTooLarge when it would be over MaxCommitBytes or 400,000 changes or conditions.
func (c *Commit) MarshalBinary() ([]byte, error) {
	if err := errors.Join(checkList("conditions", len(c.Conditions)), checkList("changes", len(c.Changes))); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 512)
	b = append(b, byte(c.Op))
	b = appendString(b, c.Set)
	b = appendString(b, string(c.Lineage))
	b = appendVersion(b, c.Version)
	b = append(b, c.ID[:]...)
	for _, s := range []string{c.Actor.Kind, c.Actor.ID, c.Actor.Via, c.Reason, c.Address} {
		b = appendString(b, s)
	}
	b = appendTime(b, c.Time)
	b = appendVersion(b, c.If)
	b = binary.AppendUvarint(b, uint64(len(c.Conditions)))
	for _, p := range c.Conditions {
		b = appendVersion(appendKey(b, p.Key), p.Version)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Changes)))
	for _, m := range c.Changes {
		b = appendKey(b, m.Key)
		if m.Bytes == nil {
			b = append(b, 0)
			continue
		}
		b = append(b, 1)
		b = appendString(b, string(m.Bytes))
	}
	b = append(b, c.Digest.Bytes()...)
	b = binary.AppendUvarint(b, uint64(c.Count))
	out, err := sealFrame(commitMagic, b)
	if err == nil && len(out) > MaxCommitBytes {
		err = fmt.Errorf("%w: commit of %d bytes, at most %d; split it", ErrTooLarge, len(out), MaxCommitBytes)
	}
	return out, err
}

// UnmarshalBinary reads what MarshalBinary wrote. The error wraps ErrFormat or
// ErrTooLarge. The commit keeps referring to data.
func (c *Commit) UnmarshalBinary(data []byte) error {
	if len(data) > MaxCommitBytes {
		return fmt.Errorf("%w: commit of %d bytes", ErrTooLarge, len(data))
	}
	plain, err := openFrame(commitMagic, data)
	if err != nil {
		return err
	}
	r := &fieldReader{rest: plain}
	*c = Commit{Op: Op(r.byte()), Set: r.string(), Lineage: Lineage(r.string()), Version: r.version()}
	copy(c.ID[:], r.fixed(len(c.ID)))
	c.Actor = Actor{Kind: r.string(), ID: r.string(), Via: r.string()}
	c.Reason, c.Address, c.Time, c.If = r.string(), r.string(), r.time(), r.version()
	for n := r.count(leastCondition); len(c.Conditions) < n && !r.bad; {
		c.Conditions = append(c.Conditions, Condition{Key: r.key(), Version: r.version()})
	}
	n := r.count(leastMutation)
	c.Changes = make([]Mutation, 0, n)
	for len(c.Changes) < n && !r.bad {
		m := Mutation{Key: r.key()}
		switch r.byte() {
		case 0: // deleted
		case 1:
			m.Bytes = r.bytes()
		default:
			r.bad = true
		}
		c.Changes = append(c.Changes, m)
	}
	c.Digest, c.Count = r.digest(), int(r.uvarint())
	if c.Op > OpDelete || c.Count < 0 {
		r.bad = true
	}
	return r.end("commit")
}

// MarshalBinary returns the one stored and sent form of a checkpoint. The error
// wraps ErrTooLarge when it would be over MaxCheckpointBytes or 400,000 entries.
func (cp *Checkpoint) MarshalBinary() ([]byte, error) {
	if err := checkList("entries", len(cp.Entries)); err != nil {
		return nil, err
	}
	size := 256
	for _, e := range cp.Entries {
		size += len(e.Key.Name) + len(e.Key.Entity) + len(e.Bytes) + 16
	}
	b := appendHead(make([]byte, 0, size), cp.Head)
	b = binary.AppendUvarint(b, uint64(len(cp.Entries)))
	for _, e := range cp.Entries {
		b = binary.AppendUvarint(appendKey(b, e.Key), e.Revision)
		b = append(binary.AppendUvarint(b, uint64(len(e.Bytes))), e.Bytes...)
	}
	out, err := sealFrame(checkpointMagic, b)
	if err == nil && len(out) > MaxCheckpointBytes {
		err = fmt.Errorf("%w: checkpoint of %d bytes, at most %d", ErrTooLarge, len(out), MaxCheckpointBytes)
	}
	return out, err
}

// UnmarshalBinary reads what MarshalBinary wrote and verifies order, count and
// digest. The error wraps ErrFormat, ErrTooLarge or ErrDigest.
func (cp *Checkpoint) UnmarshalBinary(data []byte) error {
	if len(data) > MaxCheckpointBytes {
		return fmt.Errorf("%w: checkpoint of %d bytes", ErrTooLarge, len(data))
	}
	plain, err := openFrame(checkpointMagic, data)
	if err != nil {
		return err
	}
	r := &fieldReader{rest: plain}
	*cp = Checkpoint{Head: r.head()}
	n := r.count(leastEntry)
	cp.Entries = make([]Entry, 0, n)
	for len(cp.Entries) < n && !r.bad {
		e := Entry{Key: r.key(), Revision: r.uvarint()}
		e.Bytes = r.bytes()
		cp.Entries = append(cp.Entries, e)
	}
	if err := r.end("checkpoint"); err != nil {
		return err
	}
	return cp.Verify()
}

// Verify checks that the entries are sorted, distinct and add up to the head's
// digest and count. The error wraps ErrFormat or ErrDigest.
func (cp *Checkpoint) Verify() error {
	for i := 1; i < len(cp.Entries); i++ {
		if cp.Entries[i-1].Key.Compare(cp.Entries[i].Key) >= 0 {
			return fmt.Errorf("%w: checkpoint entries out of order at %s", ErrFormat, cp.Entries[i].Key)
		}
	}
	var d Digest
	for _, e := range cp.Entries {
		d = d.Plus(EntryHash(e.Key, e.Bytes))
	}
	if d != cp.Digest || len(cp.Entries) != cp.Count {
		return fmt.Errorf("%w: checkpoint %s has %d entries adding up to %s, head says %d and %s",
			ErrDigest, cp.Token(), len(cp.Entries), d, cp.Count, cp.Digest)
	}
	return nil
}

// MarshalBinary returns the stored and sent form of a head.
func (h Head) MarshalBinary() ([]byte, error) { return appendHead(nil, h), nil }

// UnmarshalBinary reads what MarshalBinary wrote. The error wraps ErrFormat.
func (h *Head) UnmarshalBinary(data []byte) error {
	r := &fieldReader{rest: data}
	*h = r.head()
	return r.end("head")
}

func appendHead(b []byte, h Head) []byte {
	b = appendString(b, h.Set)
	b = appendString(b, string(h.Lineage))
	b = appendVersion(b, h.Version)
	b = append(b, byte(h.Status))
	b = append(b, h.Digest.Bytes()...)
	b = binary.AppendUvarint(b, uint64(h.Count))
	return appendTime(b, h.Time)
}

func appendVersion(b []byte, v Version) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, v.Epoch), v.Revision)
}

func appendKey(b []byte, k EntryKey) []byte {
	return appendString(appendString(append(b, byte(k.Kind)), k.Name), k.Entity)
}

// appendTime keeps microseconds: no store in use keeps more.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	return binary.AppendVarint(b, t.UnixMicro())
}

func (r *fieldReader) head() Head {
	h := Head{Set: r.string(), Lineage: Lineage(r.string()), Version: r.version(), Status: Status(r.byte())}
	h.Digest, h.Count, h.Time = r.digest(), int(r.uvarint()), r.time()
	if h.Status > StatusDeleted || h.Count < 0 {
		r.bad = true
	}
	return h
}

func (r *fieldReader) version() Version { return Version{r.uvarint(), r.uvarint()} }

func (r *fieldReader) key() EntryKey {
	k := EntryKey{Kind: Kind(r.byte()), Name: r.string(), Entity: r.string()}
	if _, known := kindNames[k.Kind]; !known {
		r.bad = true
	}
	return k
}

func (r *fieldReader) digest() Digest {
	d, ok := DigestFromBytes(r.fixed(16))
	r.bad = r.bad || !ok
	return d
}

func (r *fieldReader) byte() byte {
	if b := r.fixed(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *fieldReader) fixed(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *fieldReader) time() time.Time {
	us, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return time.Time{}
	}
	r.rest = r.rest[n:]
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
