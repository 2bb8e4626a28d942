package jsonlogic

import "math/bits"

// murmur is MurmurHash3 x86 32 with seed 0 over text that comes in pieces: bucketing hashes flag key and targeting key
// one after the other, so neither is copied and the flag key is hashed once, when its rule is compiled.
type murmur struct {
	h    uint32
	tail uint32 // the size%4 bytes not yet mixed in, lowest first
	size uint32
}

func mix(h, k uint32) uint32 { return bits.RotateLeft32(h^scramble(k), 13)*5 + 0xe6546b64 }

func scramble(k uint32) uint32 { return bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593 }

// write works on copies of the state: through the pointer, each block would wait for the one before to be stored.
func (m *murmur) write(s string) {
	h, tail, shift := m.h, m.tail, 8*(m.size&3)
	m.size += uint32(len(s))
	if shift == 0 {
		for len(s) >= 4 {
			h = mix(h, load32(s))
			s = s[4:]
		}
	} else {
		// The masks tell the compiler that no shift is wider than the word.
		left, right := shift&31, (32-shift)&31
		for len(s) >= 4 {
			k := load32(s)
			h = mix(h, tail|k<<left)
			tail = k >> right
			s = s[4:]
		}
	}
	for i := range len(s) {
		tail |= uint32(s[i]) << (shift & 31)
		if shift += 8; shift == 32 {
			h = mix(h, tail)
			tail, shift = 0, 0
		}
	}
	m.h, m.tail = h, tail
}

func load32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func (m *murmur) sum() uint32 {
	h := m.h
	if m.size&3 != 0 {
		h ^= scramble(m.tail)
	}
	h ^= m.size
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
