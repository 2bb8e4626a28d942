package main

import (
	"fmt"
	"runtime"
	"syscall"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// loads shows what it costs to take over a whole set, and one change to it.
func loads() error {
	for _, n := range []int{1_000, flagCount, 100_000} {
		texts, floor := definitions()
		fill(texts, floor, n)
		contents := flags.NewContents("bench")
		create := commitOf(texts)
		if err := accept(contents, &create); err != nil {
			return err
		}
		encoded, err := contents.Checkpoint().MarshalBinary()
		if err != nil {
			return err
		}
		if err := load(n, encoded, contents); err != nil {
			return err
		}
	}
	contents, err := overridden(500_000)
	if err != nil {
		return err
	}
	return changes("a change in 500000 overrides of one flag", contents)
}

func accept(contents *flags.Contents, c *flags.Commit) error {
	if err := contents.Seal(c); err != nil {
		return err
	}
	return contents.Apply(c)
}

// load decodes a checkpoint, digest check included, and compiles it, several times.
func load(n int, encoded []byte, contents *flags.Contents) error {
	before := heap()
	var snap *flags.Snapshot
	var cpu []float64
	for range 5 {
		began := cpuTime()
		var cp flags.Checkpoint
		if err := cp.UnmarshalBinary(encoded); err != nil {
			return err
		}
		snap = flags.NewSnapshot(&cp)
		cpu = append(cpu, float64((cpuTime()-began).Microseconds())/1000)
	}
	held := heap() - before
	fmt.Printf("load %7d flags: %7.1f ms of CPU, %6.1f MiB held, %6.1f KiB encoded\n", n, median(cpu), float64(held)/(1<<20), float64(len(encoded))/1024)
	runtime.KeepAlive(snap)
	return changes(fmt.Sprintf("a toggle in %d flags", n), contents)
}

// changes applies one toggle after the other.
func changes(name string, contents *flags.Contents) error {
	snap := flags.NewSnapshot(contents.Checkpoint())
	var took []float64
	for i := range 200 {
		text := onOff(fmt.Sprintf(`{"if":[{"==":[{"var":"plan"},"p%d"]},"on"]}`, i))
		c := flags.Commit{ID: flags.NewCommitID(), Changes: []flags.Mutation{{Key: flags.FlagKey("one-rule"), Bytes: []byte(text)}}}
		if i%2 == 1 {
			c.Changes[0] = flags.Mutation{Key: flags.OverrideKey("override", fmt.Sprint("tenant-", i)), Bytes: []byte(`{"variant":"on"}`)}
		}
		if err := accept(contents, &c); err != nil {
			return err
		}
		began := time.Now()
		next, err := snap.Apply(c)
		if err != nil {
			return err
		}
		took = append(took, float64(time.Since(began).Nanoseconds())/1000)
		snap = next
	}
	fmt.Printf("  %s: %.1f us to apply\n", name, median(took))
	return nil
}

func overridden(n int) (*flags.Contents, error) {
	texts, floor := definitions()
	fill(texts, floor, 100)
	for i := range n {
		texts[flags.OverrideKey("override", fmt.Sprint("entity-", i))] = `{"variant":"on"}`
	}
	contents := flags.NewContents("bench")
	c := commitOf(texts)
	return contents, accept(contents, &c)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
