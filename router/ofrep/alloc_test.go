package ofrep_test

import (
	"net/http"
	"testing"
)

// TestAllocations: what a request costs in memory beside net/http is its context and
// its headers; how many flags answer it does not matter.
//
//	decoding   the text once, the members of the context and of the document as they grow
//	context    its handle; in bulk the attributes with interned names
//	headers    Content-Length, Holdfast-Revision; in bulk also ETag and its hash
func TestAllocations(t *testing.T) {
	r := benchRig(t, 100)
	for path, most := range map[string]float64{bulk + "/feature-number-051": 18, bulk: 26} {
		run := replay(t, r, path)
		run()
		n := testing.AllocsPerRun(200, run)
		t.Logf("%s: %v allocations", path, n)
		if n > most {
			t.Errorf("%s: %v allocations, at most %v", path, n, most)
		}
	}
	// Twice the flags, the same memory.
	double := benchRig(t, 200)
	run := replay(t, double, bulk)
	run()
	if n := testing.AllocsPerRun(200, run); n > 26 {
		t.Errorf("200 flags: %v allocations", n)
	}
	if w := r.ask(http.MethodPost, bulk, benchBody); w.Code != http.StatusOK {
		t.Errorf("what was measured is %d", w.Code)
	}
}
