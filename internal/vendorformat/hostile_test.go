package vendorformat_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/vendorformat"
)

// TestHostileFiles are refused by a short message, whatever format they are said to be.
func TestHostileFiles(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 20; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s1]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9))
	}
	for _, text := range []string{
		strings.Repeat("[", 1<<18), strings.Repeat(`{"flags":`, 1<<15), bomb, "flags: &a {x: *a}\n", "\x00", "{}{}", `{"flags": {}, "flags": {}}`,
		`{"flags": [[[[]]]], "features": {"a": 1}, "x": {"variations": 5}}`,
	} {
		for _, format := range vendorformat.Names() {
			for _, name := range []string{"f.json", "f.yaml"} {
				_, err := vendorformat.Read(format, []byte(text), vendorformat.Options{Name: name})
				if !errors.Is(err, flags.ErrInvalid) || len(err.Error()) > 2500 {
					t.Errorf("%s as %s: %.20q: %.300v", name, format, text, err)
				}
			}
		}
	}
}

// TestSegmentsOfSegments: each of them names the one before twice, so that the last
// would be 2^40 times the first.
func TestSegmentsOfSegments(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"flags": {}, "segments": {"s00": {"included": ["ann"]}`)
	for i := 1; i <= 40; i++ {
		fmt.Fprintf(&b, `, "s%02d": {"rules": [{"clauses": [{"op": "segmentMatch", "values": ["s%02d", "s%02d"]}]}]}`, i, i-1, i-1)
	}
	b.WriteString("}}")
	lost, got := lossOf(t, "launchdarkly", b.String())
	if !strings.Contains(lost[0].Text, "it comes to more than") || len(lost) < 20 {
		t.Errorf("lost: %v", lost)
	}
	size := 0
	for _, e := range got.Document.Entries() {
		size += len(e.Bytes)
	}
	if size > 2<<20 {
		t.Errorf("%d bytes of segments", size)
	}
}

// TestManySegments: each is within its bound, and all together are not.
func TestManySegments(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, `{"flags": {}, "segments": {"big": {"included": [%s"x"]}`, strings.Repeat(`"somebody",`, 2_000))
	for i := range 400 {
		fmt.Fprintf(&b, `, "s%d": {"rules": [{"clauses": [{"op": "segmentMatch", "values": ["big"]}]}]}`, i)
	}
	b.WriteString("}}")
	refuse(t, "launchdarkly", []badFile{{b.String(), "the file comes to more than"}})
}
