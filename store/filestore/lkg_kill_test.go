package filestore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
)

// Environment of the test binary as a writer.
const (
	dieAtEnv   = "FILESTORE_TEST_DIE_AT"   // kill itself at this step of the second write
	inPlaceEnv = "FILESTORE_TEST_IN_PLACE" // write over the file
	partEnv    = "FILESTORE_TEST_PART"     // which versions a racer writes
)

// grow returns the next version of a set: one entry of a fixed set of keys changes.
func grow(c *flags.Contents) (*flags.Checkpoint, error) {
	r := c.Head().Revision
	text := strings.Repeat(strconv.FormatUint(r, 36)+"-", 200)
	def := `{"defaultVariant":"v","state":"ENABLED","variants":{"v":"` + text + `"}}`
	commit := flags.Commit{Set: c.Head().Set, Changes: []flags.Mutation{{Key: flags.FlagKey(fmt.Sprint("flag-", r%64)), Bytes: []byte(def)}}}
	if err := errors.Join(c.Seal(&commit), c.Apply(&commit)); err != nil {
		return nil, err
	}
	return c.Checkpoint(), nil
}

// resume returns the contents of the file at path.
func resume(path string) (*flags.Contents, error) {
	l := NewLastKnownGood(path, "default", &LKGOptions{Logger: quiet})
	u, err := l.Fetch(context.Background(), "default", flags.Head{})
	if err != nil {
		return nil, err
	}
	return flags.ContentsOf(u.Checkpoint), nil
}

func offered(l *LastKnownGood, cp *flags.Checkpoint) error {
	return l.Put(context.Background(), flags.Update{Head: cp.Head}, func() *flags.Checkpoint { return cp })
}

// writeUntilKilled writes version after version and prints each one's revision
// once it was put.
func writeUntilKilled(path string) error {
	c, err := resume(path)
	if err != nil {
		return err
	}
	l := hasty(path, sabotage{inPlace: os.Getenv(inPlaceEnv) != ""})
	for writes := 0; ; writes++ {
		if at := os.Getenv(dieAtEnv); at != "" && writes == 1 {
			l.step = func(step string) {
				if step == at {
					_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
					select {}
				}
			}
		}
		cp, err := grow(c)
		if err != nil {
			return err
		}
		if err := offered(l, cp); err != nil {
			return err
		}
		fmt.Println(cp.Revision)
	}
}

// begin makes a file for others to go on with.
func begin(t *testing.T) (path string, head flags.Head) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "app.lkg")
	c, next := history(t, "default", 3)
	l := hasty(path, sabotage{})
	for range 2 { // with a previous generation
		put(t, l, next())
	}
	return path, c.Head()
}

// killed runs a writer until it is killed and returns the last revision it has
// put for sure; after is the time from its first write, 0 if it kills itself.
func killed(t *testing.T, path string, after time.Duration, env ...string) (acknowledged uint64) {
	t.Helper()
	cmd := another(t, "writer", path, env...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }) // one that never gets to write
	defer overdue.Stop()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		n, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil {
			t.Fatal(lines.Text())
		}
		if acknowledged == 0 && after > 0 {
			kill := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
		}
		acknowledged = n
	}
	_ = cmd.Wait() // it was killed
	return acknowledged
}

// TestKilledWriter kills a writing process again and again: whenever that is, the
// file itself is the old one or the new one.
func TestKilledWriter(t *testing.T) {
	kills := 50
	if os.Getenv("HOLDFAST_LONG") != "" {
		kills = 1000
	}
	path, head := begin(t)
	last := head.Revision
	for n := range kills {
		acknowledged := killed(t, path, time.Duration(1+rand.IntN(15_000))*time.Microsecond)
		k, err := hasty(path, sabotage{}).read(path)
		if err != nil {
			t.Fatalf("after kill %d: %v", n, err)
		}
		// The last line may have been cut off with the process.
		if r := k.head.Revision; r < acknowledged || r > acknowledged+2 || r < last {
			t.Fatalf("after kill %d: revision %d, %d was acknowledged, %d was there before", n, r, acknowledged, last)
		}
		last = k.head.Revision
	}
	if last < head.Revision+uint64(kills) {
		t.Errorf("%d writes in %d kills: this shows nothing", last-head.Revision, kills)
	}
	matrix.Tally(t, "F19", kills, 0)
	t.Logf("%d kills, %d writes", kills, last-head.Revision)
}

