package deptest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/holdfast-flags/holdfast"

type pkg struct {
	ImportPath string
	Name       string
	Doc        string
	Dir        string
	Standard   bool
	Imports    []string
	Deps       []string
	GoFiles    []string
}

// load lists the packages of the module, and what they reach, as the go command
// sees them.
func load(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Name,Doc,Dir,Standard,Imports,Deps,GoFiles"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatalf("go list output: %v", err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestImports(t *testing.T) {
	for _, p := range load(t, "./...") {
		path := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		r, ok := ruleOf(path)
		if !ok {
			t.Errorf("%s is not in the table: decide where it belongs and what it may import", path)
			continue
		}
		for _, imp := range p.Imports {
			if !r.allows(imp) {
				t.Errorf("%s imports %s, which the table does not allow", path, imp)
			}
		}
	}
}

func TestReach(t *testing.T) {
	standard := map[string]bool{}
	for _, p := range load(t, "std") {
		standard[p.ImportPath] = true
	}
	for path, allowed := range reach {
		for _, p := range load(t, "./"+path) {
			for _, dep := range p.Deps {
				own := strings.HasPrefix(dep, module)
				if !own && !standard[dep] && !slices.ContainsFunc(allowed, func(prefix string) bool { return under(dep, prefix) }) {
					t.Errorf("%s reaches %s", path, dep)
				}
			}
		}
	}
}

// TestTableCatches is the twin of TestImports: the table does refuse.
func TestTableCatches(t *testing.T) {
	r, _ := ruleOf("flags")
	for _, imp := range []string{"google.golang.org/grpc", module + "/store", "golang.org/x/sync/errgroup"} {
		if r.allows(imp) {
			t.Errorf("flags may import %s", imp)
		}
	}
	if _, ok := ruleOf("util"); ok {
		t.Error("a package that is not in the table has a rule")
	}
}

func ruleOf(path string) (rule, bool) {
	if r, ok := table[path]; ok {
		return r, true
	}
	for pattern, r := range table {
		if folder, deep := strings.CutSuffix(pattern, "/..."); deep && under(path, folder) {
			return r, true
		}
	}
	return rule{}, false
}

func (r rule) allows(imp string) bool {
	if own, ok := strings.CutPrefix(imp, module+"/"); ok {
		return slices.ContainsFunc(r.own, func(pattern string) bool {
			folder, deep := strings.CutSuffix(pattern, "...")
			return own == pattern || deep && strings.HasPrefix(own, folder)
		})
	}
	if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	return slices.ContainsFunc(r.others, func(prefix string) bool { return prefix == "" || under(imp, prefix) })
}

// under reports whether path is prefix or below it.
func under(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}
