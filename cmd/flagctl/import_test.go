package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportOfThousands: a catalogue is one commit, into a new set as into one that
// is there, and one that has a fault is none.
func TestImportOfThousands(t *testing.T) {
	n := 2_000
	if os.Getenv("HOLDFAST_LONG") == "1" {
		n = 10_000
	}
	f := newFleet(t)
	path := filepath.Join(t.TempDir(), "flags.json")
	write := func(byDefault string) {
		var b strings.Builder
		b.WriteString(`{"flags": {`)
		for i := range n {
			variant := "off"
			if i == n-1 {
				variant = byDefault
			}
			fmt.Fprintf(&b, `"flag-%05d": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": %q},`, i, variant)
		}
		text := strings.TrimSuffix(b.String(), ",") + "}}"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("off")
	if out := f.want(exitOK, "import", path, "--set", "catalogue"); !strings.Contains(out, "catalogue@0.1~") || !strings.Contains(out, fmt.Sprintf("%d flags read", n)) {
		t.Errorf("got %s", out)
	}
	write("of")
	if out := f.want(exitFailed, "import", path, "--set", "catalogue"); !strings.Contains(out, fmt.Sprintf(`flag-%05d`, n-1)) || !strings.Contains(out, `did you mean "off"`) {
		t.Errorf("got %s", out)
	}
	write("on")
	if out := f.want(exitOK, "import", path, "--set", "catalogue"); !strings.Contains(out, "catalogue@0.2~") || !strings.Contains(out, "1 entries changed") {
		t.Errorf("got %s", out)
	}
}
