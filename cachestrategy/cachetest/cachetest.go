package cachetest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
)

// Harness is how the suite gets at a cache. Hooks report their own troubles
// through t and register their cleaning up with it.
type Harness struct {
	// New returns an open, empty cache that nobody else uses. Required.
	New func(t testing.TB) cachestrategy.Strategy

	// Damages are ways to spoil what is stored of a set, by name: a changed byte, a
	// lost part, another program's value in its place. Nil: except "damage".
	Damages map[string]func(t testing.TB, s cachestrategy.Strategy, set string)

	// Except maps the names of cases ("guard/lineage") or areas ("guard") that the
	// cache cannot keep to the reason. An unknown name fails the suite.
	Except map[string]string

	// Volumes, smaller for slow caches; zero means the default.
	Flags   int // of a large set; default 10,000
	Writers int // at the same time; default 8
	Writes  int // of each writer; default 250
	Sets    int // with lifetimes of their own; default 200
	Calls   int // at random, on these; default 2,000

	// Tolerance is how far instants may be from what they should be. Default 20 ms:
	// processes share a wall clock, and calls take time.
	Tolerance time.Duration
}

func (h Harness) withDefaults() Harness {
	h.Flags = cmp.Or(h.Flags, 10_000)
	h.Writers = cmp.Or(h.Writers, 8)
	h.Writes = cmp.Or(h.Writes, 250)
	h.Sets = cmp.Or(h.Sets, 200)
	h.Calls = cmp.Or(h.Calls, 2000)
	h.Tolerance = cmp.Or(h.Tolerance, 20*time.Millisecond)
	return h
}

// Case is one clause of the contract.
type Case struct {
	Name string // area/clause
	Run  func(t testing.TB, h Harness)
}

// Cases returns all clauses in the order in which Run checks them.
func Cases() []Case {
	var cases []Case
	for _, a := range []struct {
		name    string
		clauses map[string]func(*env)
	}{
		{"entry", entryClauses},
		{"lifetime", lifetimeClauses},
		{"guard", guardClauses},
		{"tail", tailClauses},
		{"errors", errorClauses},
		{"damage", damageClauses},
		{"concurrency", concurrencyClauses},
		{"volume", volumeClauses},
	} {
		for _, clause := range slices.Sorted(maps.Keys(a.clauses)) {
			run := a.clauses[clause]
			cases = append(cases, Case{a.name + "/" + clause, func(t testing.TB, h Harness) {
				h = h.withDefaults()
				e := &env{TB: t, h: h, s: h.New(t)}
				run(e)
			}})
		}
	}
	return cases
}

// Run holds a cache to the contract.
func Run(t *testing.T, h Harness) {
	for _, c := range Select(t, h) {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, h) })
	}
}

// Select returns the cases that the harness does not except, for suites that run
// them in surroundings of their own, such as virtual time.
func Select(t testing.TB, h Harness) []Case {
	t.Helper()
	cases := Cases()
	for name, reason := range h.Except {
		known := slices.ContainsFunc(cases, func(c Case) bool {
			return c.Name == name || strings.HasPrefix(c.Name, name+"/")
		})
		if !known || reason == "" {
			t.Fatalf("exception %q: want the name of a case or an area, and a reason", name)
		}
	}
	return slices.DeleteFunc(cases, func(c Case) bool {
		area, _, _ := strings.Cut(c.Name, "/")
		reason := cmp.Or(h.Except[c.Name], h.Except[area])
		if reason != "" {
			t.Logf("%s: excepted: %s", c.Name, reason)
		}
		return reason != ""
	})
}
