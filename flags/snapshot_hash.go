package flags

import (
	"math/bits"
	"math/rand/v2"
)

// hashSeed is drawn anew in each process, which makes collisions unforeseeable:
// targeting keys and asked-for flag keys come from outside.
var hashSeed = rand.Uint64()

// The multipliers are odd, with about as many ones as zeros, and nothing more to them.
const (
	hashStep  = 0x9e3779b97f4a7c15
	hashFinal = 0xd6e8feb86659fd93
)

// hashText hashes a key, never to 0. It folds 128-bit products of eight bytes at a
// time, inline: hash/maphash took longer than the whole rest of a read.
func hashText(s string) uint64 {
	// The length goes into the last multiplier: ends of texts are read twice in part, and one
	// text must not read as another with a length that makes up for it.
	n, h := len(s), hashSeed
	last := hashFinal ^ uint64(n)<<8
	switch {
	case n > 8:
		for rest := s; len(rest) > 8; rest = rest[8:] {
			h = fold(h^load64(rest), hashStep)
		}
		h = fold(h^load64(s[n-8:]), last)
	case n >= 4:
		h = fold(h^(uint64(load32(s))|uint64(load32(s[n-4:]))<<32), last)
	case n > 0:
		h = fold(h^(uint64(s[0])|uint64(s[n/2])<<8|uint64(s[n-1])<<16), last)
	}
	return h | 1<<63
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// load64 is one instruction once compiled.
func load64(s string) uint64 { return uint64(load32(s)) | uint64(load32(s[4:]))<<32 }

func load32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}
