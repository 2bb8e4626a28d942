//go:build race

package matrix_test

// A day takes minutes with the race detector, so make test has whole days without it
// and a part of each with it.
const (
	dayOfFaults = day / 12
	manySeeds   = 3
)
