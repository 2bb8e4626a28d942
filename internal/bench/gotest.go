package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// packageBenchmark runs a benchmark that stands beside the code it measures, for it
// needs what the tests there have, and prints what it reports.
func packageBenchmark(ctx context.Context, pkg, name, benchtime string) error {
	const module = "github.com/holdfast-flags/holdfast"
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchtime", benchtime, module+"/"+pkg)
	cmd.Dir, cmd.Stderr = strings.TrimSpace(string(dir)), os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Printf("\n%s, %s:\n\n", pkg, name)
	var units []string
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if fields := strings.Fields(rest); ok && len(fields) > 3 {
			units = benchmarkRow(units, fields)
		}
	}
	return cmd.Wait()
}

// benchmarkRow prints a line of go test as a row of a table: name, runs, and then values with
// their units, which are the table's head.
func benchmarkRow(units, fields []string) []string {
	var now, values []string
	for pair := range slices.Chunk(fields[2:], 2) {
		if len(pair) == 2 {
			values, now = append(values, pair[0]), append(now, pair[1])
		}
	}
	if !slices.Equal(units, now) {
		fmt.Printf("| %-40s | %s |\n|%s\n", "", strings.Join(now, " | "), strings.Repeat("---|", len(now)+1))
	}
	name := strings.TrimPrefix(fields[0], "/")
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i] // which says how many cores there were
	}
	fmt.Printf("| %-40s | %s |\n", strings.ReplaceAll(name, "_", " "), strings.Join(values, " | "))
	return now
}
