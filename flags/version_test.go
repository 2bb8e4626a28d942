package flags_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

func TestParseToken(t *testing.T) {
	long := strings.Repeat("s", flags.MaxSetName)
	for text, want := range map[string]flags.Token{
		"default@0.57":          {Set: "default", Version: flags.Version{Revision: 57}},
		"default@0.57~k7q2m9xy": {Set: "default", Version: flags.Version{Revision: 57}, Lineage: "k7q2m9xy"},
		"a.b_c-D@2.1":           {Set: "a.b_c-D", Version: flags.Version{Epoch: 2, Revision: 1}},
		"9@0.0":                 {Set: "9"},
		long + "@0.1":           {Set: long, Version: flags.Version{Revision: 1}},
		"s@18446744073709551615.18446744073709551615": {Set: "s", Version: flags.Version{Epoch: math.MaxUint64, Revision: math.MaxUint64}},
	} {
		got, err := flags.ParseToken(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if got.String() != text {
			t.Errorf("%q is written as %q", text, got)
		}
	}
}

func TestParseTokenRefuses(t *testing.T) {
	for text, why := range map[string]string{
		"":                                "no @",
		"default":                         "no @",
		"default@":                        "no dot",
		"default@57":                      "no dot",
		"@0.1":                            "bad set name",
		"a b@0.1":                         "bad set name",
		".a@0.1":                          "bad set name",
		"é@0.1":                           "bad set name",
		strings.Repeat("s", 129) + "@0.1": "bad set name",
		"s@.1":                            "bad epoch",
		"s@x.1":                           "bad epoch",
		"s@-1.1":                          "bad epoch",
		"s@01.1":                          "bad epoch",
		"s@0.":                            "bad revision",
		"s@0.+1":                          "bad revision",
		"s@0.01":                          "bad revision",
		"s@0.1.2":                         "bad revision",
		"s@0.1 ":                          "bad revision",
		"s@0x1.1":                         "bad epoch",
		"s@0.18446744073709551616":        "bad revision",
		"s@0.1~":                          "bad lineage",
		"s@0.1~k7q2m9":                    "bad lineage",
		"s@0.1~k7q2m9xyz":                 "bad lineage",
		"s@0.1~k7q2m9x0":                  "bad lineage",
		"s@0.1~K7Q2M9XY":                  "bad lineage",
		"s@0.1@0.2":                       "bad revision",
		strings.Repeat("x", 1<<20):        "no @",
	} {
		_, err := flags.ParseToken(text)
		if !errors.Is(err, flags.ErrInvalid) || !strings.Contains(err.Error(), why) || len(err.Error()) > 400 {
			t.Errorf("%q: %v, want %s", text, err, why)
		}
	}
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]flags.Version{"57": {Epoch: 2, Revision: 57}, "0": {Epoch: 2}, "1.57": {Epoch: 1, Revision: 57}, "0.0": {}} {
		if got, err := flags.ParseVersion(text, 2); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", "1.", ".1", "+1", "-1", "01", "1.01", "1.2.3", " 1", "1e3", "18446744073709551616", "default@0.1", "x"} {
		if got, err := flags.ParseVersion(text, 2); !errors.Is(err, flags.ErrInvalid) || !got.IsZero() {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// FuzzParseToken: what is read is written in exactly one way.
func FuzzParseToken(f *testing.F) {
	for _, text := range []string{"default@0.57~k7q2m9xy", "s@1.2", "s@01.2", "a@b@0.1", "@", "s@0.1~"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := flags.ParseToken(text)
		if err != nil {
			if !errors.Is(err, flags.ErrInvalid) {
				t.Fatalf("an error of its own kind: %v", err)
			}
			return
		}
		if token.String() != text {
			t.Fatalf("%q is written as %q", text, token)
		}
	})
}

func TestVersionOrder(t *testing.T) {
	order := []flags.Version{{}, {Revision: 1}, {Revision: 9}, {Revision: 10}, {Epoch: 1}, {Epoch: 1, Revision: 1}, {Epoch: 10, Revision: 1}}
	for i, a := range order {
		for j, b := range order {
			if a.Before(b) != (i < j) || a.Compare(b) != -b.Compare(a) || (a.Compare(b) == 0) != (i == j) {
				t.Errorf("%s and %s compare as %d", a, b, a.Compare(b))
			}
		}
		if a.IsZero() != (i == 0) {
			t.Errorf("%s is zero: %v", a, a.IsZero())
		}
	}
}

func TestNewLineage(t *testing.T) {
	seen := map[flags.Lineage]bool{}
	for range 1000 {
		l := flags.NewLineage()
		token := flags.Token{Set: "s", Lineage: l}
		if back, err := flags.ParseToken(token.String()); err != nil || back != token || seen[l] {
			t.Fatalf("%s: %v (seen before: %v)", token, err, seen[l])
		}
		seen[l] = true
	}
}

func TestCheckSetName(t *testing.T) {
	for name, ok := range map[string]bool{
		"default": true, "checkout-prod": true, "A.b_c-9": true, "0": true, strings.Repeat("s", 128): true,
		"": false, "-a": false, ".a": false, "_a": false, "a b": false, "a/b": false, "a@b": false, "a~b": false, "ä": false, "a\x00": false,
		strings.Repeat("s", 129): false,
	} {
		if err := flags.CheckSetName(name); (err == nil) != ok || err != nil && !errors.Is(err, flags.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
