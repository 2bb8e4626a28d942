package deptest

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A test is named in docs by its folder: `flags.TestAtLeast`, `internal/e2e.TestOutages`.
var namedTest = regexp.MustCompile("`([a-z0-9/]+)\\.(Test[A-Z][A-Za-z0-9]*)`")

// TestDocsNameTests: a promise in the docs that names its test names one that exists.
func TestDocsNameTests(t *testing.T) {
	text, err := os.ReadFile("../../docs/consistency.md")
	if err != nil {
		t.Fatal(err)
	}
	named := namedTest.FindAllSubmatch(text, -1)
	if len(named) < 20 {
		t.Errorf("%d tests are named: the form has changed", len(named))
	}
	for _, m := range named {
		if !hasTest(t, string(m[1]), string(m[2])) {
			t.Errorf("docs/consistency.md names %s.%s, which does not exist", m[1], m[2])
		}
	}
	if hasTest(t, "flags", "TestNobodyWroteThis") {
		t.Error("a test that nobody wrote is found")
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(src, []byte("\nfunc "+name+"(t *testing.T)")) {
			return true
		}
	}
	return false
}
