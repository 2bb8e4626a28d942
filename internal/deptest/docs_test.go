package deptest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A test is named in docs by its folder: `flags.TestAtLeast`, `internal/e2e.TestOutages`.
var namedTest = regexp.MustCompile("`([a-z0-9/]+)\\.(Test[A-Z][A-Za-z0-9]*)`")

// TestDocsNameTests: a promise in the docs that names its test names one that exists.
func TestDocsNameTests(t *testing.T) {
	for _, doc := range []string{"consistency.md", "openfeature.md"} {
		text, err := os.ReadFile("../../docs/" + doc)
		if err != nil {
			t.Fatal(err)
		}
		named := namedTest.FindAllSubmatch(text, -1)
		if len(named) < 20 {
			t.Errorf("docs/%s: %d tests are named: the form has changed", doc, len(named))
		}
		for _, m := range named {
			if !hasTest(t, string(m[1]), string(m[2])) {
				t.Errorf("docs/%s names %s.%s, which does not exist", doc, m[1], m[2])
			}
		}
	}
	if hasTest(t, "flags", "TestNobodyWroteThis") {
		t.Error("a test that nobody wrote is found")
	}
}

var npmPackage = regexp.MustCompile(`(@[a-z]+/[a-z-]+)@([0-9.]+)`)

// TestDocsNameTestedProviders: what the docs tell people to install is what is tested.
func TestDocsNameTestedProviders(t *testing.T) {
	doc, err := os.ReadFile("../../docs/openfeature.md")
	if err != nil {
		t.Fatal(err)
	}
	tested, err := os.ReadFile("../../internal/realclients/js/package.json")
	if err != nil {
		t.Fatal(err)
	}
	named := npmPackage.FindAllSubmatch(doc, -1)
	if len(named) < 8 {
		t.Errorf("%d packages are named: the form has changed", len(named))
	}
	for _, m := range named {
		if want := fmt.Appendf(nil, "%q: %q", m[1], m[2]); !bytes.Contains(tested, want) {
			t.Errorf("docs/openfeature.md installs %s, which is not what internal/realclients drives", m[0])
		}
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
