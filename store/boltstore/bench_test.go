package boltstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// BenchmarkAcknowledgedWrites measures commits of 8 writers beside the least that
// durability costs on the same disk: appending 4 KiB and waiting for it. Rounds of
// the two alternate; the ratio is of medians, in commits per append.
func BenchmarkAcknowledgedWrites(b *testing.B) {
	const writers, each, rounds = 8, 25, 7
	s := open(b, nil)
	createShop(b, s)
	file, err := os.OpenFile(filepath.Join(b.TempDir(), "raw"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	block := make([]byte, 4096)
	for b.Loop() {
		var raw, ours []float64
		for range rounds {
			raw = append(raw, rate(100, func() {
				for range 100 {
					if _, err := file.Write(block); err != nil {
						b.Fatal(err)
					}
					if err := file.Sync(); err != nil {
						b.Fatal(err)
					}
				}
			}))
			ours = append(ours, rate(writers*each, func() {
				var wg sync.WaitGroup
				for w := range writers {
					wg.Go(func() {
						for n := range each {
							if _, err := s.Apply(b.Context(), change(fmt.Sprintf("w%d", w), n)); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
			}))
		}
		b.ReportMetric(median(raw), "appends/s")
		b.ReportMetric(median(ours), "commits/s")
		b.ReportMetric(median(ours)/median(raw), "ratio")
	}
}

// BenchmarkOpen opens a file with a set of 10,000 flags.
func BenchmarkOpen(b *testing.B) {
	p := paths{}
	s := p.new(b)
	c := flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate}
	for i := range 10_000 {
		c.Changes = append(c.Changes, change(fmt.Sprintf("flag-%d", i), i).Changes...)
	}
	apply(b, s, c)
	for b.Loop() {
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		s = p.mustOpen(b, p[s])
	}
}

func rate(n int, do func()) float64 {
	start := time.Now()
	do()
	return float64(n) / time.Since(start).Seconds()
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
