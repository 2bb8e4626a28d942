package flags

import (
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/internal/spelling"
)

// maxNamesListed bounds how many known names a message repeats.
const maxNamesListed = 8

// maxNamesCompared bounds the work that a file full of faults makes.
const maxNamesCompared = 256

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
	best, ok := spelling.Nearest(h.got, h.known[:min(len(h.known), maxNamesCompared)])
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

// sortedNames returns the names of an object's members, sorted.
func sortedNames(n *node) []string {
	names := make([]string, 0, len(n.kids))
	for i := range n.kids {
		names = append(names, n.kids[i].name)
	}
	slices.Sort(names)
	return names
}
