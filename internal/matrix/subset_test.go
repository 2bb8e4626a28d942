package matrix_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
)

var update = flag.Bool("update", false, "write docs/failure-matrix.md instead of comparing with it")

const document = "../../docs/failure-matrix.md"

// TestSubsets runs each subset of the layers in each kind of failure, and compares what
// came of it with what the documentation says.
func TestSubsets(t *testing.T) {
	rows := map[string]matrix.Row{}
	for _, s := range matrix.Subsets() {
		t.Run(s.ID(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { rows[s.ID()] = subset(t, s) })
			matrix.Tally(t, s.ID(), max(1, len(s.Layers)), 0)
		})
	}
	if t.Failed() || len(rows) < len(matrix.Subsets()) {
		return // of a part there is nothing to compare
	}
	want := matrix.Document(rows)
	if *update {
		if err := os.WriteFile(document, want, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("docs/failure-matrix.md is not what the tests find (make docs writes it); it differs from line %d, from %.200q",
			1+bytes.Count(got[:at], []byte("\n")), want[at:])
	}
}

const (
	atOnce  = 100 * time.Millisecond
	through = 12 * time.Second // over to the secondary, of a primary that refuses: spread over 5 s, then each 5 s
	silence = 37 * time.Second // the same, of one that fell silent, which takes 25 s to be sure of
	gate    = 75 * time.Second // the longest cooldown, and some tries at a connection
)

// subset lets layers fail for 5 min under a running process, starts another, and lets them recover.
func subset(t *testing.T, s matrix.Subset) (row matrix.Row) {
	h := rig.New(t, rig.Options{})
	c := warm(h, rig.ClientOptions{Readers: 2})
	fault := map[string]rig.Fault{"refused": rig.Refused, "hanging": rig.Hanging}[s.Failure]
	for _, layer := range s.Layers {
		h.Layer(layer).Set(fault)
	}
	began := time.Now()
	h.Write()
	from, bound, back := "primary", atOnce, atOnce
	if s.Has("primary") {
		from, bound, back = "secondary", through, gate
		if s.Failure == "hanging" {
			bound = silence
		}
	}
	alone := s.Has("primary") && s.Has("secondary")
	if alone {
		row.Reader, row.Change = "the last known value, stale after 54 s", "when a layer is back"
	} else {
		c.Await(bound, "the change", c.Current)
		row.Reader, row.Change = "the new value, fresh, by the "+from, bound.String()
	}
	rig.Wait(5*time.Minute - time.Since(began))
	if st := c.Status(); alone == c.Current() || alone != (st.Freshness == flags.FreshnessStale) || !alone && st.Layer != from {
		t.Errorf("after 5 min %v by %s, %v; want %s", st.Token, st.Layer, st.Freshness, row.Reader)
	}
	row.Start = start(t, h, s)
	for _, layer := range s.Layers {
		h.Layer(layer).Set(rig.Healthy)
	}
	h.Write()
	c.Await(back, "the primary again", func() bool { return c.Streaming() && c.Current() })
	row.Back = back.String()
	if !s.Has("primary") {
		row.Back = "never left it"
	}
	row.Latency = c.Report().Slowest.String()
	return row
}

// start starts a process without a file during the failure of s, and says what it gets.
func start(t *testing.T, h *rig.House, s matrix.Subset) string {
	c := h.Client(rig.ClientOptions{})
	defer c.Stop()
	value := "the new value"
	rig.Wait(10 * time.Second)
	switch st := c.Status(); {
	case st.Token.IsZero():
		if !s.Has("cache") {
			t.Error("nothing, though the cache is up")
		}
		value = "defaults, with an error code"
	case !c.Current():
		value = "the last known value, stale, by the cache"
	}
	return fmt.Sprintf("%s; New takes %v", value, c.StartTook)
}
