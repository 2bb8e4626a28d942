package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/store/filestore"
)

// coldEnv makes this program a process that starts with the last-known-good file
// at that path and nothing else.
const coldEnv = "HOLDFAST_BENCH_COLD"

const coldTurns = 15

// colds shows how long a new process takes to its first answer while every other
// layer is dead and there is a last-known-good file of 10,000 flags.
func colds(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "holdfast-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "bench.lkg")
	texts, floor := definitions()
	fill(texts, floor, flagCount)
	contents := flags.NewContents("bench")
	create := commitOf(texts)
	file := filestore.NewLastKnownGood(path, "bench", nil)
	err = errors.Join(accept(contents, &create),
		file.Put(ctx, flags.Update{Head: contents.Head()}, contents.Checkpoint), file.Close())
	if err != nil {
		return err
	}
	var answered, cpu []float64
	for range coldTurns {
		took, used, err := coldProcess(ctx, path)
		if err != nil {
			return err
		}
		answered, cpu = append(answered, took), append(cpu, float64(used.Microseconds())/1000)
	}
	fmt.Printf("cold start with %d flags on disk, all else dead: first answer %.1f ms after New begins (least %.1f), %.1f ms of CPU in the whole process\n",
		flagCount, median(answered), answered[0], median(cpu))
	return nil
}

// coldProcess runs this program as a process that starts cold. cpu is of all of it.
func coldProcess(ctx context.Context, path string) (ms float64, cpu time.Duration, err error) {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), coldEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	line := bufio.NewScanner(out)
	line.Scan()
	ms, parseErr := strconv.ParseFloat(line.Text(), 64)
	err = errors.Join(parseErr, cmd.Wait())
	return ms, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), err
}

// startCold is such a process.
func startCold(ctx context.Context, path string) error {
	began := time.Now()
	client, err := standard.New(ctx, standard.Config{
		Set: "bench", LastKnownGood: path, Logger: slog.New(slog.DiscardHandler),
		Primary: "grpc://127.0.0.1:1", Secondary: "mongodb://127.0.0.1:1/holdfast", Cache: "redis://127.0.0.1:1",
	})
	if err != nil {
		return err
	}
	d := client.BoolDetails(ctx, "static", flags.Entity("tenant-0999"), false)
	took := time.Since(began)
	if !d.Value || d.Layer() != "disk" {
		return fmt.Errorf("answered %v from %q", d.Value, d.Layer())
	}
	fmt.Println(float64(took.Microseconds()) / 1000)
	return nil // as processes do that are killed: Close is not what is measured
}
