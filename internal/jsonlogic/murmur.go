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

// with returns the state after s. It takes and returns the state by value, in registers: through a pointer, each block
// would wait for the one before to be stored.
func (m murmur) with(s string) murmur {
	// The masks tell the compiler that no shift is wider than the word.
	shift := 8 * (m.size & 3)
	left, right := shift&31, (32-shift)&31
	m.size += uint32(len(s))
	if shift == 0 {
		for len(s) >= 4 {
			m.h = mix(m.h, load32(s))
			s = s[4:]
		}
	} else {
		for len(s) >= 4 {
			k := load32(s)
			m.h = mix(m.h, m.tail|k<<left)
			m.tail = k >> right
			s = s[4:]
		}
	}
	if len(s) > 0 {
		rest := uint64(m.tail) | loadRest(s)<<left
		if shift/8+uint32(len(s)) >= 4 {
			m.h = mix(m.h, uint32(rest))
			rest >>= 32
		}
		m.tail = uint32(rest)
	}
	return m
}

// loadRest reads the 1 to 3 bytes that are left, some of them more than once but to the same place.
func loadRest(s string) uint64 {
	middle, last := len(s)/2, len(s)-1
	return uint64(s[0]) | uint64(s[middle])<<(8*middle&31) | uint64(s[last])<<(8*last&31)
}

func load32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func (m murmur) sum() uint32 {
	h := m.h
	if m.size&3 != 0 {
		h ^= scramble(m.tail)
	}
	h ^= m.size
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
