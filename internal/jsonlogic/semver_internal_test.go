package jsonlogic

import (
	"testing"

	"golang.org/x/mod/semver"
)

func FuzzVersion(f *testing.F) {
	for _, v := range versions {
		f.Add(v, versions[0])
	}
	f.Fuzz(checkVersions)
}

var versions = []string{"", "v", "1", "1.2", "1.2.3", "0.0.0", "00.1.2", "1.02.3", "1.2.03", "1.2.3-", "1.2.3+", "1.2.3-rc",
	"1.2.3-rc.1", "1.2.3-rc.01", "1.2.3-rc.2", "1.2.3-rc.10", "1.2.3-rc.1.1", "1.2.3-1", "1.2.3-1a", "1.2.3-alpha..b", "1.2.3+a..b",
	"1.2.3+a.01", "1.2.3-x+y", "1.2-rc", "1-rc", "1.2.3.4", "1..2", ".1", "1.", "99999999999999999999999.1.1", "1.2.3-é", "1.2.3-A",
	"10.2.3", "2.10.3", "1.2.3-99999999999999999999999", " 1.2.3", "1.2.3 ", "-1.2.3"}

func TestVersions(t *testing.T) {
	for _, a := range versions {
		for _, b := range versions {
			checkVersions(t, a, b)
		}
	}
}

// checkVersions compares parsing and order with golang.org/x/mod/semver, which wants a "v" and takes no "V".
func checkVersions(t *testing.T, a, b string) {
	t.Helper()
	v, ok := parseVersion(a)
	if valid := semver.IsValid("v" + trimV(a)); ok != valid {
		t.Fatalf("%q is valid: %v, want %v", a, ok, valid)
	}
	w, okB := parseVersion(b)
	if !ok || !okB {
		return
	}
	a, b = "v"+trimV(a), "v"+trimV(b)
	if got, want := v.compare(w), semver.Compare(a, b); got != want {
		t.Errorf("%q against %q: %d, want %d", a, b, got, want)
	}
	if got, want := v.satisfies(versionSameMajor, w), semver.Major(a) == semver.Major(b); got != want {
		t.Errorf("%q ^ %q: %v, want %v", a, b, got, want)
	}
	if got, want := v.satisfies(versionSameMinor, w), semver.MajorMinor(a) == semver.MajorMinor(b); got != want {
		t.Errorf("%q ~ %q: %v, want %v", a, b, got, want)
	}
}

func trimV(s string) string {
	if s != "" && (s[0] == 'v' || s[0] == 'V') {
		return s[1:]
	}
	return s
}
