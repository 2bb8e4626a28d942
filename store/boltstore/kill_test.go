package boltstore_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/boltstore"
)

// Environment of the test binary as a writer.
const (
	writerEnv = "BOLTSTORE_TEST_WRITER" // the file to write to
	earlyEnv  = "BOLTSTORE_TEST_EARLY"  // if set, acknowledge before the transaction is durable
)

// writeUntilKilled prints each commit id once it is acknowledged.
func writeUntilKilled(path string) int {
	opts := &boltstore.Options{}
	if os.Getenv(earlyEnv) != "" {
		opts = boltstore.AckingEarly()
	}
	opts.LockTimeout = 5 * time.Second
	s, err := boltstore.Open(path, opts)
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	ctx := context.Background()
	_, _ = s.Apply(ctx, flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate}) // mostly there already
	var out sync.Mutex
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for n := 0; ; n++ {
				c, err := s.Apply(ctx, flags.Commit{Set: "shop", ID: flags.NewCommitID(), Changes: []flags.Mutation{{
					Key:   flags.FlagKey(fmt.Sprintf("w%d", w)),
					Bytes: fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, n),
				}}})
				if err != nil {
					return
				}
				out.Lock()
				fmt.Printf("%s\n", c.ID)
				out.Unlock()
			}
		})
	}
	writers.Wait()
	return 0
}

// TestKilledWriterLosesNothing kills a writing process again and again, and
// wants every commit that it acknowledged to be in the journal, once.
func TestKilledWriterLosesNothing(t *testing.T) {
	const kills = 50
	acknowledged, lost := killAgainAndAgain(t, kills, false)
	if lost > 0 {
		t.Fatalf("%d of %d acknowledged commits are lost", lost, acknowledged)
	}
	if acknowledged < kills {
		t.Fatalf("only %d commits were acknowledged before %d kills: this shows nothing", acknowledged, kills)
	}
}

// TestKillsFindEarlyAcknowledgement is its twin: a store that acknowledges a
// moment before the transaction must be seen to lose something.
func TestKillsFindEarlyAcknowledgement(t *testing.T) {
	for range 10 {
		if _, lost := killAgainAndAgain(t, 10, true); lost > 0 {
			return
		}
	}
	t.Fatal("commits were acknowledged before they were written, and 100 kills did not show it")
}

// killAgainAndAgain returns how many commits were acknowledged and how many of
// them are not in the journal exactly once.
func killAgainAndAgain(t *testing.T, kills int, early bool) (acknowledged, lost int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "holdfast.db")
	var ids []string
	for range kills {
		ids = append(ids, writeAndKill(t, path, early)...)
	}
	s, err := boltstore.Open(path, &boltstore.Options{LockTimeout: 5 * time.Second})
	if err != nil {
		t.Fatalf("after %d kills: %v", kills, err)
	}
	defer func() { _ = s.Close() }()
	found := idsIn(t, s)
	for _, id := range ids {
		if found[id] != 1 {
			lost++
		}
	}
	t.Logf("%d kills: %d commits acknowledged, %d lost, %d in the journal", kills, len(ids), lost, len(found))
	return len(ids), lost
}

// writeAndKill runs a writer, kills it in the midst, and returns what it acknowledged.
func writeAndKill(t *testing.T, path string, early bool) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	if early {
		cmd.Env = append(cmd.Env, earlyEnv+"=1")
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() }) // one that never gets to write
	defer overdue.Stop()
	// The first acknowledgement says that it writes; then at any instant.
	var ids []string
	lines := bufio.NewScanner(stdout)
	var kill *time.Timer
	for lines.Scan() {
		if text := lines.Text(); strings.HasPrefix(text, "error") {
			t.Error(text)
		} else if len(text) == 32 { // the last line may be cut off: not acknowledged
			ids = append(ids, text)
		}
		if kill == nil {
			kill = time.AfterFunc(time.Duration(rand.IntN(60_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
		}
	}
	_ = cmd.Wait() // it was killed
	return ids
}

func idsIn(t *testing.T, s *boltstore.Store) map[string]int {
	t.Helper()
	found := map[string]int{}
	c := flags.NewContents("shop")
	from := flags.Version{}
	for {
		page, err := s.Commits(t.Context(), "shop", from, flags.Version{Epoch: 1 << 40}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return found
		}
		for i := range page {
			if err := c.Apply(&page[i]); err != nil {
				t.Fatalf("the journal does not add up: %v", err)
			}
			found[page[i].ID.String()]++
		}
		from = c.Head().Version
		from.Revision++
	}
}
