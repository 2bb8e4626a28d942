package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

func TestParseShares(t *testing.T) {
	for text, want := range map[string][]flags.Share{
		"on=25,off=75":    {{Variant: "on", Weight: 25}, {Variant: "off", Weight: 75}},
		"on=25%,off=75%":  {{Variant: "on", Weight: 25}, {Variant: "off", Weight: 75}},
		"a=b=1,c=0":       {{Variant: "a=b", Weight: 1}, {Variant: "c", Weight: 0}},
		"on=1000000,x=1":  {{Variant: "on", Weight: 1_000_000}, {Variant: "x", Weight: 1}},
		"on =1,off=2":     {{Variant: "on ", Weight: 1}, {Variant: "off", Weight: 2}}, // names are taken as they are
		"on=007,off=0000": {{Variant: "on", Weight: 7}, {Variant: "off", Weight: 0}},
	} {
		if got, err := parseShares(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                     "want VARIANT=WEIGHT",
		"on":                   "want VARIANT=WEIGHT",
		"=5":                   "want VARIANT=WEIGHT",
		"on=1,":                "want VARIANT=WEIGHT",
		"on=":                  "no whole number",
		"on=0.5,off=0.5":       "no whole number",
		"on=1000001":           "no whole number",
		"on=-1":                "no whole number",
		"on=99999999999999999": "no whole number",
		"on=1,on=2":            "twice",
		"on=25":                "give every variant its share",
		"on=0,off=0":           "all weights are 0",
	} {
		_, err := parseShares(text)
		if code, _ := classify(err); err == nil || code != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want usage error with %q", text, err, want)
		}
	}
}

// TestStreamsAreReadable: each form of a stream can be read by what reads that form.
func TestStreamsAreReadable(t *testing.T) {
	for form, want := range map[string]string{
		"table": "row\nrow\n", "json": "{\"a\":1}\n{\"a\":1}\n", "yaml": "---\na: 1\n---\na: 1\n",
	} {
		var out bytes.Buffer
		a := &app{output: form, std: stdio{out: &out}}
		for range 2 {
			if err := a.line(map[string]int{"a": 1}, "row"); err != nil {
				t.Fatal(err)
			}
		}
		if out.String() != want {
			t.Errorf("%s: got %q, want %q", form, &out, want)
		}
	}
}

func TestRowsAreWhole(t *testing.T) {
	var out bytes.Buffer
	row(&out, "tab\there", "line\nbreak", "\x1b[31mred", "é 😀 \"q\" \\", "\u202egnp", 7)
	if want := "tab\\there\tline\\nbreak\t\\x1b[31mred\té 😀 \"q\" \\\t\\u202egnp\t7\n"; out.String() != want {
		t.Errorf("got %q, want %q", &out, want)
	}
}

func TestEvaluationContextRefuses(t *testing.T) {
	for _, text := range []string{`null`, `[1]`, `"x"`, `{`, `{} {}`} {
		if _, err := evaluationContext("", text, []string{"a=b"}); err == nil {
			t.Errorf("--context %s: accepted", text)
		} else if code, _ := classify(err); code != exitUsage {
			t.Errorf("--context %s: exit code %d", text, code)
		}
	}
}

// TestMessages: people read the cause, not which driver met it; scripts read the code.
func TestMessages(t *testing.T) {
	source := func(class flags.Class, err error) error {
		remote := fmt.Errorf("boltstore: apply default: %w", err)
		return &flags.SourceError{Class: class, Op: "grpcstore: apply default", Err: remote}
	}
	for _, tc := range []struct {
		err  error
		text string
		code int
	}{
		{source(flags.ClassNotFound, fmt.Errorf("%w: no flag set %q", store.ErrNotFound, "x")), `not found: no flag set "x"`, exitNotFound},
		{source(flags.ClassPermanent, fmt.Errorf("%w: set %q is at x@0.1", store.ErrExists, "x")), `already exists: set "x" is at x@0.1`, exitConflict},
		{source(flags.ClassPermanent, &store.ConflictError{Token: flags.Token{Set: "x", Version: flags.Version{Revision: 3}}, Want: 1}), `conflict: set is at x@0.3, not at revision 1`, exitConflict},
		{source(flags.ClassDenied, errors.New("no")), `grpcstore: apply default: boltstore: apply default: no`, exitDenied},
		{usagef("wrong"), `wrong`, exitUsage},
	} {
		var out bytes.Buffer
		if code := report(stdio{err: &out, getenv: func(string) string { return "" }}, &cobra.Command{Use: "flagctl"}, tc.err); code != tc.code {
			t.Errorf("%v: exit code %d, want %d", tc.err, code, tc.code)
		}
		if first, _, _ := strings.Cut(out.String(), "\n"); first != "flagctl: "+tc.text {
			t.Errorf("got %q, want %q", first, tc.text)
		}
	}
}
