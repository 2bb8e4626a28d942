package main

import "time"

// histogram counts durations by the nanosecond. Adding to it allocates nothing.
type histogram struct {
	counts [1 << 14]uint32 // the last one is for all that are longer
	n      int
}

func (h *histogram) add(took time.Duration) {
	h.counts[min(max(int(took), 0), len(h.counts)-1)]++
	h.n++
}

// quantile returns the duration, in nanoseconds, below which a part q of all lie.
func (h *histogram) quantile(q float64) float64 {
	rank := int(q * float64(h.n))
	for ns, count := range h.counts {
		if rank -= int(count); rank < 0 {
			return float64(ns)
		}
	}
	return float64(len(h.counts))
}
