package jsonlogic

import (
	"cmp"
	"strings"
)

// version is a parsed semantic version that shares the text it was parsed from. A missing minor or patch is "0"; build
// metadata is checked and dropped. It accepts what golang.org/x/mod/semver accepts, with an optional v or V.
type version struct{ major, minor, patch, pre string }

func parseVersion(s string) (v version, ok bool) {
	if s != "" && (s[0] == 'v' || s[0] == 'V') {
		s = s[1:]
	}
	v.minor, v.patch = "0", "0"
	if v.major, s, ok = leadingInt(s); !ok || s == "" {
		return v, ok
	}
	if s[0] != '.' {
		return v, false
	}
	if v.minor, s, ok = leadingInt(s[1:]); !ok || s == "" {
		return v, ok
	}
	if s[0] != '.' {
		return v, false
	}
	if v.patch, s, ok = leadingInt(s[1:]); !ok {
		return v, false
	}
	if s != "" && s[0] == '-' {
		end := strings.IndexByte(s, '+')
		if end < 0 {
			end = len(s)
		}
		v.pre, s = s[1:end], s[end:]
		if !identifiers(v.pre, true) {
			return v, false
		}
	}
	return v, s == "" || s[0] == '+' && identifiers(s[1:], false)
}

func leadingInt(s string) (digits, rest string, ok bool) {
	n := countDigits(s)
	if n == 0 || n > 1 && s[0] == '0' {
		return "", s, false
	}
	return s[:n], s[n:], true
}

// identifiers checks a dot-separated list; in a prerelease, numbers must not have leading zeros.
func identifiers(s string, prerelease bool) bool {
	for more := true; more; {
		var id string
		id, s, more = strings.Cut(s, ".")
		if id == "" || prerelease && len(id) > 1 && id[0] == '0' && countDigits(id) == len(id) {
			return false
		}
		for i := range len(id) {
			if c := id[i]; !isDigit(c) && c != '-' && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}

// compareInts compares decimal digits without leading zeros, of any length.
func compareInts(a, b string) int {
	if len(a) != len(b) {
		return cmp.Compare(len(a), len(b))
	}
	return cmp.Compare(a, b)
}

func (v version) compare(w version) int {
	if c := compareInts(v.major, w.major); c != 0 {
		return c
	}
	if c := compareInts(v.minor, w.minor); c != 0 {
		return c
	}
	if c := compareInts(v.patch, w.patch); c != 0 {
		return c
	}
	return comparePrerelease(v.pre, w.pre)
}

// comparePrerelease orders by identifier: numbers by value and below names, a longer list above its own beginning, and
// a release above all of them.
func comparePrerelease(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	for {
		var x, y string
		var moreA, moreB bool
		x, a, moreA = strings.Cut(a, ".")
		y, b, moreB = strings.Cut(b, ".")
		if x != y {
			numX, numY := countDigits(x) == len(x), countDigits(y) == len(y)
			switch {
			case numX && numY:
				return compareInts(x, y)
			case numX:
				return -1
			case numY:
				return 1
			}
			return cmp.Compare(x, y)
		}
		if !moreA || !moreB {
			return boolToInt(moreA) - boolToInt(moreB)
		}
	}
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// The operators of sem_ver, in node.how.
const (
	versionEqual uint8 = iota
	versionNotEqual
	versionLess
	versionLessEqual
	versionGreater
	versionGreaterEqual
	versionSameMajor
	versionSameMinor
)

func versionOp(s string) (op uint8, ok bool) {
	switch s {
	case "=":
		return versionEqual, true
	case "!=":
		return versionNotEqual, true
	case "<":
		return versionLess, true
	case "<=":
		return versionLessEqual, true
	case ">":
		return versionGreater, true
	case ">=":
		return versionGreaterEqual, true
	case "^":
		return versionSameMajor, true
	case "~":
		return versionSameMinor, true
	}
	return 0, false
}

func (v version) satisfies(op uint8, w version) bool {
	switch op {
	case versionSameMajor:
		return v.major == w.major
	case versionSameMinor:
		return v.major == w.major && v.minor == w.minor
	}
	c := v.compare(w)
	switch op {
	case versionEqual:
		return c == 0
	case versionNotEqual:
		return c != 0
	case versionLess:
		return c < 0
	case versionLessEqual:
		return c <= 0
	case versionGreater:
		return c > 0
	}
	return c >= 0
}
