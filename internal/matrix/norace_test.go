//go:build !race

package matrix_test

const (
	dayOfFaults = day
	manySeeds   = 100
)
