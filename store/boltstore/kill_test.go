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

// writerEnv makes the test binary a writer to the file it names.
const writerEnv = "BOLTSTORE_TEST_WRITER"

// writeUntilKilled prints each commit id once it is acknowledged.
func writeUntilKilled(path string) int {
	s, err := boltstore.Open(path, &boltstore.Options{LockTimeout: 5 * time.Second})
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
	path := filepath.Join(t.TempDir(), "holdfast.db")
	acknowledged := map[string]bool{}
	for range kills {
		for _, id := range writeAndKill(t, path) {
			acknowledged[id] = true
		}
	}
	s, err := boltstore.Open(path, &boltstore.Options{LockTimeout: 5 * time.Second})
	if err != nil {
		t.Fatalf("after %d kills: %v", kills, err)
	}
	defer func() { _ = s.Close() }()
	found := idsIn(t, s)
	for id := range acknowledged {
		if found[id] != 1 {
			t.Fatalf("acknowledged commit %s is there %d times", id, found[id])
		}
	}
	if len(acknowledged) < kills {
		t.Fatalf("only %d commits were acknowledged before %d kills: this shows nothing", len(acknowledged), kills)
	}
	t.Logf("%d commits acknowledged, %d in the journal", len(acknowledged), len(found))
}

// writeAndKill runs a writer, kills it in the midst, and returns what it acknowledged.
func writeAndKill(t *testing.T, path string) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0]) //nolint:noctx // killed below, on purpose and in any case
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
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
