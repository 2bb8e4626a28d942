package deptest

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// eachFile calls f for every Go file of the repository that people write.
func eachFile(t *testing.T, f func(path string, src []byte)) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2 {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".pb.go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err == nil {
			f(path, src)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreShort(t *testing.T) {
	eachFile(t, func(path string, src []byte) {
		if n := bytes.Count(src, []byte("\n")); n > 700 {
			t.Errorf("%s has %d lines, at most 700", path, n)
		}
	})
}

// TestTimeIsVirtual: a test that sleeps is slow when it passes and flaky when it
// does not; wait for a condition, or use testing/synctest.
func TestTimeIsVirtual(t *testing.T) {
	sleep := []byte("time." + "Sleep(")
	eachFile(t, func(path string, src []byte) {
		if strings.HasSuffix(path, "_test.go") && bytes.Contains(src, sleep) && !bytes.Contains(src, []byte(`"testing/synctest"`)) {
			t.Errorf("%s sleeps in real time", path)
		}
	})
}

// TestNoInit: importing a package of the SDK has no side effects.
func TestNoInit(t *testing.T) {
	eachFile(t, func(path string, src []byte) {
		if bytes.Contains(src, []byte("\nfunc init()")) {
			t.Errorf("%s has an init function", path)
		}
	})
}

// TestEveryFuzzTargetIsRun: `make fuzz` finds all there are.
func TestEveryFuzzTargetIsRun(t *testing.T) {
	written, target := 0, regexp.MustCompile(`(?m)^func Fuzz[A-Z]`)
	eachFile(t, func(_ string, src []byte) { written += len(target.FindAll(src, -1)) })
	list := exec.CommandContext(t.Context(), "bash", ".ci/fuzz", "list")
	list.Dir = "../.."
	found, err := list.Output()
	if n := bytes.Count(found, []byte("== ")); err != nil || n != written || n == 0 {
		t.Errorf("%d of %d fuzz targets are found (%v)", n, written, err)
	}
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	vague := regexp.MustCompile(`^(util|utils|common|model|models|types|helpers?|base|misc|interfaces)$`)
	protocol := regexp.MustCompile(`^` + module + `/internal/pb/.*/v[0-9]$`)
	for _, p := range load(t, "./...") {
		generated := protocol.MatchString(p.ImportPath)
		if p.Doc == "" && len(p.GoFiles) > 0 && !generated {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		if vague.MatchString(p.Name) {
			t.Errorf("%s: the name %q says nothing", p.ImportPath, p.Name)
		}
	}
}

// TestPublicPackagesHaveExamples: what is public can be learned from code that compiles.
func TestPublicPackagesHaveExamples(t *testing.T) {
	for _, p := range load(t, "./...") {
		path := strings.TrimPrefix(p.ImportPath, module+"/")
		// The rooms of the router are public so that it can be embedded, by package router.
		if p.Name == "main" || strings.HasPrefix(path, "internal/") || strings.HasPrefix(path, "router/") || len(p.GoFiles) == 0 {
			continue
		}
		files, err := filepath.Glob(filepath.Join(p.Dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range files {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			found = found || bytes.Contains(src, []byte("\nfunc Example"))
		}
		if !found {
			t.Errorf("%s has no Example", path)
		}
	}
}
