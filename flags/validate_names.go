package flags

import (
	"slices"
	"strings"
)

// maxNamesListed bounds how many known names a message repeats.
const maxNamesListed = 8

// hint ends a message about an unknown name. It is worked out only if the
// message is shown.
type hint struct {
	intro string
	got   string
	known []string
}

func knownNames(intro, got string, known []string) hint { return hint{intro, got, known} }

// String returns what is known, and the name that was probably meant:
// `known: "off", "on"; did you mean "on"?`. Of many names that one is enough.
func (h hint) String() string {
	if len(h.known) == 0 {
		return h.intro + " none"
	}
	text := h.intro + " " + listNames(h.known)
	best, ok := nearest(h.got, h.known)
	switch guess := "did you mean " + quoted(shorten(best)) + "?"; {
	case !ok:
		return text
	case len(h.known) > maxNamesListed:
		return guess
	default:
		return text + "; " + guess
	}
}

// listNames quotes the first few names.
func listNames(names []string) string {
	listed := make([]string, 0, min(len(names), maxNamesListed)+1)
	for _, name := range names {
		if len(listed) == maxNamesListed {
			listed = append(listed, "...")
			break
		}
		listed = append(listed, quoted(shorten(name)))
	}
	return strings.Join(listed, ", ")
}

// nearest returns the known name that is at most a few typing errors away, of the
// first few hundred.
func nearest(got string, known []string) (best string, ok bool) {
	if len(got) > 64 {
		return "", false
	}
	known = known[:min(len(known), 256)]
	least := 1 + max(1, len(got)/3)
	for _, name := range known {
		if strings.EqualFold(name, got) {
			return name, true
		}
		if len(name) > 64 || min(len(name), len(got)) < 2 {
			continue
		}
		if d := editDistance(got, name); d < least {
			least, best, ok = d, name, true
		}
	}
	return best, ok
}

// editDistance counts the bytes to insert, delete, replace or swap to get from a to b.
func editDistance(a, b string) int {
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// sortedNames returns the names of an object's members, sorted.
func sortedNames(n *node) []string {
	names := make([]string, 0, len(n.kids))
	for i := range n.kids {
		names = append(names, n.kids[i].name)
	}
	slices.Sort(names)
	return names
}
