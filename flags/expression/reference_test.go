package expression_test

import (
	"os"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags/expression"
)

// TestReference: the examples of the reference are in the normal form.
func TestReference(t *testing.T) {
	page, err := os.ReadFile("../../docs/expressions.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for i, block := range strings.Split(string(page), "\n```") {
		kind, body, _ := strings.Cut(block, "\n")
		switch {
		case i%2 == 0: // between two blocks
		case kind == "text":
			seen++
			if normal, err := expression.Format(body); err != nil || normal != body {
				t.Errorf("%s: %s, %v", body, normal, err)
			}
		case kind == "rules":
			seen++
			if read, err := expression.ParseTargeting(body); err != nil || read.String() != body {
				t.Errorf("%s:\n%s, %v", body, read, err)
			}
		}
	}
	if seen != 4 {
		t.Errorf("%d examples", seen)
	}
}
