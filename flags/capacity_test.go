package flags_test

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// figures are what docs/capacity.md calculates with, measured on a set of 10,000 flags,
// every third with a rule,
// each with a description of its own.
func figures(t *testing.T) map[string]float64 {
	t.Helper()
	const n = 10_000
	c := flags.NewContents("shop")
	create := flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate}
	for i := range n {
		// What a person writes is told apart by some 16 bytes that do not compress.
		text := fmt.Sprintf(`{"defaultVariant":"off","metadata":{"description":"%.16x"},"state":"ENABLED","variants":{"off":false,"on":true}}`,
			sha256.Sum256([]byte(strconv.Itoa(i))))
		if i%3 == 0 {
			text = strings.Replace(text, `"variants"`, fmt.Sprintf(`"targeting":{"if":[{"in":[{"var":"country"},["NZ","AU","C%d"]]},"on"]},"variants"`, i), 1)
		}
		create.Changes = append(create.Changes, putFlag(fmt.Sprintf("checkout-step-%d", i), text))
	}
	if err := c.Seal(&create); err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(&create); err != nil {
		t.Fatal(err)
	}
	toggle := flags.Commit{Set: "shop", ID: flags.NewCommitID(), Changes: []flags.Mutation{putFlag("checkout-step-1", switchFlag)}}
	if err := c.Seal(&toggle); err != nil {
		t.Fatal(err)
	}
	checkpoint, err := c.Checkpoint().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	commit, err := toggle.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	head, err := c.Head().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]float64{
		"C": float64(len(checkpoint)) / n,
		"T": float64(len(commit)),
		"H": float64(len(head)),
		"R": 1 / flags.HeadEvery.Seconds(),
	}
}

// The figures of docs/capacity.md are those of this code, within a tenth.
func TestCapacityFigures(t *testing.T) {
	text, err := os.ReadFile("../docs/capacity.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]float64{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([CTHR]) \| ([0-9.]+) `).FindAllStringSubmatch(string(text), -1) {
		if told[m[1]], err = strconv.ParseFloat(m[2], 64); err != nil {
			t.Fatal(err)
		}
	}
	measured := figures(t)
	for name, want := range measured {
		if got := told[name]; math.Abs(got-want) > want/10 {
			t.Errorf("docs/capacity.md says %s is %v, measured %.1f", name, got, want)
		}
	}
	// The worked example: 200 processes, 10,000 flags.
	for _, want := range []string{
		fmt.Sprintf("%.0f reads/s", 200*told["R"]),
		fmt.Sprintf("%.1f MB/s", 200*told["R"]*10_000*told["C"]/1e6),
		fmt.Sprintf("%.0f kB in Redis", 10_000*told["C"]/1e3),
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("docs/capacity.md does not work its example out to %s", want)
		}
	}
}
