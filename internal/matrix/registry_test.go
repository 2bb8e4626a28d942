package matrix_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/matrix"
)

// Every test that a cell names exists.
func TestCellsNameTests(t *testing.T) {
	sources := map[string][]byte{} // of tests, by folder
	for _, c := range matrix.Cells() {
		if c.Fault == "" || c.Pass == "" || c.Result == "" || len(c.Tests) == 0 {
			t.Errorf("%s: something is missing: %+v", c.ID, c)
		}
		for _, name := range append(c.Tests, c.Twins...) {
			folder, test, _ := strings.Cut(name, ".")
			test, _, _ = strings.Cut(test, "/")
			if sources[folder] == nil {
				sources[folder] = read(t, folder)
			}
			if !bytes.Contains(sources[folder], []byte("\nfunc "+test+"(")) {
				t.Errorf("%s: there is no test %s", c.ID, name)
			}
		}
	}
}

func read(t *testing.T, folder string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	all := []byte{'\n'}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, src...)
	}
	return all
}

// Nobody takes a cell away, and each has a test that shows what its guard is for.
func TestNothingIsMissing(t *testing.T) {
	cells := map[string]matrix.Cell{}
	for _, c := range matrix.Cells() {
		cells[c.ID] = c
	}
	for letter, n := range map[string]int{"F": 33, "E": 8, "G": 9, "L": 1} {
		for i := range n {
			id := fmt.Sprint(letter, i+1)
			if c, there := cells[id]; !there || len(c.Twins) == 0 {
				t.Errorf("%s: registered: %t, twins %v", id, there, c.Twins)
			}
		}
	}
	if n := len(matrix.Subsets()); n != 16 {
		t.Errorf("%d subsets, want 8 refused and 8 hanging", n)
	}
}

func TestIDsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, id := range matrix.IDs() {
		if seen[id] {
			t.Errorf("%s is there twice", id)
		}
		seen[id] = true
	}
}

// What a run tried is summed up, and what it did not try is named.
func TestSum(t *testing.T) {
	ids := matrix.IDs()
	var tallies strings.Builder
	for _, id := range ids[1:] {
		tallies.WriteString(id + " 2 0\n")
	}
	s, err := matrix.Sum(strings.NewReader(tallies.String()))
	if err != nil || s.OK() || s.Tried != 2*(len(ids)-1) || len(s.Missing) != 1 || s.Missing[0] != ids[0] {
		t.Errorf("%v, %v", s, err)
	}
	tallies.WriteString(ids[0] + " 1 0\n")
	if s, err = matrix.Sum(strings.NewReader(tallies.String())); err != nil || !s.OK() {
		t.Errorf("%v, %v", s, err)
	}
	tallies.WriteString(ids[0] + " 1 3\n")
	if s, err = matrix.Sum(strings.NewReader(tallies.String())); err != nil || s.OK() || s.Violations != 3 || s.Violated[0] != ids[0] {
		t.Errorf("%v, %v", s, err)
	}
	for _, bad := range []string{"F1\n", "F1 many 0\n"} {
		if _, err := matrix.Sum(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is no tally", bad)
		}
	}
}
