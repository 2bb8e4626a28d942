package main

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
)

const (
	phase   = 500 * time.Millisecond // of health or of a fault, both measured from end to end
	rewrite = 50 * time.Millisecond  // between two commits, which go on whatever is wrong
	upDown  = 20 * time.Millisecond  // of a layer that flaps
)

// fault is something that goes wrong with the layers of a house.
type fault struct {
	name  string
	flaps bool
	mode  faultnet.Mode
	at    []string
}

// The first is the control: what its ratio is away from 1 is the noise of the others.
var faults = []fault{
	{name: "nothing"},
	{name: "primary refuses", mode: faultnet.Refuse, at: []string{"primary"}},
	{name: "primary hangs", mode: faultnet.Hang, at: []string{"primary"}},
	{name: "primary flaps", mode: faultnet.Refuse, at: []string{"primary"}, flaps: true},
	{name: "Redis hangs", mode: faultnet.Hang, at: []string{"cache"}},
	{name: "all refuse", mode: faultnet.Refuse, at: []string{"primary", "secondary", "cache"}},
	{name: "all hang", mode: faultnet.Hang, at: []string{"primary", "secondary", "cache"}},
}

// outages shows how long warm reads take while layers fail, beside the same reads of the same client in health.
// Phases of both follow one another, and a ratio is of a fault to the phases of health before and after it.
func outages(ctx context.Context, rounds int) error {
	h, err := newHouse(ctx, 8)
	if err != nil {
		return err
	}
	defer h.close()
	healthy, broken, ratios := make([][]float64, len(faults)), make([][]float64, len(faults)), make([][]float64, len(faults))
	sent := make([]int64, len(faults)) // calls, during the faults
	var reads, failed int
	measure := func() float64 {
		var hist histogram
		failed += h.read(ctx, phase, &hist)
		reads += hist.n * len(warm)
		return hist.quantile(0.99)
	}
	before := measure()
	for range rounds {
		for i, f := range faults {
			mend, err := h.suffer(f)
			if err != nil {
				return err
			}
			calls := h.calls.Load()
			during := measure()
			sent[i] += h.calls.Load() - calls
			mend()
			if err := h.recovered(ctx); err != nil {
				return fmt.Errorf("after %q: %w", f.name, err)
			}
			after := measure()
			healthy[i], broken[i] = append(healthy[i], after), append(broken[i], during)
			ratios[i] = append(ratios[i], during/((before+after)/2))
			before = after
		}
	}
	fmt.Printf("\np99 of %d warm reads in a row, among %d flags, while layers fail that %d clients of the process follow, %d phases of %s each; %d reads, %d failed\n",
		len(warm), flagCount, len(h.clients), rounds, phase, reads, failed)
	for i, f := range faults {
		fmt.Printf("  %-16s %6.0f ns, healthy %6.0f ns, %.2fx; %d calls a phase\n",
			f.name, median(broken[i]), median(healthy[i]), median(ratios[i]), sent[i]/int64(rounds))
	}
	return nil
}

// warm is what is read, all of it true for the tenant.
var warm = []string{"static", "one-rule", "ten-rules", "in-1000", "override"}

// read reads for so long, all of them once a measurement: a clock that is looked at after each would be half of what
// it shows. It returns how many reads did not get the value.
func (h *house) read(ctx context.Context, d time.Duration, hist *histogram) (failed int) {
	ec := flags.Entity("tenant-0999", flags.String("plan", "pro"), flags.String("country", "C9"))
	client := h.clients[0]
	began, last := time.Now(), time.Duration(0)
	for last < d {
		for _, key := range warm {
			if !client.Bool(ctx, key, ec, false) {
				failed++
			}
		}
		now := time.Since(began)
		hist.add(now - last)
		last = now
	}
	return failed
}

// suffer brings a fault about. mend ends it.
func (h *house) suffer(f fault) (mend func(), err error) {
	set := func(m faultnet.Mode) (err error) {
		for _, layer := range f.at {
			if err == nil {
				err = h.links[layer].Set(faultnet.Faults{Mode: m})
			}
		}
		return err
	}
	if f.mode == faultnet.Hang { // what hangs at once is taken for idle until heartbeats are missed, which is after the phase
		if err := set(faultnet.Reset); err != nil {
			return nil, err
		}
	}
	if err := set(f.mode); err != nil || !f.flaps {
		return func() { _ = set(faultnet.Pass) }, err // what could not be opened again does not recover, which is seen
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				_ = set(faultnet.Pass) // as above
				return
			case <-time.After(upDown):
				_ = set([]faultnet.Mode{faultnet.Pass, f.mode}[i%2]) // as above
			}
		}
	}()
	return func() { close(stop); <-stopped }, nil
}

// recovered waits until all layers serve all clients again.
func (h *house) recovered(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for _, c := range h.clients {
		for !well(c) {
			select {
			case <-ctx.Done():
				return fmt.Errorf("not in health again: %+v", c.Status().Layers)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}

func well(c *flags.Client) bool {
	for _, l := range c.Status().Layers {
		if l.Breaker != flags.GateClosed || l.Name == "primary" && l.State != "streaming" {
			return false
		}
	}
	return true
}
