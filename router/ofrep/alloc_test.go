package ofrep_test

import (
	"net/http"
	"testing"
)

// TestAllocations: what a request costs in memory beside net/http is its context and
// its headers; how many flags answer it does not matter.
//
//	decoding   7: the text once; the list of members as it grows, 4; each of the two objects
//	context    2: what is read in place. In bulk 3 more: the same with interned names
//	headers    3: Content-Length and its text, Holdfast-Revision. In bulk 2 more: ETag and its text
//
// The bounds are five above, as the race detector has pools lose what they hold.
func TestAllocations(t *testing.T) {
	one, all := bulk+"/feature-number-051", bulk
	for _, tt := range []struct {
		flags int
		path  string
		want  float64
	}{{100, one, 12}, {100, all, 17}, {200, all, 17}} {
		r := benchRig(t, tt.flags)
		run := replay(t, r, tt.path)
		run()
		n := testing.AllocsPerRun(200, run)
		t.Logf("%s of %d flags: %v allocations", tt.path, tt.flags, n)
		if n > tt.want+5 {
			t.Errorf("%s of %d flags: %v allocations, want %v", tt.path, tt.flags, n, tt.want)
		}
		if w := r.ask(http.MethodPost, tt.path, benchBody); w.Code != http.StatusOK {
			t.Errorf("what was measured is %d", w.Code)
		}
	}
}
