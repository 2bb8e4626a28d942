package main

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
)

// syncFlags is how many flags the set of in-process clients has: all of them go to
// each client with each change, which is the protocol's way.
const syncFlags = 200

// syncs shows how long a toggle takes to reach all of flagd's clients of a router, as
// many that are sent definitions as that are sent events, and what one of each costs,
// beside servers on the same stacks that do nothing but send the same bytes.
func syncs(ctx context.Context, clients, rounds int) error {
	ours, err := routerCrowd(ctx)
	if err != nil {
		return err
	}
	document, event, err := ours.sample(ctx)
	if err != nil {
		return err
	}
	bare, err := bareCrowd(ctx, document, event)
	if err != nil {
		return err
	}
	for _, c := range []*crowd{ours, bare} {
		if err := c.connect(ctx, clients); err != nil {
			return err
		}
	}
	if err := syncRounds(ctx, ours, bare, clients, rounds, proto.Size(document), proto.Size(event)); err != nil {
		return err
	}
	ours.close()
	bare.close()
	return syncMemories(ctx, clients, document, event)
}

func syncRounds(ctx context.Context, ours, bare *crowd, clients, rounds int, sizes ...int) error {
	const warm = 3 // rounds that grow buffers
	var p99 [2][2][]float64
	var ratios [2][]float64
	before, err := ours.encodings(ctx)
	if err != nil {
		return err
	}
	for i := range rounds + warm {
		var last [2][2]float64
		for turn := range 2 {
			j := (turn + i) % 2 // who comes first finds the other's garbage
			if last[0][j], last[1][j], err = []*crowd{ours, bare}[j].round(clients); err != nil {
				return err
			}
		}
		for kind := range last {
			if i >= warm {
				p99[kind][0], p99[kind][1] = append(p99[kind][0], last[kind][0]), append(p99[kind][1], last[kind][1])
				ratios[kind] = append(ratios[kind], last[kind][0]/last[kind][1])
			}
		}
	}
	after, err := ours.encodings(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\none toggle in %d flags to %d SyncFlags and as many EventStream clients at once, median p99 of %d rounds;\n%.2f definitions encoded a toggle\n\n",
		syncFlags, clients, rounds, (after-before)/float64(rounds+warm))
	fmt.Printf("| %-11s | %8s | %8s | %8s | %6s |\n", "protocol", "bytes", "p99 ms", "bare ms", "ratio")
	fmt.Println("|-------------|---------:|---------:|---------:|-------:|")
	for kind, name := range []string{"SyncFlags", "EventStream"} {
		fmt.Printf("| %-11s | %8d | %8.1f | %8.1f | %5.2fx |\n", name, sizes[kind], median(p99[kind][0])/1000, median(p99[kind][1])/1000, median(ratios[kind]))
	}
	return nil
}

// syncMemories shows what one client of each protocol costs.
func syncMemories(ctx context.Context, clients int, document, event proto.Message) error {
	fmt.Printf("\n| %-11s | %10s | %8s | %6s |\n", "a client of", "router KiB", "bare KiB", "ratio")
	fmt.Println("|-------------|-----------:|---------:|-------:|")
	for _, p := range []struct {
		name, mode string
		addr       func(*crowd) string
	}{
		{"SyncFlags", "sync", func(c *crowd) string { return c.syncAddr }},
		{"EventStream", "events", func(c *crowd) string { return c.evalAddr }},
	} {
		ours, err := routerCrowd(ctx)
		if err != nil {
			return err
		}
		bare, err := bareCrowd(ctx, document, event)
		if err != nil {
			return err
		}
		var costs [2]float64
		for i, c := range []*crowd{ours, bare} {
			if err := c.connect(ctx, 1); err != nil { // what the first ones bring about is not the others'
				return err
			}
			if costs[i], err = held(ctx, p.addr(c), p.mode, clients); err != nil {
				return err
			}
			c.close()
		}
		fmt.Printf("| %-11s | %10.1f | %8.1f | %5.2fx |\n", p.name, costs[0]/1024, costs[1]/1024, costs[0]/costs[1])
	}
	return nil
}
