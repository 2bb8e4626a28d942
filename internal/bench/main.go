// Command bench prints what reading a flag costs beside the floor: the least code
// that gives the same answer. Only the ratios mean anything on another machine, so
// floor and read are measured in turns within one run, and the ratio shown is the
// median over the turns.
//
// It is a module of its own, so that what it measures with is no dependency of Holdfast.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	turns := flag.Int("turns", 150, "how often each shape is measured; outages a twentieth as often")
	slice := flag.Duration("slice", time.Millisecond, "how long each measurement takes")
	only := flag.String("only", "", "measure the shapes with this in their name, or one of reads, demands, breaker, load, cold, outage, fan-out, memory, sync, remote and openfeature")
	clients := flag.Int("clients", 1000, "how many clients a toggle goes out to")
	flag.Parse()
	ctx := context.Background()
	if what, run := errand(ctx, *clients); run != nil {
		if err := run(); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", what, err)
			os.Exit(1)
		}
		return
	}
	if err := run(ctx, *turns, *slice, *only, *clients); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// errand returns what another process of this program wants of this one, if it was
// started for that.
func errand(ctx context.Context, clients int) (what string, run func() error) {
	if path := os.Getenv(coldEnv); path != "" {
		return "cold", func() error { return startCold(ctx, path) }
	}
	if addr := os.Getenv(connectEnv); addr != "" {
		return "clients", func() error { return connected(ctx, addr, os.Getenv(headEnv), clients) }
	}
	if os.Getenv(serveEnv) != "" {
		return "server", func() error { return serveRemote(ctx) }
	}
	return "", nil
}

// section is a part of what is printed.
type section struct {
	name string
	run  func(context.Context) error
}

func run(ctx context.Context, turns int, slice time.Duration, only string, clients int) error {
	m := measurer{turns: turns, slice: slice}
	sections := []section{
		{"reads", func(ctx context.Context) error { return m.reads(ctx, "") }},
		{"demands", m.demands},
		{"breaker", m.breakers},
		{"load", func(context.Context) error { return loads() }},
		{"cold", colds},
		{"outage", func(ctx context.Context) error { return outages(ctx, max(1, turns/20)) }},
		{"fan-out", func(ctx context.Context) error { return fanOuts(ctx, clients, 60) }},
		{"memory", func(ctx context.Context) error { return memories(ctx, clients) }},
		{"sync", func(ctx context.Context) error { return syncs(ctx, clients, 15) }},
		{"remote", remotes},
		{"openfeature", func(ctx context.Context) error {
			return packageBenchmark(ctx, "flags/openfeature", "BenchmarkSDK", "300ms")
		}},
	}
	if i := slices.IndexFunc(sections, func(s section) bool { return s.name == only }); i >= 0 {
		return sections[i].run(ctx)
	}
	if only != "" {
		return m.reads(ctx, only)
	}
	for _, s := range sections {
		if err := s.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// reads shows what each shape of read costs, or only those with a text in their name.
func (m measurer) reads(ctx context.Context, named string) error {
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	fmt.Printf("%s, %s/%s, %d cores, %d flags, %d turns of %s; nanoseconds are medians\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), flagCount, m.turns, m.slice)
	fmt.Printf("| %-23s | %8s | %8s | %8s | %8s | %8s | %6s | %6s | %6s |\n", "read", "floor ns", "client", "view", "details", "handle", "client", "view", "handle")
	fmt.Println("|-------------------------|---------:|---------:|---------:|---------:|---------:|-------:|-------:|-------:|")
	for _, s := range w.shapes(ctx) {
		if !strings.Contains(s.name, named) {
			continue
		}
		r := m.compare(s.floor, s.client, s.view, s.details, s.handle)
		fmt.Printf("| %-23s | %8.1f | %8.1f | %8.1f | %8.1f | %8.1f | %5.2fx | %5.2fx | %5.2fx |\n",
			s.name, r[0].ns, r[1].ns, r[2].ns, r[3].ns, r[4].ns, r[1].ratio, r[2].ratio, r[4].ratio)
	}
	if named == "" {
		fmt.Println()
		m.cores(w.shapes(ctx)[1])
	}
	return nil
}
