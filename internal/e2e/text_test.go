package e2e

import (
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
)

func textLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func replaceOnce(t *testing.T, s, old, new string) string {
	t.Helper()
	if !strings.Contains(s, old) {
		t.Fatalf("%q is not in %q", old, s)
	}
	return strings.Replace(s, old, new, 1)
}

var tokenPattern = regexp.MustCompile(`[a-z-]+@\d+\.\d+~[a-z0-9]+`)

// tokenIn returns the first revision token in a text.
func tokenIn(text string) string { return tokenPattern.FindString(text) }

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
