package deptest

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var requirement = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`) // a direct one: no comment behind it

// TestDependenciesAreExplained: each direct dependency has its reason written down.
func TestDependenciesAreExplained(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	direct := requirement.FindAllSubmatch(mod, -1)
	if len(direct) == 0 {
		t.Fatal("no direct dependencies found in go.mod")
	}
	for _, m := range direct {
		name := string(m[1])
		if base, ok := strings.CutSuffix(name, "/providers/prometheus"); ok {
			name = base // explained with the module it belongs to
		}
		if !strings.Contains(string(doc), name) {
			t.Errorf("docs/dependencies.md does not say why %s is needed", name)
		}
	}
}
