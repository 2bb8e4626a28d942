package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestLayout: columns line up, a table fits the terminal, lists of names and values
// and lines of their own stay whole, and colour changes no width.
func TestLayout(t *testing.T) {
	text := "KEY\tSTATE\tDESCRIPTION\nnew-checkout\tENABLED\t" + strings.Repeat("über", 30) + "\nx\tDISABLED\tshort\n\n" +
		"rule 1\t" + strings.Repeat("r", 100) + "\n  - old\n  + new\n"
	var plain strings.Builder
	if err := (layout{width: 50}).write(&plain, text); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(plain.String(), "\n")
	if want := "new-checkout  ENABLED   überüberüberüberüberüberü…"; lines[1] != want {
		t.Errorf("got %q, want %q", lines[1], want)
	}
	if lines[2] != "x             DISABLED  short" || lines[3] != "" {
		t.Errorf("got %q, then %q", lines[2], lines[3])
	}
	if !strings.HasSuffix(lines[4], strings.Repeat("r", 100)) {
		t.Errorf("a value was cut: %q", lines[4])
	}
	for _, line := range lines[:3] {
		if n := utf8.RuneCountInString(line); n > 50 {
			t.Errorf("%d characters: %q", n, line)
		}
	}
	var painted strings.Builder
	if err := (layout{width: 50, colour: true}).write(&painted, text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\x1b[1mKEY\x1b[0m", "\x1b[32mENABLED\x1b[0m", "\x1b[33mDISABLED\x1b[0m", "\x1b[31m  - old\x1b[0m", "\x1b[32m  + new\x1b[0m"} {
		if !strings.Contains(painted.String(), want) {
			t.Errorf("no %q in %q", want, painted.String())
		}
	}
	for _, escape := range []string{"\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m"} {
		text := strings.ReplaceAll(painted.String(), escape, "")
		painted.Reset()
		painted.WriteString(text)
	}
	if painted.String() != plain.String() {
		t.Errorf("colour moved something:\n%s\n%s", &painted, &plain)
	}
}

// TestLayoutOfNarrowTerminals ends, and keeps something of each column.
func TestLayoutOfNarrowTerminals(t *testing.T) {
	for width := range 40 {
		var b strings.Builder
		if err := (layout{width: width}).write(&b, "AAAAAAAAAA\tBBBBBBBBBB\tCCCCCCCCCC\n"); err != nil {
			t.Fatal(err)
		}
		for _, letter := range []string{"A", "B", "C"} {
			if !strings.Contains(b.String(), letter) {
				t.Errorf("width %d: %q", width, &b)
			}
		}
	}
}

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"7d": "2026-03-03T12:00:00Z", "2w": "2026-02-24T12:00:00Z", "36h": "2026-03-09T00:00:00Z", "0d": "2026-03-10T12:00:00Z", "2026-01-02T03:04:05Z": "2026-01-02T03:04:05Z",
	} {
		if got, err := parseSince(text, now); err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-7d", "7", "99999999d", "-1h", "1.5d", "yesterday", "2026-13-01", "9999999999999999999w"} {
		if got, err := parseSince(text, now); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
