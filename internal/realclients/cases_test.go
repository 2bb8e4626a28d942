package main

import (
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
)

// TestAnswersThatDoNotFit: what differs in one thing only is found out.
func TestAnswersThatDoNotFit(t *testing.T) {
	want := answer{Value: true, Variant: "on", Reason: "STATIC"}
	if err := want.fits(want); err != nil {
		t.Errorf("the answer itself: %v", err)
	}
	for _, got := range []answer{
		{Value: false, Variant: "on", Reason: "STATIC"},
		{Value: "true", Variant: "on", Reason: "STATIC"},
		{Value: true, Variant: "off", Reason: "STATIC"},
		{Value: true, Reason: "STATIC"},
		{Value: true, Variant: "on", Reason: "DEFAULT"},
		{Value: true, Variant: "on", Reason: "STATIC", Error: "GENERAL"},
		{},
	} {
		if err := got.fits(want); err == nil {
			t.Errorf("%+v passes for %+v", got, want)
		}
	}
}

func TestMetadataThatIsMissing(t *testing.T) {
	want := map[string]any{"owner": "shop", "tier": 2.5}
	whole := map[string]any{"owner": "shop", "tier": 2.5, "more": true, "holdfastRevision": "default@0.57~k7q2m9"}
	if err := errors.Join((answer{Metadata: whole}).carries(want), (answer{Metadata: whole}).dated()); err != nil {
		t.Error(err)
	}
	for _, meta := range []map[string]any{
		nil,
		{"owner": "shop", "tier": 2.5},
		{"owner": "shop", "tier": 2.5, "holdfastRevision": "57"},
		{"owner": "shop", "tier": "2.5", "holdfastRevision": "default@0.57~k7q2m9"},
		{"tier": 2.5, "holdfastRevision": "default@0.57~k7q2m9"},
	} {
		if (answer{Metadata: meta}).carries(want) == nil && (answer{Metadata: meta}).dated() == nil {
			t.Errorf("%v passes for %v", meta, want)
		}
	}
}

// TestReport: one failed check, or no check at all, is not success.
func TestReport(t *testing.T) {
	var r report
	if r.print(io.Discard) {
		t.Error("a day without checks passes")
	}
	r.check("a", "something", nil)
	r.setAside("a", "something else", "it cannot")
	var out strings.Builder
	if !r.print(&out) {
		t.Error("a day without failures does not pass")
	}
	for _, want := range []string{"a: something else: it cannot", "real clients: 1 checks, 1 clients, 0 failed; 1 set aside"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("summary %q without %q", &out, want)
		}
	}
	r.check("b", "something", io.ErrUnexpectedEOF)
	if r.print(io.Discard) || r.failures() != 1 {
		t.Error("a failed check passes")
	}
}

// TestTableIsOfItsFlags: every question is about a flag of its set, but for those
// about flags that are not, and every outlier is of a kind that somebody is.
func TestTableIsOfItsFlags(t *testing.T) {
	table, err := readCases()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, g := range everybody(&host{}, &host{}) {
		if c, ok := g.(*client); ok {
			for _, k := range c.kinds {
				kinds[k] = true
			}
		}
	}
	for set, file := range map[string][]byte{"default": defaultFlags, "other": otherFlags} {
		var doc payload
		if err := json.Unmarshal(file, &doc); err != nil {
			t.Fatalf("%s: %v", set, err)
		}
		for _, tc := range table.Sets[set] {
			if _, ok := doc.Flags[tc.Flag]; ok == (tc.Want.Error == "FLAG_NOT_FOUND") {
				t.Errorf("%s: %s: in the file: %v", set, tc.Flag, ok)
			}
			for kind, o := range tc.In {
				if !kinds[kind] || (o.Want == nil) == (o.Aside == "") {
					t.Errorf("%s: %s: outlier %s", set, tc.Flag, kind)
				}
			}
		}
	}
}

// TestProvidersArePinned: exact versions and checksums, and no registry by name.
func TestProvidersArePinned(t *testing.T) {
	var wanted struct{ Dependencies map[string]string }
	var lock struct {
		Packages map[string]struct{ Version, Integrity, Resolved string }
	}
	for name, v := range map[string]any{"js/package.json": &wanted, "js/package-lock.json": &lock} {
		data, err := scripts.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	exact := regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	for name, version := range wanted.Dependencies {
		if got := lock.Packages["node_modules/"+name].Version; !exact.MatchString(version) || got != version {
			t.Errorf("%s: wanted %s, locked %s", name, version, got)
		}
	}
	for path, p := range lock.Packages {
		if path != "" && (p.Version == "" || p.Integrity == "" || p.Resolved != "") {
			t.Errorf("%s: %+v", path, p)
		}
	}
}
