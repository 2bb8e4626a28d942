package flags

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
)

// Digest identifies the contents of a flag set: the sum modulo 2^128 of the
// hashes of its entries. A sum does not depend on order, so one changed entry
// is one subtraction and one addition, whatever the size of the set. The zero
// Digest is that of the empty set.
type Digest struct{ hi, lo uint64 }

// EntryHash is the hash of one entry: SHA-256 over kind, name, entity and bytes,
// each preceded by its length, cut to 16 bytes.
func EntryHash(key EntryKey, data []byte) Digest {
	buf := make([]byte, 0, 256)
	buf = append(buf, byte(key.Kind))
	buf = appendString(buf, key.Name)
	buf = appendString(buf, key.Entity)
	buf = binary.AppendUvarint(buf, uint64(len(data)))
	buf = append(buf, data...)
	sum := sha256.Sum256(buf)
	return Digest{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])}
}

// Plus returns d with the entry hash h added.
func (d Digest) Plus(h Digest) Digest {
	lo, carry := bits.Add64(d.lo, h.lo, 0)
	hi, _ := bits.Add64(d.hi, h.hi, carry)
	return Digest{hi, lo}
}

// Minus returns d with the entry hash h taken away.
func (d Digest) Minus(h Digest) Digest {
	lo, borrow := bits.Sub64(d.lo, h.lo, 0)
	hi, _ := bits.Sub64(d.hi, h.hi, borrow)
	return Digest{hi, lo}
}

// String returns the digest as 32 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d.Bytes()) }

// Bytes returns the digest as 16 bytes, big-endian.
func (d Digest) Bytes() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, d.hi), d.lo)
}

// DigestFromBytes is the inverse of Digest.Bytes; ok is false unless b has 16 bytes.
func DigestFromBytes(b []byte) (d Digest, ok bool) {
	if len(b) != 16 {
		return Digest{}, false
	}
	return Digest{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}, true
}
