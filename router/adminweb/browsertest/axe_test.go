package browsertest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// axe returns the source of axe-core, installed by npm from the lock file of this
// folder, once for each user of a machine.
func axe(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	sum := sha256.Sum256(lock)
	folder := filepath.Join(cache, "holdfast-axe", hex.EncodeToString(sum[:8]))
	script := filepath.Join(folder, "node_modules", "axe-core", "axe.min.js")
	if source, err := os.ReadFile(script); err == nil {
		return string(source)
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o700); err != nil {
		t.Fatal(err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(folder), "install-") //nolint:usetesting // to be renamed, so on the same file system
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(fresh, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error")
	npm.Dir = fresh
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci, for axe-core: %v\n%s", err, out)
	}
	source, err := os.ReadFile(filepath.Join(fresh, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Rename(fresh, folder) // another run may have been faster
	return string(source)
}

// finding is what axe has to say.
type finding struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// TestAccessible: axe finds nothing serious on any page, in both colour schemes,
// nor in a dialog and a refused form.
func TestAccessible(t *testing.T) {
	source := axe(t)
	h := serve(t, someFlags, func(o *router.Options) {
		o.Mirrors = []router.Mirror{{Name: "mongodb://db/holdfast", Replica: memstore.New(nil)}}
	})
	history(h)
	h.follow("checkout", map[string]string{"cache": "ok", "primary": "streaming"})
	h.follow("search", map[string]string{"cache": "open", "primary": "streaming"})
	if _, err := h.store.Apply(t.Context(), flags.Commit{Set: "staging", ID: flags.NewCommitID(), Op: flags.OpCreate}); err != nil {
		t.Fatal(err)
	}
	b := h.open(t, "/")
	b.expect("422")
	rules := `preload: false, resultTypes: ["violations"]`
	judge := func(what string) {
		t.Helper()
		var found []finding
		b.run(chromedp.Evaluate(source, nil), chromedp.Evaluate(`axe.run(document, { `+rules+` }).then((r) => r.violations)`, &found,
			func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
		for _, f := range found {
			text, err := json.MarshalIndent(f.Nodes, "", "  ")
			report := fmt.Sprintf("%s: %s: %s (%s) %s %v", what, f.Impact, f.Help, f.ID, text, err)
			if f.Impact == "serious" || f.Impact == "critical" {
				t.Error(report)
			} else {
				t.Log(report)
			}
		}
	}
	paths := []string{"/s/default/new", "/s/default/import", "/s/default/switch?key=new-checkout&to=disabled", "/s/default/commit?at=0.2", "/s/default/flag?revision=1&key=new-checkout", "/s/default/rollback?to=1", "/sets/compare?from=default&to=staging", "/login", "/nowhere", "/s/default/flags?q=nothing-like-it", "/s/default/flag?key=" + url.QueryEscape("mobile-home")}
	for _, scheme := range []string{"light", "dark"} {
		b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
		for _, p := range pictures {
			b.visit(p.path)
			b.inColours(p, scheme)
			if judge(scheme + " " + p.path); scheme == "light" {
				b.onPhone(p.path)
			}
		}
		if scheme == "dark" {
			paths = nil // they are made of the same parts
		}
		for _, path := range paths {
			if path == "/nowhere" {
				b.expect("404")
			}
			b.visit(path)
			judge(scheme + " " + path)
		}
		b.visit("/s/default/flags")
		b.click(`tr[data-key="new-checkout"] .switch`)
		b.shows("#dialog h1", "Disable")
		judge(scheme + " dialog")
		b.visit("/s/default/new")
		b.fill(`#new input[name="key"]`, "new-checkout")
		b.click("#new .primary")
		b.shows("#key-problem", "already")
		judge(scheme + " refused form")
		rules = `preload: false, resultTypes: ["violations"], runOnly: ["color-contrast"]` // nothing else depends on the scheme
	}
}
