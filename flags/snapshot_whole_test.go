package flags_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// TestWholeSetOnAllCores: a set that is compiled by several goroutines answers like
// one that is compiled by one, shared evaluators included.
func TestWholeSetOnAllCores(t *testing.T) {
	ids := make([]string, 200)
	for i := range ids {
		ids[i] = fmt.Sprintf(`"tenant-%d"`, i)
	}
	h := newHistory(t)
	changes := []flags.Mutation{put(flags.EntryKey{Kind: flags.KindEvaluator, Name: "ours"}, `{"in":[{"var":"targetingKey"},[`+strings.Join(ids, ",")+`]]}`)}
	for i := range 3000 {
		text := fmt.Sprintf(`{"defaultVariant":"v0","metadata":{"maxAge":%d},"state":"ENABLED","targeting":{"if":[{"$ref":"ours"},"v%d","v0"]},"variants":{"v0":0,"v1":1,"v2":2}}`, 1+i, i%3)
		changes = append(changes, putFlag(fmt.Sprint("flag-", i), text))
	}
	h.commit(flags.OpCreate, changes...)
	cp := h.contents.Checkpoint()
	shared := flags.NewSnapshot(cp)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	alone := flags.NewSnapshot(cp)
	for i := range 3000 {
		key := fmt.Sprint("flag-", i)
		for ent, want := range map[string]int64{"tenant-7": int64(i % 3), "stranger": 0} {
			if a, b := shared.View().Int(key, flags.Entity(ent), -1), alone.View().Int(key, flags.Entity(ent), -1); a != want || b != want {
				t.Fatalf("%s for %s: %d on all cores, %d on one; want %d", key, ent, a, b, want)
			}
		}
	}
}
