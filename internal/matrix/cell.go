package matrix

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Cell is one fault, or one guarantee, with what proves it.
type Cell struct {
	// ID is F1 to F33 for faults, E1 to E8 for those that broke others, G1 to G9 for
	// guarantees about caches, S followed by layer and failure for the subsets of layers.
	ID    string
	Fault string // what is done
	Pass  string // what must come of it, in figures
	// Result is what came of it: figures that the test asserts, or that are the same in
	// each run because time is virtual. No figure of real time belongs here.
	Result string
	// Tests prove it: "folder.TestName" or "folder.TestName/Subtest".
	Tests []string
	// Twins are tests that run the same with a guard switched off, and show that it is missed.
	Twins []string
}

// Cells returns every cell but those of the subsets, in the order of their ids.
func Cells() []Cell {
	all := slices.Concat(primaryCells, outageCells, famousCells, breakerCells, cacheCells, loadCells, diskCells,
		sessionCells, routerCells, nemesisCells)
	slices.SortFunc(all, func(a, b Cell) int { return compareIDs(a.ID, b.ID) })
	return all
}

// compareIDs sorts F2 before F10.
func compareIDs(a, b string) int {
	return cmp.Or(strings.Compare(a[:1], b[:1]), cmp.Compare(number(a), number(b)), strings.Compare(a, b))
}

func number(id string) int {
	n, err := strconv.Atoi(id[1:])
	if err != nil {
		return 0
	}
	return n
}

// IDs returns the id of everything that a whole run must have tried.
func IDs() []string {
	var ids []string
	for _, c := range Cells() {
		ids = append(ids, c.ID)
	}
	for _, s := range Subsets() {
		ids = append(ids, s.ID())
	}
	return ids
}

// Subset is some of the layers, all failing in the same way.
type Subset struct {
	Layers  []string // of cache, primary, secondary
	Failure string   // refused or hanging
}

// Subsets returns each subset of the layers with each failure.
func Subsets() []Subset {
	var all []Subset
	for _, failure := range []string{"refused", "hanging"} {
		for mask := range 8 {
			s := Subset{Failure: failure}
			for i, layer := range []string{"cache", "primary", "secondary"} {
				if mask>>i&1 == 1 {
					s.Layers = append(s.Layers, layer)
				}
			}
			all = append(all, s)
		}
	}
	return all
}

// ID is the id of the subset's cell.
func (s Subset) ID() string {
	return "S-" + strings.Join(append(slices.Clone(s.Layers), s.Failure), "-")
}

// Has reports whether a layer fails.
func (s Subset) Has(layer string) bool { return slices.Contains(s.Layers, layer) }
