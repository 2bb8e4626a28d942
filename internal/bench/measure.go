package main

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// loop does the measured thing n times.
type loop func(n int)

type measurer struct {
	turns int
	slice time.Duration
}

// result is the median time of one run of a loop, and the median of its ratio to
// the first loop of the same turn.
type result struct{ ns, ratio float64 }

// compare measures the loops in turns, so that whatever else the machine does
// meets all of them alike.
func (m measurer) compare(loops ...loop) []result {
	counts := make([]int, len(loops))
	for i, l := range loops {
		counts[i] = m.calibrate(l)
	}
	times, ratios := make([][]float64, len(loops)), make([][]float64, len(loops))
	for range m.turns {
		var first float64
		for i, l := range loops {
			ns := perRun(l, counts[i])
			if i == 0 {
				first = ns
			}
			times[i], ratios[i] = append(times[i], ns), append(ratios[i], ns/first)
		}
	}
	results := make([]result, len(loops))
	for i := range loops {
		results[i] = result{median(times[i]), median(ratios[i])}
	}
	return results
}

// calibrate returns how many runs take about a slice.
func (m measurer) calibrate(l loop) int {
	n := 64
	for {
		began := time.Now()
		l(n)
		if took := time.Since(began); took >= m.slice/2 || n >= 1<<26 {
			return n
		}
		n *= 2
	}
}

func perRun(l loop, n int) float64 {
	began := time.Now()
	l(n)
	return float64(time.Since(began).Nanoseconds()) / float64(n)
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// cores shows whether reads on two cores get into each other's way.
func (m measurer) cores(s shape) {
	n := m.calibrate(s.client)
	both := loop(func(n int) {
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { s.client(n) })
		}
		wg.Wait()
	})
	var ratios []float64
	for range m.turns {
		ratios = append(ratios, perRun(both, n)/perRun(s.client, n))
	}
	fmt.Printf("%s on two goroutines at once: %.2fx the time of one (1.00x: they do not meet)\n", s.name, median(ratios))
}

// allocations returns how many pieces of memory one run of a loop allocates.
func allocations(l loop) float64 { return testing.AllocsPerRun(1000, func() { l(1) }) }