// TestKilledAtEachStep kills the writer where it would hurt most. A file that is
// written over is torn then, and its reader falls back.
func TestKilledAtEachStep(t *testing.T) {
	for _, tt := range []struct {
		step string
		env  string
		want int // revisions of the file beyond what was acknowledged, -1: the file is not whole
	}{
		{"compared", "", 0}, {"half", "", 0}, {"written", "", 0}, {"aside", "", 0}, {"renamed", "", 1},
		{"half", inPlaceEnv + "=1", -1},
	} {
		t.Run(tt.step+tt.env, func(t *testing.T) {
			path, _ := begin(t)
			acknowledged := killed(t, path, 0, dieAtEnv+"="+tt.step, tt.env)
			k, err := hasty(path, sabotage{}).read(path)
			if (err != nil) != (tt.want < 0) {
				t.Fatal(err)
			}
			if err == nil && k.head.Revision != acknowledged+uint64(tt.want) {
				t.Errorf("revision %d, %d was acknowledged", k.head.Revision, acknowledged)
			}
			c, err := resume(path)
			if err != nil {
				t.Fatal(err)
			}
			l := hasty(path, sabotage{}) // whatever was left, the next process goes on
			cp, err := grow(c)
			if err != nil {
				t.Fatal(err)
			}
			put(t, l, cp)
			if head, err := l.Head(t.Context(), "default"); err != nil || head != cp.Head {
				t.Errorf("next write: head %v, %v; want %v", head, err, cp.Head)
			}
		})
	}
}

// Racing processes write so many versions between them, in turns.
const (
	racers     = 2
	raceLength = 200
)

// raceToTheEnd waits for its input to end, and writes its part of the versions
// that follow what the file has.
func raceToTheEnd(path string) error {
	c, err := resume(path)
	if err != nil {
		return err
	}
	first := c.Head().Revision
	part, err := strconv.Atoi(os.Getenv(partEnv))
	if err != nil {
		return err
	}
	var mine []*flags.Checkpoint
	for n := range raceLength {
		cp, err := grow(c)
		if err != nil {
			return err
		}
		if n%racers == part {
			mine = append(mine, cp)
		}
	}
	fmt.Println(first)
	if _, err := bufio.NewReader(os.Stdin).ReadByte(); err == nil {
		return errors.New("something was said")
	}
	l := hasty(path, sabotage{})
	for _, cp := range mine {
		_ = offered(l, cp) // who finds no gap between the writes of others tries again with the next
	}
	err = l.Close()
	for tries := 0; err != nil && tries < 30; tries++ {
		err = l.Close()
	}
	return err
}

// TestTwoProcessesOnOnePath: the newest version is there in the end, whoever had
// it, and while they race a reader never goes back.
func TestTwoProcessesOnOnePath(t *testing.T) {
	path, head := begin(t)
	done := make(chan error, racers)
	var start []io.Closer
	for part := range racers {
		cmd := another(t, "racer", path, fmt.Sprint(partEnv, "=", part))
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		if lines.Scan(); lines.Text() != fmt.Sprint(head.Revision) {
			t.Fatalf("racer %d begins at %q, want %d", part, lines.Text(), head.Revision)
		}
		start = append(start, stdin)
		go func() {
			for lines.Scan() {
				t.Log(lines.Text())
			}
			done <- cmd.Wait()
		}()
	}
	for _, s := range start {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l := hasty(path, sabotage{})
	reads := 0
	for last, running := head, racers; running > 0; reads++ {
		now, err := l.Head(t.Context(), "default")
		if err != nil || now.Version.Before(last.Version) {
			t.Fatalf("read %v, %v after %v", now, err, last)
		}
		last = now
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running--
		default:
		}
	}
	if now, err := l.Head(t.Context(), "default"); err != nil || now.Revision != head.Revision+raceLength {
		t.Errorf("revision %d, %v; want %d", now.Revision, err, head.Revision+raceLength)
	}
	matrix.Tally(t, "F20", raceLength, 0)
	t.Logf("%d reads meanwhile", reads)
}
